//! Reads the encoders of public checkpoints: those of MAE, and Vision Transformers of timm.

use std::collections::HashMap;
use std::path::Path;

use pytorch_reader::{DType, PytorchReader};

use super::names::{ENCODER_POSITIONS, is_of_encoder};
use super::tensors::{Stored, Tensors};
use crate::backend::{Cpu, Device};
use crate::config::Config;
use crate::error::Error;
use crate::model::Gmae;

/// Channels of an attention head in the public models. A file does not state the number of heads.
const CHANNELS_PER_HEAD: usize = 64;

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
    /// format, or if it has no `cls_token`.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let is_safetensors = path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("safetensors"));
        let mut named = if is_safetensors {
            let bytes = std::fs::read(path).map_err(Error::file("reading", path))?;
            Tensors::parse(path, &bytes)?.into_tensors()
        } else {
            read_pytorch(path)?
        };
        let token = named
            .keys()
            .filter_map(|name| name.strip_suffix("cls_token"));
        let prefix = token.min_by_key(|prefix| prefix.len()).map(str::to_owned);
        let prefix = prefix.ok_or_else(|| {
            let refused =
                "expected a Vision Transformer with a tensor cls_token, but there is none";
            Error::Checkpoint {
                path: path.to_owned(),
                reason: refused.to_owned(),
            }
        })?;
        named = named
            .into_iter()
            .map(|(name, tensor)| match name.strip_prefix(&prefix) {
                Some(inner) => (inner.to_owned(), tensor),
                None => (name, tensor),
            })
            .collect();
        let tensors = Tensors::new(path, named, HashMap::new());
        Ok(Self { tensors })
    }

    /// Returns `base` with the sizes of the encoder in the file. Each head gets 64 channels, as in
    /// the public models.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] if a tensor that states a size is missing or has another rank.
    pub fn config(&self, base: Config) -> Result<Config, Error> {
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
        let grid = rows.saturating_sub(1).isqrt();
        Ok(Config {
            image_size: grid.saturating_mul(patch_size),
            patch_size,
            encoder_width: width,
            encoder_depth: depth,
            encoder_heads: (width / CHANNELS_PER_HEAD).max(1),
            mlp_ratio: hidden / width.max(1),
            ..base
        })
    }

    /// Creates a model with the encoder of the file and the initial decoder of `config`.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if `config` is invalid. [`Error::Checkpoint`] if a tensor of the encoder
    /// is missing or does not have the shape that `config` demands.
    pub fn model(&self, config: &Config) -> Result<Gmae<Cpu>, Error> {
        config.validate()?;
        let device = Device::default();
        let model = Gmae::new(config, &device);
        self.tensors.load(model, &device, Some(is_of_encoder))
    }

    /// The names of the tensors that [`Public::model`] does not use, sorted.
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

fn read_pytorch(path: &Path) -> Result<HashMap<String, Stored>, Error> {
    let refused = |reason: String| Error::Checkpoint {
        path: path.to_owned(),
        reason,
    };
    std::fs::File::open(path).map_err(Error::file("reading", path))?;
    let reader = PytorchReader::new(path).map_err(|error| {
        refused(format!(
            "expected a file of PyTorch or safetensors: {error}"
        ))
    })?;
    let mut named = HashMap::new();
    for (name, tensor) in reader.tensors() {
        // Counters and the like are no parameters.
        let Some(convert) = floats(tensor.dtype()) else {
            continue;
        };
        let bytes = tensor
            .read()
            .map_err(|error| refused(format!("tensor {name}: {error}")))?;
        let shape = tensor.shape().to_vec();
        let values = convert(&bytes);
        named.insert(name.clone(), Stored { shape, values });
    }
    Ok(named)
}

/// Converts the bytes of numbers.
type Convert = fn(&[u8]) -> Vec<f32>;

/// Returns the function that converts the bytes of floating-point numbers, or `None` for other
/// types.
fn floats(kind: DType) -> Option<Convert> {
    use super::tensors::convert;
    Some(match kind {
        DType::F32 => |bytes| convert(bytes, f32::from_le_bytes),
        DType::F64 => |bytes| convert(bytes, |b| f64::from_le_bytes(b) as f32),
        DType::F16 => |bytes| convert(bytes, |b| half::f16::from_le_bytes(b).to_f32()),
        DType::BF16 => |bytes| convert(bytes, |b| half::bf16::from_le_bytes(b).to_f32()),
        _ => return None,
    })
}
