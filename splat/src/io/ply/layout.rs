//! The meaning of the properties of a vertex.

use super::header::{Element, Kind};
use crate::io::cloud::brightest;
use crate::io::error::FileError;
use crate::io::numbers::NumberType;
use crate::io::scene::CHANNELS;

/// Numbers of properties `f_rest_*` for the degrees 0 to 4.
const REST: [usize; 5] = [0, 9, 24, 45, 72];
/// The three names of a colour.
const COLOURS: [[&str; CHANNELS]; 3] = [
    ["red", "green", "blue"],
    ["diffuse_red", "diffuse_green", "diffuse_blue"],
    ["r", "g", "b"],
];

/// The properties that a scene is made of, as indices into those of the element.
pub(super) struct Layout {
    pub(super) means: [usize; 3],
    /// Whether `f32` holds every mean.
    pub(super) narrow: bool,
    pub(super) appearance: Appearance,
    /// `None`: the vertices are points.
    pub(super) shape: Option<Shape>,
}

pub(super) enum Appearance {
    Harmonics {
        degree: u32,
        base: [usize; CHANNELS],
        rest: Vec<usize>,
    },
    Constant {
        columns: [usize; CHANNELS],
        /// The values of full brightness.
        ones: [f64; CHANNELS],
    },
    White,
}

pub(super) struct Shape {
    pub(super) opacity: usize,
    /// Two or three.
    pub(super) scales: Vec<usize>,
    pub(super) quaternion: [usize; 4],
    pub(super) filter: Option<usize>,
}

/// The properties of an element by name.
pub(super) struct Names<'a>(pub(super) &'a Element);

impl Names<'_> {
    /// Returns the index of a property.
    pub(super) fn find(&self, name: &str) -> Result<Option<usize>, FileError> {
        let properties = &self.0.properties;
        let named = |wanted: &str| properties.iter().position(|p| p.name == wanted);
        let Some(index) = named(name).or_else(|| named(&format!("scalar_{name}"))) else {
            return Ok(None);
        };
        match properties[index].kind {
            Kind::Number(_) => Ok(Some(index)),
            Kind::List { .. } => Err(FileError::content(self.place(index), "a number", "a list")),
        }
    }

    /// Returns the indices of properties that must be present.
    pub(super) fn all<const N: usize>(&self, names: [&str; N]) -> Result<[usize; N], FileError> {
        let mut indices = [0; N];
        for (index, name) in indices.iter_mut().zip(names) {
            *index = self.find(name)?.ok_or_else(|| self.missing(name))?;
        }
        Ok(indices)
    }

    fn missing(&self, name: &str) -> FileError {
        let place = format!("element {}", self.0.name);
        FileError::content(place, format!("a property {name}"), "none")
    }

    pub(super) fn place(&self, index: usize) -> String {
        let Element {
            name, properties, ..
        } = self.0;
        format!("element {name}, property {}", properties[index].name)
    }

    pub(super) fn number(&self, index: usize) -> NumberType {
        match self.0.properties[index].kind {
            Kind::Number(number) | Kind::List { item: number, .. } => number,
        }
    }

    /// Returns the indices of `f_rest_0` and so on.
    pub(super) fn rest(&self) -> Result<Vec<usize>, FileError> {
        let is_rest = |name: &str| {
            let name = name.strip_prefix("scalar_").unwrap_or(name);
            name.starts_with("f_rest_")
        };
        let properties = &self.0.properties;
        let count = properties.iter().filter(|p| is_rest(&p.name)).count();
        if !REST.contains(&count) {
            let place = format!("element {}, properties f_rest_*", self.0.name);
            let expected = "0, 9, 24, 45 or 72 of them";
            return Err(FileError::content(place, expected, count));
        }
        let index = |i: usize| {
            let name = format!("f_rest_{i}");
            self.find(&name)?.ok_or_else(|| self.missing(&name))
        };
        (0..count).map(index).collect()
    }

    /// Returns the index of the first property whose name, without the prefix, begins with `stem`.
    fn begins(&self, stem: &str) -> Option<usize> {
        self.0.properties.iter().position(|property| {
            let name = property.name.strip_prefix("scalar_");
            name.unwrap_or(&property.name).starts_with(stem)
        })
    }

    /// Refuses a property whose meaning is not known.
    fn refuse(&self, name: &str, expected: &str) -> Result<(), FileError> {
        match self.find(name)? {
            Some(_) => {
                let place = format!("element {}", self.0.name);
                Err(FileError::content(place, expected, name))
            }
            None => Ok(()),
        }
    }

    fn appearance(&self) -> Result<Appearance, FileError> {
        if self.begins("f_dc_").is_some() || self.begins("f_rest_").is_some() {
            let base = self.all(["f_dc_0", "f_dc_1", "f_dc_2"])?;
            self.refuse("f_dc_3", "three channels f_dc_0 to f_dc_2")?;
            let rest = self.rest()?;
            let degree = REST.iter().position(|&count| count == rest.len());
            return Ok(Appearance::Harmonics {
                degree: degree.unwrap_or_default() as u32,
                base,
                rest,
            });
        }
        for names in COLOURS {
            let mut any = false;
            for name in names {
                any |= self.find(name)?.is_some();
            }
            if any {
                let columns = self.all(names)?;
                let mut ones = [1.0; CHANNELS];
                for (one, &column) in ones.iter_mut().zip(&columns) {
                    *one = brightest(&self.place(column), self.number(column))?;
                }
                return Ok(Appearance::Constant { columns, ones });
            }
        }
        Ok(Appearance::White)
    }

    fn shape(&self, appearance: &Appearance) -> Result<Option<Shape>, FileError> {
        let harmonic = matches!(appearance, Appearance::Harmonics { .. });
        // `opacity` and `filter_3D` are no properties of points either.
        let signs = ["scale_", "rot_", "opacity", "filter_3D"];
        if !harmonic && !signs.iter().any(|stem| self.begins(stem).is_some()) {
            return Ok(None);
        }
        if matches!(appearance, Appearance::White) {
            return Err(self.missing("f_dc_0"));
        }
        let mut scales = self.all(["scale_0", "scale_1"])?.to_vec();
        scales.extend(self.find("scale_2")?);
        self.refuse("scale_3", "two or three scales")?;
        self.refuse("rot_4", "four components of a quaternion")?;
        if scales.len() == 2 {
            self.refuse("filter_3D", "three scales with a filter")?;
        }
        Ok(Some(Shape {
            opacity: self.all(["opacity"])?[0],
            scales,
            quaternion: self.all(["rot_0", "rot_1", "rot_2", "rot_3"])?,
            filter: self.find("filter_3D")?,
        }))
    }
}

impl Layout {
    pub(super) fn of(element: &Element) -> Result<Self, FileError> {
        let names = Names(element);
        let means = names.all(["x", "y", "z"])?;
        let wide = |&column: &usize| {
            use NumberType::{F64, I32, I64, U32, U64};
            matches!(names.number(column), F64 | I32 | I64 | U32 | U64)
        };
        let appearance = names.appearance()?;
        Ok(Self {
            means,
            narrow: !means.iter().any(wide),
            shape: names.shape(&appearance)?,
            appearance,
        })
    }

    /// Returns all columns in the order in which `Output::push` takes them.
    pub(super) fn columns(&self) -> Vec<usize> {
        let mut columns = self.means.to_vec();
        match &self.appearance {
            Appearance::Harmonics { base, rest, .. } => {
                columns.extend(base);
                columns.extend(rest);
            }
            Appearance::Constant { columns: rgb, .. } => columns.extend(rgb),
            Appearance::White => {}
        }
        if let Some(shape) = &self.shape {
            columns.push(shape.opacity);
            columns.extend(&shape.scales);
            columns.extend(shape.quaternion);
            columns.extend(shape.filter);
        }
        columns
    }
}
