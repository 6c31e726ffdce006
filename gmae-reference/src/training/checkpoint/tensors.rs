//! Reads the tensors of a safetensors file.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use burn::module::{ModuleMapper, Param};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use safetensors::{Dtype, SafeTensors};

use super::names::{DECODER_POSITIONS, ENCODER_POSITIONS, Location};
use super::writing::unnamed;
use crate::error::Error;
use crate::model::Stored;
use crate::ops::Operations;

/// The tensors of a file in memory.
#[derive(Clone, Debug)]
pub(super) struct Tensors {
    path: PathBuf,
    by_name: HashMap<String, FileTensor>,
}

/// One tensor of a file.
#[derive(Clone, Debug)]
pub(super) struct FileTensor {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

impl Tensors {
    /// Parses the bytes of the safetensors file `path`.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] if it is not a safetensors file of floating-point numbers.
    pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        let refused = |reason: String| Error::Checkpoint {
            path: path.to_owned(),
            reason,
        };
        let broken = |error| refused(format!("expected a safetensors file, but {error}"));
        let parsed = SafeTensors::deserialize(bytes).map_err(broken)?;
        let mut tensors = HashMap::new();
        for (name, view) in parsed.iter() {
            let kind = view.dtype();
            let float = float(kind).ok_or_else(|| {
                refused(format!(
                    "expected floating-point numbers in {name}, got {kind:?}"
                ))
            })?;
            let values = float.convert(view.data());
            let shape = view.shape().to_vec();
            tensors.insert(name.to_owned(), FileTensor { shape, values });
        }
        Ok(Self::new(path, tensors))
    }

    /// Creates the tensors of the file `path` from values that have been read.
    pub(super) fn new(path: &Path, by_name: HashMap<String, FileTensor>) -> Self {
        let path = path.to_owned();
        Self { path, by_name }
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the tensors by name.
    pub(super) fn into_tensors(self) -> HashMap<String, FileTensor> {
        self.by_name
    }

    /// The tensor of this name.
    pub(super) fn get(&self, name: &str) -> Option<&FileTensor> {
        self.by_name.get(name)
    }

    /// The number of numbers in all tensors.
    pub(super) fn numbers(&self) -> usize {
        let tensors = self.by_name.values();
        tensors.map(|tensor| tensor.values.len()).sum()
    }

    /// The names of all tensors, sorted.
    pub(super) fn names(&self) -> BTreeSet<&str> {
        self.by_name.keys().map(String::as_str).collect()
    }

    /// Reads the parameter at `location`, whose name in the file begins with `prefix`.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] if there is no tensor of this name, if its shape differs, or if it
    /// contains NaN or infinity.
    pub(super) fn read(&self, prefix: &str, location: &Location) -> Result<Vec<f32>, Error> {
        let name = format!("{prefix}{}", location.name);
        let refused = |got: String| Error::Checkpoint {
            path: self.path.clone(),
            reason: format!(
                "expected a tensor {name} of shape {:?}, {got}",
                location.shape
            ),
        };
        let stored = self.get(&name);
        let stored = stored.ok_or_else(|| refused("but there is none".to_owned()))?;
        if stored.shape != location.shape {
            return Err(refused(format!("but it has {:?}", stored.shape)));
        }
        if stored.values.iter().any(|value| !value.is_finite()) {
            return Err(refused("but it holds NaN or infinity".to_owned()));
        }
        Ok(location.read(&stored.values))
    }

    /// Returns `model` with the parameters and position tables of the file. If `only` is given,
    /// other parameters keep their values.
    ///
    /// # Errors
    ///
    /// All errors of [`Tensors::read`]. [`Error::Checkpoint`] if a parameter has no name in the
    /// file.
    pub(super) fn load<B: Operations, M: Stored<B>>(
        &self,
        model: M,
        device: &B::Device,
        only: Option<fn(&str) -> bool>,
    ) -> Result<M, Error> {
        let wanted = |name: &str| only.is_none_or(|only| only(name));
        let names = [ENCODER_POSITIONS, DECODER_POSITIONS];
        let mut tables: Vec<Tensor<B, 2>> = model.positions().into_iter().cloned().collect();
        for (name, table) in names.into_iter().zip(&mut tables) {
            if wanted(name) {
                let [rows, width] = table.dims();
                let values = self.read("", &Location::table(name, rows, width))?;
                *table = Tensor::from_data(TensorData::new(values, [rows, width]), device);
            }
        }
        let mut loader = ParameterLoader {
            tensors: self,
            wanted: &wanted,
            path: Vec::new(),
            device,
            error: None,
        };
        let model = model.map(&mut loader);
        match loader.error {
            None => Ok(model.with_positions(tables)),
            Some(error) => Err(error),
        }
    }
}

/// Returns the metadata of the bytes of the safetensors file `path`.
///
/// # Errors
///
/// [`Error::Checkpoint`] if it is not a safetensors file.
pub(super) fn metadata(path: &Path, bytes: &[u8]) -> Result<HashMap<String, String>, Error> {
    let header = SafeTensors::read_metadata(bytes).map_err(|error| Error::Checkpoint {
        path: path.to_owned(),
        reason: format!("expected a safetensors file, but {error}"),
    })?;
    Ok(header.1.metadata().clone().unwrap_or_default())
}

/// Replaces the parameters of a module by those of a file.
struct ParameterLoader<'a, B: Backend> {
    tensors: &'a Tensors,
    wanted: &'a dyn Fn(&str) -> bool,
    path: Vec<String>,
    device: &'a B::Device,
    error: Option<Error>,
}

impl<B: Backend> ModuleMapper<B> for ParameterLoader<'_, B> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let (id, old, mapper) = param.consume();
        let shape = old.dims();
        let path = self.path.join(".");
        let read = match Location::of(&path, &shape) {
            Some(location) if !(self.wanted)(&location.name) => {
                return Param::from_mapped_value(id, old, mapper);
            }
            Some(location) => self.tensors.read("", &location),
            None => Err(unnamed(&self.tensors.path, &path)),
        };
        let new = match read {
            Ok(values) => Tensor::from_data(TensorData::new(values, shape), self.device),
            Err(error) => {
                self.error.get_or_insert(error);
                old
            }
        };
        Param::from_mapped_value(id, new.require_grad(), mapper)
    }
}

/// A floating-point type that files can have.
#[derive(Clone, Copy, Debug)]
pub(super) enum Float {
    Half,
    Brain,
    Single,
    Double,
}

impl Float {
    /// Converts little-endian numbers of this type to `f32`.
    pub(super) fn convert(self, bytes: &[u8]) -> Vec<f32> {
        fn each<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
            let (chunks, _) = bytes.as_chunks();
            chunks.iter().map(|chunk| value(*chunk)).collect()
        }
        match self {
            Self::Half => each(bytes, |b| half::f16::from_le_bytes(b).to_f32()),
            Self::Brain => each(bytes, |b| half::bf16::from_le_bytes(b).to_f32()),
            Self::Single => each(bytes, f32::from_le_bytes),
            Self::Double => each(bytes, |b| f64::from_le_bytes(b) as f32),
        }
    }
}

/// Returns the floating-point type, or `None` for other types.
fn float(kind: Dtype) -> Option<Float> {
    Some(match kind {
        Dtype::F16 => Float::Half,
        Dtype::BF16 => Float::Brain,
        Dtype::F32 => Float::Single,
        Dtype::F64 => Float::Double,
        _ => return None,
    })
}
