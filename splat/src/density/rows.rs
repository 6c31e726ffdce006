//! The rows of one Gaussian, in either encoding.

use crate::error::RenderError;
use crate::formulas::double::quat;
use crate::gaussians::Gaussians;
use crate::math::{Mat3, Quaternion, Vec3, exp};
use crate::number::Number;

/// Checks Gaussians whose list is to change.
pub(super) fn check<T: Number>(gaussians: &Gaussians<Vec<T>>) -> Result<(), RenderError> {
    gaussians.validate(Vec::len)?;
    gaussians.encoding.check_by_gaussian()?;
    check_count(gaussians.count as u64)
}

/// Checks that 32 bits can index `count` Gaussians.
pub(super) fn check_count(count: u64) -> Result<(), RenderError> {
    if u32::try_from(count).is_ok() {
        return Ok(());
    }
    Err(RenderError::Capacity {
        what: "indices of Gaussians",
        needed: count.to_string(),
        limit: u32::MAX.to_string(),
    })
}

/// Returns whether Gaussian `i` is valid, as the module states.
pub(super) fn is_valid<T: Number>(gaussians: &Gaussians<Vec<T>>, i: usize) -> bool {
    let finite = |rows: &[T]| {
        let width = rows.len() / gaussians.count;
        rows[i * width..][..width].iter().all(|x| x.finite())
    };
    let buffers = gaussians.buffers();
    let Quaternion { w, x, y, z } = quaternion(gaussians, i);
    let square = T::from_f64(w * w + x * x + y * y + z * z);
    let scale = scales(gaussians, i);
    let scaled = [scale.x, scale.y, scale.z].map(T::from_f64);
    buffers.into_iter().all(|(_, rows)| finite(rows))
        && scaled.into_iter().all(T::finite)
        && square > T::ZERO
        && square.finite()
}

/// Returns the opacity of Gaussian `i`.
pub(super) fn opacity<T: Number>(gaussians: &Gaussians<Vec<T>>, i: usize) -> f64 {
    let stored = gaussians.opacities[i].to_f64();
    if gaussians.encoding.raw {
        exp::sigmoid(stored)
    } else {
        stored
    }
}

/// Returns the number that stores an opacity in an encoding.
pub(super) fn stored_opacity<T: Number>(gaussians: &Gaussians<Vec<T>>, opacity: f64) -> T {
    T::from_f64(if gaussians.encoding.raw {
        exp::logit(opacity)
    } else {
        opacity
    })
}

/// Returns the magnitudes of the scales of Gaussian `i`, world units.
pub(super) fn scales<T: Number>(gaussians: &Gaussians<Vec<T>>, i: usize) -> Vec3<f64> {
    let of = |axis: usize| {
        let stored = gaussians.scales[3 * i + axis].to_f64();
        if gaussians.encoding.raw {
            exp::exponential(stored)
        } else {
            stored.abs()
        }
    };
    Vec3 {
        x: of(0),
        y: of(1),
        z: of(2),
    }
}

/// Returns the largest scale of Gaussian `i`, world units.
pub(super) fn largest_scale<T: Number>(gaussians: &Gaussians<Vec<T>>, i: usize) -> f64 {
    let Vec3 { x, y, z } = scales(gaussians, i);
    x.max(y).max(z)
}

/// Multiplies the scales of Gaussian `i` by a positive factor.
pub(super) fn multiply_scales<T: Number>(gaussians: &mut Gaussians<Vec<T>>, i: usize, factor: f64) {
    let raw = gaussians.encoding.raw;
    for scale in &mut gaussians.scales[3 * i..3 * i + 3] {
        let stored = scale.to_f64();
        *scale = T::from_f64(if raw {
            stored + exp::ln_f64(factor)
        } else {
            stored * factor
        });
    }
}

/// Returns the rotation of the valid Gaussian `i` (MATH eq. 1, 2).
pub(super) fn rotation<T: Number>(gaussians: &Gaussians<Vec<T>>, i: usize) -> Mat3<f64> {
    quat::rotation(quat::normalise(quaternion(gaussians, i)))
}

/// Adds a vector to the mean of Gaussian `i`. A mean that would not be finite keeps its value.
pub(super) fn shift<T: Number>(gaussians: &mut Gaussians<Vec<T>>, i: usize, by: Vec3<f64>) {
    let mean = &mut gaussians.means[3 * i..3 * i + 3];
    let by = [by.x, by.y, by.z];
    let moved = [0, 1, 2].map(|axis| T::from_f64(mean[axis].to_f64() + by[axis]));
    if moved.into_iter().all(T::finite) {
        mean.copy_from_slice(&moved);
    }
}

fn quaternion<T: Number>(gaussians: &Gaussians<Vec<T>>, i: usize) -> Quaternion<f64> {
    let of = |k: usize| gaussians.quaternions[4 * i + k].to_f64();
    Quaternion {
        w: of(0),
        x: of(1),
        y: of(2),
        z: of(3),
    }
}
