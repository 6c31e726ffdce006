//! Cameras and images of a reconstruction, as both kinds of files have them.

use std::collections::BTreeMap;

use splat::formulas::MAX_SIDE_PX;

use super::super::posed::intrinsics::Intrinsics;

/// Names of COLMAP's camera models. The position is the number in binary files.
pub(super) const MODELS: [&str; 12] = [
    "SIMPLE_PINHOLE",
    "PINHOLE",
    "SIMPLE_RADIAL",
    "RADIAL",
    "OPENCV",
    "OPENCV_FISHEYE",
    "FULL_OPENCV",
    "FOV",
    "SIMPLE_RADIAL_FISHEYE",
    "RADIAL_FISHEYE",
    "THIN_PRISM_FISHEYE",
    "RAD_TAN_THIN_PRISM_FISHEYE",
];

/// Cameras by their number.
pub(super) type Cameras = BTreeMap<u32, Intrinsics>;

/// An image of the reconstruction.
pub(super) struct Image {
    /// Its place in the file.
    pub(super) place: String,
    /// The motion from world to camera: w, x, y, z.
    pub(super) quaternion: [f64; 4],
    pub(super) translation: [f64; 3],
    pub(super) camera: u32,
}

/// Returns the names of a model's parameters.
pub(super) fn parameters(model: &str) -> Result<&'static [&'static str], String> {
    match model {
        "SIMPLE_PINHOLE" => Ok(&["F", "CX", "CY"]),
        "PINHOLE" => Ok(&["FX", "FY", "CX", "CY"]),
        other => Err(format!(
            "MODEL: expected SIMPLE_PINHOLE or PINHOLE, got {other:?}"
        )),
    }
}

/// Makes intrinsics of the numbers of a camera, of which there are as many as the model has
/// [`parameters`].
pub(super) fn intrinsics(
    model: &str,
    size: [u64; 2],
    numbers: &[f64],
) -> Result<Intrinsics, String> {
    for (name, side) in ["WIDTH", "HEIGHT"].into_iter().zip(size) {
        if side == 0 || side > MAX_SIDE_PX as u64 {
            return Err(format!("{name}: expected 1 to {MAX_SIDE_PX}, got {side}"));
        }
    }
    for (name, number) in parameters(model)?.iter().zip(numbers) {
        let focal = name.starts_with('F');
        if !number.is_finite() || (focal && *number <= 0.0) {
            let above = if focal { " above 0" } else { "" };
            return Err(format!(
                "{name}: expected a finite number{above}, got {number}"
            ));
        }
    }
    let (focal, centre) = match *numbers {
        [f, cx, cy] => ([f, f], [cx, cy]),
        [fx, fy, cx, cy] => ([fx, fy], [cx, cy]),
        _ => {
            return Err(format!(
                "PARAMS: expected 3 or 4 numbers, got {}",
                numbers.len()
            ));
        }
    };
    Ok(Intrinsics {
        size: size.map(|side| side as usize),
        focal,
        centre,
    })
}
