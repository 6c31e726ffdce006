//! The outputs and gradients that a file must contain, and their tolerances.

use crate::dims::{Dims, STORED_HARMONICS};
use crate::precision::Precision;
use crate::tensors::Tensors;
use crate::tolerance::Tolerances;

/// The greatest differences of a tensor that pass, in one precision.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    /// Limit of the difference of any entry: absolute for outputs, relative to the largest entry
    /// for gradients.
    pub(crate) whole: f64,
    /// Limit of the difference of one Gaussian's row, relative to that row. `None` if rows are not
    /// compared.
    pub(crate) row: Option<f64>,
}

/// A tensor that the renderer must reproduce.
pub(crate) struct Expected {
    /// The name of the tensor in the file.
    pub(crate) name: String,
    /// The reference values.
    pub(crate) values: Vec<f64>,
    /// Whether the tensor is a gradient.
    pub(crate) gradient: bool,
    /// The number of Gaussians if the tensor has one row per Gaussian, otherwise zero.
    pub(crate) rows: usize,
    /// The limits in `f32` and in `f64`.
    pub(crate) limits: [Limit; 2],
}

/// Collects the expected tensors.
struct Reader<'a> {
    tensors: &'a Tensors<'a>,
    tolerances: [Tolerances; 2],
    out: Vec<Expected>,
}

/// Reads every tensor that the renderer must reproduce. `degree` is the degree of the harmonics, or
/// `None` for a file with features.
pub(crate) fn all(
    tensors: &Tensors<'_>,
    dims: Dims,
    degree: Option<u32>,
    forward_only: bool,
) -> Result<Vec<Expected>, String> {
    let mut reader = Reader {
        tensors,
        tolerances: [
            Tolerances::parse(tensors, Precision::Single)?,
            Tolerances::parse(tensors, Precision::Double)?,
        ],
        out: Vec::new(),
    };
    reader.outputs(dims, degree.is_some())?;
    if !forward_only {
        for prefix in ["grad", "grad_image_only"] {
            reader.gradients(prefix, dims, degree.is_some())?;
        }
        if degree.is_some() {
            reader.harmonic_variants(dims)?;
        }
    }
    Ok(reader.out)
}

impl Reader<'_> {
    fn outputs(&mut self, dims: Dims, harmonics: bool) -> Result<(), String> {
        let plane = [dims.images, dims.height, dims.width];
        let image = [plane[0], plane[1], plane[2], dims.channels];
        self.output("out_image", &image, &["image"])?;
        self.output("out_alpha", &plane, &["alpha"])?;
        self.output("out_depth", &plane, &["depth"])?;
        if harmonics {
            // The image is a weighted sum of colours, so the tolerance of the image applies to
            // colours without a stated tolerance.
            let colours = [dims.images, dims.gaussians, dims.channels];
            self.output("out_colours", &colours, &["colours", "image"])?;
        }
        Ok(())
    }

    fn gradients(&mut self, prefix: &str, dims: Dims, harmonics: bool) -> Result<(), String> {
        let (s, n, c) = (dims.scenes, dims.gaussians, dims.channels);
        self.gradient(prefix, "means", &[s, n, 3])?;
        self.gradient(prefix, "scales", &[s, n, 3])?;
        self.gradient(prefix, "quats", &[s, n, 4])?;
        self.gradient(prefix, "opacities", &[s, n])?;
        if harmonics {
            self.gradient(prefix, "sh_coeffs", &[s, n, STORED_HARMONICS, c])?;
        } else {
            self.gradient(prefix, "features", &[s, n, c])?;
        }
        self.gradient(prefix, "background", &[dims.images, c])?;
        self.gradient(prefix, "viewmat", &[dims.images, 4, 4])
    }

    fn harmonic_variants(&mut self, dims: Dims) -> Result<(), String> {
        let poses = [dims.images, 4, 4];
        self.gradient(
            "grad_detached_dirs",
            "means",
            &[dims.scenes, dims.gaussians, 3],
        )?;
        self.gradient("grad_detached_dirs", "viewmat", &poses)?;
        self.gradient("grad_general_inverse", "viewmat", &poses)
    }

    fn output(&mut self, name: &str, shape: &[usize], keys: &[&str]) -> Result<(), String> {
        let [single, double] = &self.tolerances;
        let limit = |of: &Tolerances| of.first(keys).map(|whole| Limit { whole, row: None });
        let limits = [limit(single)?, limit(double)?];
        let values = self.tensors.numbers(name, shape)?;
        self.out.push(Expected {
            name: name.to_owned(),
            values,
            gradient: false,
            rows: 0,
            limits,
        });
        Ok(())
    }

    /// Reads one gradient. Files state tolerances of rows only for the gradients `grad.*`.
    fn gradient(&mut self, prefix: &str, of: &str, shape: &[usize]) -> Result<(), String> {
        let per_gaussian = !matches!(of, "background" | "viewmat");
        let judged = prefix == "grad" && per_gaussian;
        let [single, double] = &self.tolerances;
        let limit = |tolerances: &Tolerances| {
            Ok::<Limit, String>(Limit {
                whole: tolerances.of("grad", of)?,
                row: judged.then(|| tolerances.of("row", of)).transpose()?,
            })
        };
        let limits = [limit(single)?, limit(double)?];
        let name = format!("{prefix}.{of}");
        let values = self.tensors.numbers(&name, shape)?;
        let rows = if per_gaussian { shape[0] * shape[1] } else { 0 };
        self.out.push(Expected {
            name,
            values,
            gradient: true,
            rows,
            limits,
        });
        Ok(())
    }
}
