//! Workload files: B independent sets of N Gaussians, seen by one pinhole camera.
//!
//! A workload file is a safetensors file with these `f32` tensors: means `[B, N, 3]`, scales
//! `[B, N, 3]`, quats `[B, N, 4]`, opacities `[B, N]`, features `[B, N, C]`, background `[C]`,
//! viewmat `[4, 4]` and intrinsics `[4]` (fx, fy, cx, cy). Its metadata holds the strings width,
//! height and name.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use splat::{Camera, Gaussians, Projection, RenderConfig, Views};

use crate::Workload;

/// Error of reading or writing a workload file.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("{}: cannot be written: {reason}", path.display())]
    Write {
        /// Path of the file.
        path: PathBuf,
        /// Description of the failure.
        reason: String,
    },
    /// The workload does not fit the file format, which has one pinhole camera, one background and
    /// equally many Gaussians in every view.
    #[error(
        "{name}: expected one pinhole camera, one background and equally many Gaussians in every view"
    )]
    Format {
        /// Name of the workload.
        name: String,
    },
    /// The file can be read, but does not hold a workload.
    #[error("{}: {reason}", path.display())]
    Content {
        /// Path of the file.
        path: PathBuf,
        /// Expected and actual content.
        reason: String,
    },
}

impl Workload {
    /// Reads a workload file. The values of the Gaussians are not checked: a render culls Gaussians
    /// with invalid values.
    ///
    /// # Errors
    /// - [`LoadError::Read`] if the file cannot be read.
    /// - [`LoadError::Content`] if the file is not a complete safetensors file, if a tensor is
    ///   missing or has another type or shape, if the width or the height is not a positive integer,
    ///   or if the number of Gaussians exceeds the range of an index.
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

impl Workload {
    /// Writes the workload as a file that [`Workload::load`] reads. If writing fails, an existing
    /// file at `path` stays as it is.
    ///
    /// # Errors
    /// - [`LoadError::Format`] if there is no view, if the views differ in camera, background or
    ///   number of Gaussians, or if the camera is not a pinhole camera.
    /// - [`LoadError::Write`] if the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), LoadError> {
        let format = || LoadError::Format {
            name: self.name.clone(),
        };
        let (views, g) = (&self.views, &self.gaussians);
        let camera = views.cameras.first().ok_or_else(format)?;
        let (batch, channels) = (views.len(), g.channels);
        let count = g.count / batch;
        let dense = views.ranges.iter().enumerate();
        let dense = dense
            .into_iter()
            .all(|(b, range)| *range == (b * count..(b + 1) * count));
        let alike = views.cameras.iter().all(|other| other == camera);
        let backgrounds = self.backgrounds.chunks(channels);
        let one = backgrounds
            .clone()
            .all(|b| b == &self.backgrounds[..channels]);
        if !(dense && alike && one && camera.projection == Projection::Pinhole) {
            return Err(format());
        }
        let mut pose: Vec<f32> = camera
            .camera_from_world
            .as_flattened()
            .iter()
            .map(|&x| x as f32)
            .collect();
        pose.extend([0.0, 0.0, 0.0, 1.0]);
        let intrinsics = [camera.fx, camera.fy, camera.cx, camera.cy].map(|x| x as f32);
        let bytes =
            |numbers: &[f32]| -> Vec<u8> { numbers.iter().flat_map(|x| x.to_le_bytes()).collect() };
        let tensors = [
            ("means", vec![batch, count, 3], bytes(&g.means)),
            ("scales", vec![batch, count, 3], bytes(&g.scales)),
            ("quats", vec![batch, count, 4], bytes(&g.quaternions)),
            ("opacities", vec![batch, count], bytes(&g.opacities)),
            ("features", vec![batch, count, channels], bytes(&g.features)),
            (
                "background",
                vec![channels],
                bytes(&self.backgrounds[..channels]),
            ),
            ("viewmat", vec![4, 4], bytes(&pose)),
            ("intrinsics", vec![4], bytes(&intrinsics)),
        ];
        let strings = HashMap::from([
            ("name".to_owned(), self.name.clone()),
            ("width".to_owned(), views.width.to_string()),
            ("height".to_owned(), views.height.to_string()),
        ]);
        let fail = |reason: String| LoadError::Write {
            path: path.to_owned(),
            reason,
        };
        let mut views = Vec::with_capacity(tensors.len());
        for (name, shape, bytes) in &tensors {
            let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
            views.push((*name, view.map_err(|error| fail(error.to_string()))?));
        }
        let file = safetensors::serialize(views, Some(strings));
        let file = file.map_err(|error| fail(error.to_string()))?;
        // The file gets its final name once it is complete.
        let part = path.with_extension("part");
        std::fs::write(&part, file)
            .and_then(|()| std::fs::rename(&part, path))
            .map_err(|error| fail(error.to_string()))
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
            encoding: splat::encoding::Encoding::PLAIN,
        },
        views: Views::dense(width, height, camera, batch, count)
            .map_err(|error| error.to_string())?,
        backgrounds: background.repeat(batch),
        config: RenderConfig::default(),
    })
}

/// Returns the elements and the shape of an `f32` tensor.
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

/// Returns the string `name` as a positive integer.
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
    use super::*;

    #[test]
    fn what_is_saved_is_loaded() {
        let mut workload = crate::gmae(2).draw().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("workload.safetensors");
        workload.save(&path).unwrap();
        let mut loaded = Workload::load(&path).unwrap();
        // The file stores the cameras as `f32`: they are not compared.
        assert_eq!(loaded.views.cameras.len(), 2);
        loaded.views.cameras = workload.views.cameras.clone();
        assert_eq!(loaded, workload);
        workload.views.cameras[1].fx *= 2.0;
        let error = workload.save(&path).unwrap_err();
        assert!(matches!(error, LoadError::Format { .. }));
    }

    /// Returns a file with two sets of one Gaussian. The last dimension of the tensor `spoilt` is
    /// too small by one.
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
