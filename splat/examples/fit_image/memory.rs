//! The memory that a fit takes, by constants that were fitted to peaks of the resident memory of runs
//! with 16 x 16 to 1024 x 1024 px and 1 to 300,000 Gaussians. The estimate was 3% too low to 15% too
//! high.

use std::fmt::{self, Display};

use crate::photo::Photo;

/// The program and the heap of a small fit, bytes.
const BASE: f64 = 6.5e6;
/// The photograph, the rendered picture, its gradient and the state of the compositor, bytes.
const PER_PIXEL: f64 = 65.0;
/// Parameters, moments of the optimiser, gradients, and hits of tiles, bytes.
const PER_GAUSSIAN: f64 = 550.0;

/// An estimate of the memory of a fit.
pub(crate) struct Estimate {
    width: usize,
    height: usize,
    gaussians: usize,
}

impl Estimate {
    pub(crate) fn of(photo: &Photo, gaussians: usize) -> Self {
        Self {
            width: photo.width,
            height: photo.height,
            gaussians,
        }
    }

    fn bytes(&self) -> f64 {
        let pixels = self.width as f64 * self.height as f64;
        BASE + PER_PIXEL * pixels + PER_GAUSSIAN * self.gaussians as f64
    }
}

impl Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = self.bytes() / f64::from(1 << 20);
        write!(
            f,
            "memory: about {mib:.0} MiB for {} x {} px and {} gaussians",
            self.width, self.height, self.gaussians
        )
    }
}
