//! The tests that judge a mutant.

/// The tests that must catch a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judge {
    /// `check_backend` on the CPU, and the tests of statistics and ellipses, its references.
    Cpu,
    /// The tests of the activations, which are no part of a backend.
    Activations,
    /// The tests of the loss of photographs.
    Loss,
    /// The tests of the density control.
    Density,
    /// `splat::check::check_backend` and the other trials of the test `backends` that run on a
    /// device.
    Gpu,
}

impl Judge {
    pub(super) const ALL: [Self; 5] = [
        Self::Cpu,
        Self::Activations,
        Self::Loss,
        Self::Density,
        Self::Gpu,
    ];

    /// Returns the package of the tests.
    pub(super) fn package(self) -> &'static str {
        match self {
            Self::Gpu => "splat-device-tests",
            _ => "splat",
        }
    }

    /// Returns the arguments of `cargo test`.
    pub(super) fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Cpu => &[
                "--test=check_backend",
                "--test=statistics",
                "--test=ellipses",
            ],
            Self::Activations => &["--test", "stages"],
            Self::Loss => &["--test", "loss"],
            Self::Density => &["--test", "density"],
            Self::Gpu => &["--features", "wgpu", "--test", "backends", "--", "wgpu_"],
        }
    }

    /// Returns the tests in words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Cpu => "checks of the CPU backend",
            Self::Activations => "tests of the activations",
            Self::Loss => "tests of the loss",
            Self::Density => "tests of the density control",
            Self::Gpu => "trials on a device for wgpu",
        }
    }
}
