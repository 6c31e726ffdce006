//! The meaning of the properties of a vertex.

use super::body::Body;
use super::header::{Element, Kind};
use super::rows::rows;
use crate::activation::{opacities_from_logits, scales_from_logs};
use crate::io::cloud::{brightest, check_colours, rounded};
use crate::io::error::FileError;
use crate::io::numbers::NumberType;
use crate::io::scene::{CHANNELS, Colours, StoredScene};

/// Numbers of properties `f_rest_*` for the degrees 0 to 4.
const REST: [usize; 5] = [0, 9, 24, 45, 72];
/// The three names of a colour.
const COLOURS: [[&str; CHANNELS]; 3] = [
    ["red", "green", "blue"],
    ["diffuse_red", "diffuse_green", "diffuse_blue"],
    ["r", "g", "b"],
];

/// The properties that a scene is made of, as indices into those of the element.
struct Layout {
    means: [usize; 3],
    /// Whether `f32` holds every mean.
    narrow: bool,
    appearance: Appearance,
    /// `None`: the vertices are points.
    shape: Option<Shape>,
}

enum Appearance {
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

struct Shape {
    opacity: usize,
    /// Two or three.
    scales: Vec<usize>,
    quaternion: [usize; 4],
    filter: Option<usize>,
}

/// The properties of an element by name.
struct Names<'a>(&'a Element);

impl Names<'_> {
    /// Returns the index of a property.
    fn find(&self, name: &str) -> Result<Option<usize>, FileError> {
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
    fn all<const N: usize>(&self, names: [&str; N]) -> Result<[usize; N], FileError> {
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

    fn place(&self, index: usize) -> String {
        let Element {
            name, properties, ..
        } = self.0;
        format!("element {name}, property {}", properties[index].name)
    }

    fn number(&self, index: usize) -> NumberType {
        match self.0.properties[index].kind {
            Kind::Number(number) | Kind::List { item: number, .. } => number,
        }
    }

    /// Returns the indices of `f_rest_0` and so on.
    fn rest(&self) -> Result<Vec<usize>, FileError> {
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
    fn of(element: &Element) -> Result<Self, FileError> {
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

    /// Returns all columns in the order in which [`Collected::push`] takes them.
    fn columns(&self) -> Vec<usize> {
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

/// The rows that were read.
#[derive(Default)]
struct Collected {
    means: Vec<f32>,
    /// The means, where `f32` does not hold them.
    wide_means: Vec<f64>,
    /// Colours or coefficients.
    colours: Vec<f32>,
    logits: Vec<f32>,
    log_scales: Vec<f32>,
    quaternions: Vec<f32>,
    /// Standard deviations of the smoothing filter, if there is one.
    filters: Vec<f32>,
}

impl Collected {
    fn with_capacity(layout: &Layout, count: usize) -> Self {
        let colours = match &layout.appearance {
            Appearance::Harmonics { rest, .. } => CHANNELS + rest.len(),
            Appearance::Constant { .. } => CHANNELS,
            Appearance::White => 0,
        };
        let gaussians = if layout.shape.is_some() { count } else { 0 };
        let narrow = if layout.narrow { count } else { 0 };
        Self {
            means: Vec::with_capacity(3 * narrow),
            wide_means: Vec::with_capacity(3 * (count - narrow)),
            colours: Vec::with_capacity(colours * count),
            logits: Vec::with_capacity(gaussians),
            log_scales: Vec::with_capacity(3 * gaussians),
            quaternions: Vec::with_capacity(4 * gaussians),
            filters: Vec::new(),
        }
    }

    fn push(&mut self, layout: &Layout, row: &[f64]) {
        let narrow = |x: &f64| *x as f32;
        let (means, row) = row.split_at(3);
        if layout.narrow {
            self.means.extend(means.iter().map(narrow));
        } else {
            self.wide_means.extend(means);
        }
        let mut row = row;
        match &layout.appearance {
            Appearance::Harmonics { rest, .. } => {
                let (base, others) = row.split_at(CHANNELS);
                self.colours.extend(base.iter().map(narrow));
                // The file orders these values by channel, the renderer by coefficient.
                let beyond = rest.len() / CHANNELS;
                for k in 0..beyond {
                    let channel = |c: usize| others[c * beyond + k] as f32;
                    self.colours.extend((0..CHANNELS).map(channel));
                }
                row = &others[rest.len()..];
            }
            Appearance::Constant { ones, .. } => {
                let (rgb, others) = row.split_at(CHANNELS);
                let pairs = rgb.iter().zip(ones);
                self.colours.extend(pairs.map(|(x, one)| (x / one) as f32));
                row = others;
            }
            Appearance::White => {}
        }
        if let Some(shape) = &layout.shape {
            self.logits.push(row[0] as f32);
            let (scales, quaternion) = row[1..].split_at(shape.scales.len());
            self.log_scales.extend(scales.iter().map(narrow));
            // A surface has no thickness.
            let flat = 3 - shape.scales.len();
            self.log_scales
                .extend(std::iter::repeat_n(f32::NEG_INFINITY, flat));
            let (quaternion, filter) = quaternion.split_at(4);
            self.quaternions.extend(quaternion.iter().map(narrow));
            self.filters.extend(filter.iter().map(narrow));
        }
    }

    fn finish(self, layout: Layout) -> Result<StoredScene, FileError> {
        if let Appearance::Constant { .. } = layout.appearance {
            check_colours("vertex", &self.colours)?;
        }
        let (means, origin) = if layout.narrow {
            (self.means, [0.0; 3])
        } else {
            rounded(self.wide_means)
        };
        if layout.shape.is_none() {
            let white = matches!(layout.appearance, Appearance::White);
            let points = StoredScene::from_points(means, (!white).then_some(self.colours));
            let invalid = |error| FileError::content("vertex", "points with colours", error);
            let points = points.map_err(invalid)?;
            return Ok(StoredScene { origin, ..points });
        }
        let colours = match layout.appearance {
            Appearance::Harmonics { degree, .. } => Colours::Harmonics {
                degree,
                coefficients: self.colours,
            },
            _ => Colours::Constant(self.colours),
        };
        let mut scene = StoredScene {
            origin,
            scales: scales_from_logs(&self.log_scales),
            quaternions: self.quaternions,
            opacities: opacities_from_logits(&self.logits),
            colours,
            means,
        };
        smooth(&mut scene, &self.filters);
        Ok(scene)
    }
}

/// Convolves each Gaussian with the round filter of its standard deviation in `filters`, as
/// Mip-Splatting does (Yu et al. 2024, 3D smoothing filter). The integral of the opacity stays the
/// same.
fn smooth(scene: &mut StoredScene, filters: &[f32]) {
    let (scales, _) = scene.scales.as_chunks_mut::<3>();
    for ((scale, opacity), &filter) in scales.iter_mut().zip(&mut scene.opacities).zip(filters) {
        let before: f64 = scale.iter().map(|&s| f64::from(s)).product();
        *scale = scale.map(|s| s.hypot(filter));
        let after: f64 = scale.iter().map(|&s| f64::from(s)).product();
        if filter != 0.0 {
            *opacity = (f64::from(*opacity) * before / after) as f32;
        }
    }
}

/// Takes the rows of the element and makes a scene of them.
pub(super) fn scene(body: &mut Body, element: &Element) -> Result<StoredScene, FileError> {
    let layout = Layout::of(element)?;
    // `rows` refuses a greater count.
    let count = element.count.min(body.most_rows(element));
    let mut collected = Collected::with_capacity(&layout, count);
    rows(body, element, &layout.columns(), |row| {
        collected.push(&layout, row);
    })?;
    collected.finish(layout)
}
