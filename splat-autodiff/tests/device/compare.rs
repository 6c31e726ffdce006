//! The comparison of a device with the CPU.

use libtest_mimic::Failed;

/// Greatest difference between device and CPU, relative to the largest element of a tensor. The
/// device rounds `f32` in another order and uses another exponential.
pub(crate) const TOLERANCE: f32 = 1e-4;

/// Compares the named buffers of a device with those of the CPU.
pub(crate) fn all_close(
    cpu: Vec<(&'static str, Vec<f32>)>,
    device: Vec<(&'static str, Vec<f32>)>,
) -> Result<(), Failed> {
    for ((name, expected), (_, got)) in cpu.into_iter().zip(device) {
        let scale = expected.iter().fold(0.0f32, |most, x| most.max(x.abs()));
        if scale == 0.0 || expected.len() != got.len() {
            return Err(format!("{name}: nothing to compare").into());
        }
        for (i, (a, b)) in got.iter().zip(&expected).enumerate() {
            // The comparison is false for NaN.
            let close = (a - b).abs() <= TOLERANCE * scale;
            if !close {
                return Err(format!("{name}[{i}]: device {a}, CPU {b}, scale {scale}").into());
            }
        }
    }
    Ok(())
}
