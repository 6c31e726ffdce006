//! Writes the tensors of a model, and of the moments of its optimiser, to a safetensors file.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::OnceLock;

use burn::module::{ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use safetensors::{Dtype, View};

use super::names::{DECODER_POSITIONS, ENCODER_POSITIONS, Location};
use crate::error::Error;
use crate::model::Stored;
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
    pub(super) fn model<B: Operations, M: Stored<B>>(model: &M) -> Self {
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
