//! Reads the encoders of public checkpoints: those of MAE, and Vision Transformers of timm.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use pytorch_reader::{DType, PytorchReader};

use super::names::{ENCODER_POSITIONS, is_of_encoder};
use super::tensors::{FileTensor, Float, Tensors};
use super::writing::Writing;
use crate::config::Config;
use crate::error::Error;
use crate::files;
use crate::model::Autoencoder;
use crate::ops::Operations;

/// Widths and numbers of heads of the public models (ViT-Ti, S, B, L and MAE's ViT-H). A file does
/// not state the number of heads.
const HEADS: [(usize, usize); 5] = [(192, 3), (384, 6), (768, 12), (1024, 16), (1280, 16)];
/// Largest size of the tensors of a file of PyTorch, as a multiple of the size of the file. A
/// tensor can claim more elements than the file has.
const LARGEST_MULTIPLE: u64 = 4;

/// The tensors of a public checkpoint.
pub struct Public {
    tensors: Tensors,
}

impl Public {
    /// Reads a file of PyTorch (`.pth`, `.pt`) or of safetensors. The tensors can be nested in
    /// dictionaries, as in MAE's files.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the file cannot be read. [`Error::Checkpoint`] if it is of neither
    /// format, if it has no `cls_token` or several, or if its tensors claim more bytes than the
    /// file can hold.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let is_safetensors = path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("safetensors"));
        let mut named = if is_safetensors {
            let bytes = files::read(path).map_err(Error::file("reading", path))?;
            Tensors::parse(path, &bytes)?.into_tensors()
        } else {
            read_pytorch(path)?
        };
        let prefix = prefix(path, &named)?;
        named = named
            .into_iter()
            .filter_map(|(name, tensor)| Some((name.strip_prefix(&prefix)?.to_owned(), tensor)))
            .collect();
        let tensors = Tensors::new(path, named);
        Ok(Self { tensors })
    }

    /// Returns `base` with the sizes of the encoder in the file. If `heads` is not given, the
    /// number of heads is that of the public model of this width.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] if a tensor that states a size is missing or has another rank, if
    /// there is no block, or if the position table does not belong to a square of patches.
    /// [`Error::Argument`] if `heads` is not given and no public model has this width.
    pub fn config(&self, base: Config, heads: Option<usize>) -> Result<Config, Error> {
        let [_, _, width] = self.shape("cls_token")?;
        let [_, _, patch_size, _] = self.shape("patch_embed.proj.weight")?;
        let [_, rows, _] = self.shape(ENCODER_POSITIONS)?;
        let [hidden, _] = self.shape("blocks.0.mlp.fc1.weight")?;
        let depth = (0..self.tensors.names().len())
            .take_while(|i| {
                self.tensors
                    .get(&format!("blocks.{i}.norm1.weight"))
                    .is_some()
            })
            .count();
        let known = HEADS.into_iter().find(|(known, _)| *known == width);
        let heads = heads.or(known.map(|(_, heads)| heads));
        let heads = heads.ok_or_else(|| Error::Argument {
            argument: "--encoder-heads",
            expected: format!(
                "the number of heads, which the file does not state, for width {width}"
            ),
            got: "none".to_owned(),
        })?;
        let grid = rows.saturating_sub(1).isqrt();
        if depth == 0 || grid * grid + 1 != rows {
            return Err(Error::Checkpoint {
                path: self.tensors.path().to_owned(),
                reason: format!(
                    "expected a tensor blocks.0.norm1.weight, and a table {ENCODER_POSITIONS} with one \
                     row and the rows of a square, got {depth} blocks and {rows} rows"
                ),
            });
        }
        Ok(Config {
            image_size: grid.saturating_mul(patch_size),
            patch_size,
            encoder_width: width,
            encoder_depth: depth,
            encoder_heads: heads,
            mlp_ratio: hidden / width.max(1),
            ..base
        })
    }

    /// Creates a model with the encoder of the file and the initial decoder of `config`.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if `config` is invalid. [`Error::Checkpoint`] if a tensor of the encoder
    /// is missing, does not have the shape that `config` demands, is not finite, or has no place in
    /// the model.
    pub fn model<B: Operations>(
        &self,
        config: &Config,
        device: &B::Device,
    ) -> Result<Autoencoder<B>, Error> {
        config.validate()?;
        let model = Autoencoder::new(config, device);
        let writing = Writing::model::<B, _>(&model);
        let expected: BTreeSet<&str> = writing.names().collect();
        let names = self.tensors.names();
        let mut other = names.difference(&expected);
        if let Some(name) = other.find(|name| is_of_encoder(name)) {
            return Err(Error::Checkpoint {
                path: self.tensors.path().to_owned(),
                reason: format!("expected the encoder of a plain ViT, got one with {name}"),
            });
        }
        self.tensors.load(model, device, Some(is_of_encoder))
    }

    /// The names of the tensors that do not belong to the encoder, sorted.
    pub fn unused(&self) -> Vec<String> {
        let names = self.tensors.names().into_iter();
        let unused = names.filter(|name| !is_of_encoder(name));
        unused.map(str::to_owned).collect()
    }

    fn shape<const D: usize>(&self, name: &str) -> Result<[usize; D], Error> {
        let shape = self.tensors.get(name).map(|tensor| tensor.shape.as_slice());
        let got = || shape.map_or("none".to_owned(), |shape| format!("{shape:?}"));
        shape
            .and_then(|shape| shape.try_into().ok())
            .ok_or_else(|| Error::Checkpoint {
                path: self.tensors.path().to_owned(),
                reason: format!(
                    "expected a tensor {name} with {D} dimensions, got {}",
                    got()
                ),
            })
    }
}

/// Returns the part of the names before `cls_token`.
fn prefix(path: &Path, named: &HashMap<String, FileTensor>) -> Result<String, Error> {
    let prefixes = named
        .keys()
        .filter_map(|name| name.strip_suffix("cls_token"));
    let prefixes: BTreeSet<&str> = prefixes.collect();
    let refused = |got: String| Error::Checkpoint {
        path: path.to_owned(),
        reason: format!("expected a Vision Transformer with one tensor cls_token, got {got}"),
    };
    match prefixes.iter().copied().collect::<Vec<_>>()[..] {
        [] => Err(refused("none".to_owned())),
        [prefix] => Ok(prefix.to_owned()),
        [first, second, ..] => Err(refused(format!("{first}cls_token and {second}cls_token"))),
    }
}

fn read_pytorch(path: &Path) -> Result<HashMap<String, FileTensor>, Error> {
    let refused = |reason: String| Error::Checkpoint {
        path: path.to_owned(),
        reason,
    };
    let size = std::fs::metadata(path)
        .map_err(Error::file("reading", path))?
        .len();
    let reader = PytorchReader::new(path).map_err(|error| {
        refused(format!(
            "expected a file of PyTorch or safetensors: {error}"
        ))
    })?;
    let bytes: u64 = reader.tensors().values().map(|t| t.byte_len() as u64).sum();
    if bytes > LARGEST_MULTIPLE.saturating_mul(size) {
        return Err(refused(format!(
            "its tensors claim {bytes} bytes, the file has {size}"
        )));
    }
    let mut named = HashMap::new();
    for (name, tensor) in reader.tensors() {
        // Integers, such as counters, are not parameters.
        let Some(float) = float(tensor.dtype()) else {
            continue;
        };
        let bytes = tensor
            .read()
            .map_err(|error| refused(format!("tensor {name}: {error}")))?;
        let shape = tensor.shape().to_vec();
        let values = float.convert(&bytes);
        named.insert(name.clone(), FileTensor { shape, values });
    }
    Ok(named)
}

/// Returns the floating-point type, or `None` for other types.
fn float(kind: DType) -> Option<Float> {
    Some(match kind {
        DType::F16 => Float::Half,
        DType::BF16 => Float::Brain,
        DType::F32 => Float::Single,
        DType::F64 => Float::Double,
        _ => return None,
    })
}
