//! Typed and checked access to the tensors and metadata of a safetensors file.

use std::collections::HashMap;

use safetensors::{Dtype, SafeTensors};

/// An element type of the stored tensors.
pub(crate) trait Stored: Copy {
    /// The element type in the file format.
    const DTYPE: Dtype;
    /// Decodes one element. `bytes` has the length of the element.
    fn decode(bytes: &[u8]) -> Self;
    /// Whether the value is neither infinite nor NaN.
    fn usable(self) -> bool;
}

macro_rules! stored {
    ($type:ident, $dtype:ident, $usable:expr) => {
        impl Stored for $type {
            const DTYPE: Dtype = Dtype::$dtype;
            fn decode(bytes: &[u8]) -> Self {
                let mut array = [0; size_of::<Self>()];
                array.copy_from_slice(bytes);
                Self::from_le_bytes(array)
            }
            fn usable(self) -> bool {
                $usable(self)
            }
        }
    };
}
stored!(f32, F32, f32::is_finite);
stored!(f64, F64, f64::is_finite);
stored!(i64, I64, |_| true);

/// A parsed file. An error of an accessor is a single line that names the tensor.
pub(crate) struct Tensors<'a> {
    tensors: SafeTensors<'a>,
    strings: HashMap<String, String>,
}

impl<'a> Tensors<'a> {
    /// Parses the header and checks that it is consistent with the length of the file.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        let fail = |error| format!("not a complete safetensors file: {error}");
        let tensors = SafeTensors::deserialize(bytes).map_err(fail)?;
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(fail)?;
        let strings = header.metadata().clone().unwrap_or_default();
        Ok(Self { tensors, strings })
    }

    /// Returns a string of the metadata.
    pub(crate) fn string(&self, name: &str) -> Option<&str> {
        self.strings.get(name).map(String::as_str)
    }

    /// Returns the shape of a tensor. The tensor must have `RANK` axes.
    pub(crate) fn shape<const RANK: usize>(&self, name: &str) -> Result<[usize; RANK], String> {
        let view = self.tensors.tensor(name).map_err(|_| missing(name))?;
        view.shape()
            .try_into()
            .map_err(|_| format!("{name}: expected {RANK} axes, got shape {:?}", view.shape()))
    }

    /// Returns the elements of a tensor. The tensor must have the element type `T`, the shape
    /// `shape` and only finite elements.
    pub(crate) fn numbers<T: Stored>(&self, name: &str, shape: &[usize]) -> Result<Vec<T>, String> {
        let view = self.tensors.tensor(name).map_err(|_| missing(name))?;
        if view.dtype() != T::DTYPE {
            return Err(format!(
                "{name}: expected type {:?}, got {:?}",
                T::DTYPE,
                view.dtype()
            ));
        }
        if view.shape() != shape {
            return Err(format!(
                "{name}: expected shape {shape:?}, got {:?}",
                view.shape()
            ));
        }
        let values: Vec<T> = view
            .data()
            .chunks_exact(size_of::<T>())
            .map(T::decode)
            .collect();
        match values.iter().position(|value| !value.usable()) {
            None => Ok(values),
            Some(at) => Err(format!("{name}: element {at} is not a finite number")),
        }
    }
}

fn missing(name: &str) -> String {
    format!("{name}: the tensor is missing")
}
