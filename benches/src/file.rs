//! Workloads from files: safetensors with the `f32` tensors means `[B, N, 3]`, scales `[B, N, 3]`, quats `[B, N, 4]`, opacities
//! `[B, N]`, features `[B, N, C]`, background `[C]`, viewmat `[4, 4]`, intrinsics `[4]` (fx fy cx cy), and the strings width, height
//! and name. B independent sets of Gaussians under one pinhole camera.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors};
use splat::{Camera, Gaussians, RenderConfig, Views};

use crate::Workload;

/// Why there is no workload.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is read, but is not a workload.
    #[error("{}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What was expected and what came.
        reason: String,
    },
}

impl Workload {
    /// Reads a workload file. Its numbers are taken as they are: hostile ones are culled by the render.
    ///
    /// # Errors
    /// A file that cannot be read, or with a tensor that is missing or of another type or shape.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let bytes = std::fs::read(path).map_err(|source| LoadError::Read {
            path: path.to_owned(),
            source,
        })?;
        parse(&bytes).map_err(|reason| LoadError::Content {
            path: path.to_owned(),
            reason,
        })
    }
}

fn parse(bytes: &[u8]) -> Result<Workload, String> {
    let fail = |error| format!("not a complete safetensors file: {error}");
    let tensors = SafeTensors::deserialize(bytes).map_err(fail)?;
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(fail)?;
    let strings = header.metadata().clone().unwrap_or_default();
    let (_, shape) = tensor(&tensors, "features")?;
    let [batch, count, channels] = shape[..] else {
        return Err(format!(
            "features: expected the shape [B, N, C], got {shape:?}"
        ));
    };
    let numbers = |name, tail: &[usize]| shaped(&tensors, name, &[&[batch, count], tail].concat());
    let background = shaped(&tensors, "background", &[channels])?;
    let pose = shaped(&tensors, "viewmat", &[4, 4])?;
    let intrinsics = shaped(&tensors, "intrinsics", &[4])?;
    let [fx, fy, cx, cy] = [0, 1, 2, 3].map(|i| f64::from(intrinsics[i]));
    let row = |i: usize| std::array::from_fn(|j| f64::from(pose[4 * i + j]));
    let camera = Camera::pinhole(fx, fy, cx, cy).with_pose([row(0), row(1), row(2)]);
    let (width, height) = (side(&strings, "width")?, side(&strings, "height")?);
    Ok(Workload {
        name: strings
            .get("name")
            .map_or_else(|| "unnamed".to_owned(), Clone::clone),
        gaussians: Gaussians {
            means: numbers("means", &[3])?,
            scales: numbers("scales", &[3])?,
            quaternions: numbers("quats", &[4])?,
            opacities: numbers("opacities", &[])?,
            features: numbers("features", &[channels])?,
            count: batch * count,
            channels,
        },
        views: Views::dense(width, height, camera, batch, count)
            .map_err(|error| error.to_string())?,
        backgrounds: background.repeat(batch),
        config: RenderConfig::default(),
    })
}

/// The elements and the shape of a tensor of `f32`.
fn tensor(tensors: &SafeTensors<'_>, name: &str) -> Result<(Vec<f32>, Vec<usize>), String> {
    let view = tensors
        .tensor(name)
        .map_err(|_| format!("{name}: the tensor is missing"))?;
    if view.dtype() != Dtype::F32 {
        return Err(format!("{name}: expected type F32, got {:?}", view.dtype()));
    }
    let number = |bytes: &[u8]| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let numbers = view.data().chunks_exact(4).map(number).collect();
    Ok((numbers, view.shape().to_vec()))
}

fn shaped(tensors: &SafeTensors<'_>, name: &str, expected: &[usize]) -> Result<Vec<f32>, String> {
    let (numbers, shape) = tensor(tensors, name)?;
    if shape == expected {
        return Ok(numbers);
    }
    Err(format!(
        "{name}: expected the shape {expected:?}, got {shape:?}"
    ))
}

/// A positive integer among the strings.
fn side(strings: &HashMap<String, String>, name: &str) -> Result<usize, String> {
    let text = strings
        .get(name)
        .ok_or_else(|| format!("{name}: the string is missing"))?;
    match text.parse() {
        Ok(side) if side > 0 => Ok(side),
        _ => Err(format!("{name}: expected a positive integer, got {text:?}")),
    }
}

#[cfg(test)]
mod tests {
    use safetensors::tensor::TensorView;

    use super::*;

    /// Two sets of one Gaussian; the tensor `spoilt` lacks its last element.
    fn file(spoilt: &str, width: &str) -> Vec<u8> {
        let shapes: [(&str, &[usize]); 8] = [
            ("means", &[2, 1, 3]),
            ("scales", &[2, 1, 3]),
            ("quats", &[2, 1, 4]),
            ("opacities", &[2, 1]),
            ("features", &[2, 1, 3]),
            ("background", &[3]),
            ("viewmat", &[4, 4]),
            ("intrinsics", &[4]),
        ];
        let tensors: Vec<(&str, Vec<usize>, Vec<u8>)> = shapes
            .into_iter()
            .map(|(name, shape)| {
                let mut shape = shape.to_vec();
                if name == spoilt {
                    *shape.last_mut().unwrap() -= 1;
                }
                let count: usize = shape.iter().product();
                let bytes = (0..count).flat_map(|i| (i as f32).to_le_bytes()).collect();
                (name, shape, bytes)
            })
            .collect();
        let views = tensors.iter().map(|(name, shape, bytes)| {
            let view = TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap();
            (*name, view)
        });
        let strings = [("width", width), ("height", "20"), ("name", "tiny")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()));
        safetensors::serialize(views, Some(HashMap::from(strings))).unwrap()
    }

    fn load(bytes: &[u8]) -> Result<Workload, LoadError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("workload.safetensors");
        std::fs::write(&path, bytes).unwrap();
        Workload::load(&path)
    }

    fn reason(bytes: &[u8]) -> String {
        match load(bytes) {
            Err(LoadError::Content { reason, .. }) => reason,
            other => panic!("expected a file that is refused, got {other:?}"),
        }
    }

    #[test]
    fn a_file_becomes_a_workload() {
        let workload = load(&file("", "30")).unwrap();
        assert_eq!(workload.name, "tiny");
        assert_eq!(workload.views.ranges, [0..1, 1..2]);
        assert_eq!((workload.views.width, workload.views.height), (30, 20));
        assert_eq!(workload.backgrounds, [0.0, 1.0, 2.0, 0.0, 1.0, 2.0]);
        assert_eq!(workload.gaussians.means, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert!(workload.gaussians.validate(Vec::len).is_ok());
        let camera = workload.views.cameras[0];
        assert_eq!(camera.camera_from_world[1], [4.0, 5.0, 6.0, 7.0]);
        assert_eq!([camera.fx, camera.cy], [0.0, 3.0]);
    }

    #[test]
    fn a_bad_file_is_an_error_that_names_what_is_wrong() {
        let good = file("", "30");
        assert!(reason(&good[..good.len() - 1]).contains("not a complete safetensors file"));
        assert!(reason(b"").contains("not a complete safetensors file"));
        for name in ["means", "scales", "quats", "opacities", "background"] {
            assert!(reason(&file(name, "30")).starts_with(name), "{name}");
        }
        for width in ["0", "-3", "wide"] {
            assert!(reason(&file("", width)).starts_with("width"), "{width}");
        }
        let absent = Workload::load(Path::new("no/such/file"));
        assert!(matches!(absent, Err(LoadError::Read { .. })));
    }
}
