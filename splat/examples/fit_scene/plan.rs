//! The settings of a run, and the schedule that follows from them.

use std::fmt::{self, Display};

use clap::ValueEnum;

/// Step sizes at the start and the end (3DGS, Kerbl et al. 2023), relative to the extent of the
/// cameras. They decrease exponentially.
const MEANS_STEP: [f64; 2] = [1.6e-4, 1.6e-6];
/// Step size of the logarithms of the scales (3DGS).
const SCALES_STEP: f64 = 5e-3;
/// Step size of the quaternions (3DGS).
const QUATERNIONS_STEP: f64 = 1e-3;
/// Step size of the logits of the opacities (3DGS).
const OPACITIES_STEP: f64 = 5e-2;
/// Step size of the harmonics of degree 0 (3DGS).
const COLOURS_STEP: f64 = 2.5e-3;
/// Step size of the other harmonics (3DGS).
const HARMONICS_STEP: f64 = COLOURS_STEP / 20.0;
/// Weight of the structural similarity in the loss (3DGS).
pub(crate) const SSIM_WEIGHT: f64 = 0.2;
/// Part of the iterations after which the harmonics have one degree more (3DGS: 1000 of 30,000).
const DEGREE_EVERY: f64 = 1.0 / 30.0;
/// Iterations between two changes of the number of Gaussians (3DGS).
const REVISE_EVERY: usize = 100;
/// The least number of such intervals in a short run.
const LEAST_INTERVALS: usize = 30;
/// Part of the iterations before the first change (3DGS: 500 of 30,000).
const REVISE_FROM: f64 = 1.0 / 60.0;
/// Part of the iterations after which an adaptive run changes nothing more (3DGS).
const ADAPTED_BY: f64 = 0.5;
/// The same for a run of MCMC (Kheradmand et al. 2024: 25,000 of 30,000).
const SAMPLED_BY: f64 = 5.0 / 6.0;
/// Part of the iterations between two resets of the opacities of an adaptive run (3DGS: 3000 of
/// 30,000).
const RESET_EVERY: f64 = 0.1;
/// Part of the greatest number of Gaussians with which a run starts at most, if the start is random.
const FIRST_SHARE: f64 = 0.25;
/// The greatest number of Gaussians of a random start.
const MOST_AT_RANDOM: usize = 10_000;

/// How Gaussians are added and removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Strategy {
    /// Clones, splits and prunes by the gradients of the means (3DGS, Kerbl et al. 2023).
    Adaptive,
    /// Relocates transparent Gaussians to opaque ones, and adds noise (3DGS-MCMC, Kheradmand et al.
    /// 2024).
    Mcmc,
}

/// The settings of a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    pub(crate) iterations: usize,
    /// The greatest number of Gaussians.
    pub(crate) gaussians: usize,
    pub(crate) strategy: Strategy,
    /// Degree of the harmonics at the end.
    pub(crate) degree: u32,
    pub(crate) seed: u64,
}

/// Step sizes of the optimiser.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepSizes {
    /// World units.
    pub(crate) means: f64,
    pub(crate) scales: f64,
    pub(crate) quaternions: f64,
    pub(crate) opacities: f64,
    pub(crate) colours: f64,
    pub(crate) harmonics: f64,
}

/// A change of the number of Gaussians after an iteration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) strategy: Strategy,
    /// The greatest number of Gaussians.
    pub(crate) most: usize,
    /// Whether large Gaussians are pruned, as after the first reset of the opacities (3DGS).
    pub(crate) prunes_large: bool,
    /// Whether the opacities are reset.
    pub(crate) resets: bool,
}

impl Plan {
    /// The step sizes of an iteration. `extent` is that of the cameras, world units.
    pub(crate) fn step_sizes(&self, iteration: usize, extent: f64) -> StepSizes {
        let progress = iteration as f64 / self.iterations as f64;
        let [first, last] = MEANS_STEP.map(f64::ln);
        StepSizes {
            means: extent * (first + (last - first) * progress).exp(),
            scales: SCALES_STEP,
            quaternions: QUATERNIONS_STEP,
            opacities: OPACITIES_STEP,
            colours: COLOURS_STEP,
            harmonics: HARMONICS_STEP,
        }
    }

    /// The degree up to which the harmonics are trained in an iteration.
    pub(crate) fn degree_at(&self, iteration: usize) -> u32 {
        let risen = iteration as f64 / (DEGREE_EVERY * self.iterations as f64);
        self.degree.min(risen as u32)
    }

    /// The number of Gaussians at the start, if the start is random.
    pub(crate) fn first_gaussians(&self) -> usize {
        ((FIRST_SHARE * self.gaussians as f64) as usize).clamp(1, MOST_AT_RANDOM)
    }

    /// Whether the statistics of an iteration are needed.
    pub(crate) fn observes(&self, iteration: usize) -> bool {
        self.strategy == Strategy::Adaptive && iteration < self.last_change()
    }

    /// The change after `done` iterations.
    pub(crate) fn change_after(&self, done: usize) -> Option<Change> {
        let first = (REVISE_FROM * self.iterations as f64) as usize;
        let every = (self.iterations / LEAST_INTERVALS).clamp(1, REVISE_EVERY);
        if !done.is_multiple_of(every) || done <= first || done >= self.last_change() {
            return None;
        }
        let period = (RESET_EVERY * self.iterations as f64) as usize;
        let resets = period.div_ceil(every).max(1);
        let changes = done / every;
        Some(Change {
            strategy: self.strategy,
            most: self.gaussians,
            prunes_large: changes > resets,
            resets: self.strategy == Strategy::Adaptive && changes.is_multiple_of(resets),
        })
    }

    fn last_change(&self) -> usize {
        let part = match self.strategy {
            Strategy::Adaptive => ADAPTED_BY,
            Strategy::Mcmc => SAMPLED_BY,
        };
        (part * self.iterations as f64) as usize
    }
}

impl Display for Strategy {
    /// Writes the name that `--strategy` takes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Adaptive => "adaptive",
            Self::Mcmc => "mcmc",
        })
    }
}
