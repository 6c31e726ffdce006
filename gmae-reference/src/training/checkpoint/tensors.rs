//! Tensors in safetensors files: of a model, and of the moments of its optimiser.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use safetensors::{Dtype, SafeTensors, View};

use super::names::{DECODER_POSITIONS, ENCODER_POSITIONS, Location};
use crate::error::Error;
use crate::model::Gmae;
use crate::ops::Operations;

/// Copies the values of a parameter to the host.
type Read = Box<dyn Fn() -> Vec<f32> + Send + Sync>;

/// Tensors to be written to a file. The values are copied to the host one tensor at a time, while
/// the file is written.
#[derive(Default)]
pub(super) struct Writing {
    tensors: BTreeMap<String, Parts>,
    /// A parameter that has no name in the file.
    unnamed: Option<String>,
}

/// The parameters that one tensor of a file consists of.
struct Parts {
    shape: Vec<usize>,
    parts: Vec<(Location, Read)>,
}

impl Writing {
    /// Adds the parameters and the position tables of a model.
    pub(super) fn model<B: Operations>(model: &Gmae<B>) -> Self {
        let mut writing = Self::default();
        let mut visitor = Visitor {
            path: Vec::new(),
            visit: |path: &str, _: ParamId, shape: &[usize], read: Read| {
                writing.add("", path, shape, read);
            },
        };
        model.visit(&mut visitor);
        let names = [ENCODER_POSITIONS, DECODER_POSITIONS];
        for (name, table) in names.into_iter().zip(model.positions()) {
            let [rows, width] = table.dims();
            let location = Location::table(name, rows, width);
            writing.insert("", location, values_of(table.clone()));
        }
        writing
    }

    /// Adds a parameter of the model, whose name in the file begins with `prefix`.
    pub(super) fn add(&mut self, prefix: &str, path: &str, shape: &[usize], read: Read) {
        match Location::of(path, shape) {
            Some(location) => self.insert(prefix, location, read),
            None => self.unnamed = Some(path.to_owned()),
        }
    }

    fn insert(&mut self, prefix: &str, location: Location, read: Read) {
        let name = format!("{prefix}{}", location.name);
        let tensor = self.tensors.entry(name).or_insert_with(|| Parts {
            shape: location.shape.clone(),
            parts: Vec::new(),
        });
        tensor.parts.push((location, read));
    }

    /// The names of all tensors, sorted.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Keeps the tensors of which `keep` is true.
    pub(super) fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.tensors.retain(|name, _| keep(name));
    }

    /// Writes the file `path` with one entry of metadata.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the file cannot be written. [`Error::NotSaved`] if a value is not finite.
    /// [`Error::Checkpoint`] if a parameter has no name in the file.
    pub(super) fn write(&self, path: &Path, metadata: (&str, String)) -> Result<(), Error> {
        if let Some(parameter) = &self.unnamed {
            return Err(unnamed(path, parameter));
        }
        let bad = OnceLock::new();
        let views = self.tensors.iter().map(|(name, parts)| {
            let bad = &bad;
            (name, Viewed { name, parts, bad })
        });
        // Several entries would be written in a random order.
        let metadata = HashMap::from([(metadata.0.to_owned(), metadata.1)]);
        let written = safetensors::serialize_to_file(views, Some(metadata), path);
        written.map_err(|error| match error {
            safetensors::SafeTensorError::IoError(error) => Error::file("writing", path)(error),
            other => Error::file("writing", path)(std::io::Error::other(other)),
        })?;
        match bad.get() {
            None => Ok(()),
            Some(name) => Err(Error::NotSaved {
                name: String::clone(name),
            }),
        }
    }
}

/// A tensor, for the library `safetensors`.
struct Viewed<'a> {
    name: &'a String,
    parts: &'a Parts,
    /// The first tensor with a value that is not finite.
    bad: &'a OnceLock<String>,
}

impl View for Viewed<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.parts.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let mut file = vec![0.0_f32; self.parts.shape.iter().product()];
        for (location, read) in &self.parts.parts {
            let values = read();
            if !location.write(&values, &mut file) {
                let _ = self.bad.set(self.name.clone());
            }
        }
        if file.iter().any(|value| !value.is_finite()) {
            let _ = self.bad.set(self.name.clone());
        }
        Cow::Owned(file.into_iter().flat_map(f32::to_le_bytes).collect())
    }

    fn data_len(&self) -> usize {
        4 * self.parts.shape.iter().product::<usize>()
    }
}

/// The error for a parameter that has no name in a file.
pub(super) fn unnamed(path: &Path, parameter: &str) -> Error {
    Error::Checkpoint {
        path: path.to_owned(),
        reason: format!("the parameter {parameter} has no name in the file"),
    }
}

/// Returns a function that copies the values of a tensor to the host.
pub(super) fn values_of<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Read {
    Box::new(move || {
        tensor
            .to_data()
            .convert::<f32>()
            .to_vec()
            .unwrap_or_default()
    })
}

/// Calls a function with path, id, shape and values of every parameter of a module.
pub(super) struct Visitor<F> {
    pub(super) path: Vec<String>,
    pub(super) visit: F,
}

impl<B: Backend, F: FnMut(&str, ParamId, &[usize], Read)> ModuleVisitor<B> for Visitor<F> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let value = param.val();
        let shape = value.dims();
        (self.visit)(&self.path.join("."), param.id, &shape, values_of(value));
    }
}

/// The tensors of a file in memory.
#[derive(Clone, Debug)]
pub(super) struct Tensors {
    path: PathBuf,
    by_name: HashMap<String, Stored>,
}

/// One tensor of a file.
#[derive(Clone, Debug)]
pub(super) struct Stored {
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
            let values = floats(view.dtype(), view.data()).ok_or_else(|| {
                let kind = view.dtype();
                refused(format!(
                    "expected floating-point numbers in {name}, got {kind:?}"
                ))
            })?;
            let shape = view.shape().to_vec();
            tensors.insert(name.to_owned(), Stored { shape, values });
        }
        Ok(Self::new(path, tensors))
    }

    /// Creates the tensors of the file `path` from values that have been read.
    pub(super) fn new(path: &Path, by_name: HashMap<String, Stored>) -> Self {
        let path = path.to_owned();
        Self { path, by_name }
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the tensors by name.
    pub(super) fn into_tensors(self) -> HashMap<String, Stored> {
        self.by_name
    }

    /// The tensor of this name.
    pub(super) fn get(&self, name: &str) -> Option<&Stored> {
        self.by_name.get(name)
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
    pub(super) fn load<B: Operations>(
        &self,
        model: Gmae<B>,
        device: &B::Device,
        only: Option<fn(&str) -> bool>,
    ) -> Result<Gmae<B>, Error> {
        let wanted = |name: &str| only.is_none_or(|only| only(name));
        let names = [ENCODER_POSITIONS, DECODER_POSITIONS];
        let mut tables = model.positions().map(Tensor::clone);
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

/// Converts little-endian floating-point numbers to `f32`. The result is `None` for other types.
fn floats(kind: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    Some(match kind {
        Dtype::F32 => convert(bytes, f32::from_le_bytes),
        Dtype::F64 => convert(bytes, |b| f64::from_le_bytes(b) as f32),
        Dtype::F16 => convert(bytes, |b| half::f16::from_le_bytes(b).to_f32()),
        Dtype::BF16 => convert(bytes, |b| half::bf16::from_le_bytes(b).to_f32()),
        _ => return None,
    })
}

/// Converts the bytes of numbers of N bytes each.
pub(super) fn convert<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let (chunks, _) = bytes.as_chunks();
    chunks.iter().map(|chunk| value(*chunk)).collect()
}
