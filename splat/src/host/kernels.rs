//! The loops over lanes, compiled inside this crate for both scalars: a user's build profile does not slow them down.

use crate::binning::cpu::{CheckRects, FindRects};
use crate::composite::cpu::backward::{Read, Replay};
use crate::composite::cpu::forward::{Blend, Write};
use crate::gaussians::Gaussians;
use crate::host::simd::Simd;
use crate::math::Vec3;
use crate::project::cpu::backward::{GeometryVjp, PoseVjp, Run, VjpPass};
use crate::project::cpu::forward::{self as project, Project};
use crate::sh::cpu::{Features, FeaturesVjp};

/// What a scalar has loops for.
pub trait Kernels: Sized {
    /// Finds the tiles of some splats; returns how many.
    #[doc(hidden)]
    fn find_rects(simd: Simd, job: FindRects<'_, '_, Self>) -> u64
    where
        Self: crate::Scalar;

    /// Looks for a splat that touches other tiles than said.
    #[doc(hidden)]
    fn check_rects(simd: Simd, job: CheckRects<'_, '_, Self>) -> Option<usize>
    where
        Self: crate::Scalar;

    /// Blends hits into the pixels of a tile.
    #[doc(hidden)]
    fn blend(simd: Simd, job: Blend<'_, '_, Self>)
    where
        Self: crate::Scalar;

    /// Writes the pixels of a tile.
    #[doc(hidden)]
    fn write(simd: Simd, job: Write<'_, '_, Self>)
    where
        Self: crate::Scalar;

    /// Reads the pixels of a tile for the way back; returns the greatest end of any.
    #[doc(hidden)]
    fn read(simd: Simd, job: Read<'_, '_, Self>) -> usize
    where
        Self: crate::Scalar;

    /// Fills in the gradients of a tile's hits.
    #[doc(hidden)]
    fn replay(simd: Simd, job: Replay<'_, '_, Self>)
    where
        Self: crate::Scalar;

    /// Projects one run of Gaussians.
    #[doc(hidden)]
    fn project_run(simd: Simd, pass: &project::Pass<'_, Self>, job: project::Job<'_, Self>)
    where
        Self: crate::Scalar;

    /// Adds one run's gradients to those of the Gaussians of `out` from `to` on.
    #[doc(hidden)]
    fn project_vjp_run(
        simd: Simd,
        pass: &VjpPass<'_, Self>,
        run: &Run,
        out: &mut Gaussians<&mut [Self]>,
        to: usize,
    ) where
        Self: crate::Scalar;

    /// The gradient of one run by the pose.
    #[doc(hidden)]
    fn pose_vjp_run(simd: Simd, pass: &VjpPass<'_, Self>, run: &Run) -> [Self; 12]
    where
        Self: crate::Scalar;

    /// Spherical harmonics of one run of Gaussians.
    #[doc(hidden)]
    fn harmonics_run(simd: Simd, job: Features<'_, Self>)
    where
        Self: crate::Scalar;

    /// Their gradients; returns the sum of those by the means.
    #[doc(hidden)]
    fn harmonics_vjp_run(simd: Simd, job: FeaturesVjp<'_, Self>) -> Vec3<Self>
    where
        Self: crate::Scalar;
}

macro_rules! kernels {
    ($($real:ident)*) => {$(
        impl Kernels for $real {
            fn find_rects(simd: Simd, job: FindRects<'_, '_, Self>) -> u64 {
                simd.dispatch(job)
            }

            fn check_rects(simd: Simd, job: CheckRects<'_, '_, Self>) -> Option<usize> {
                simd.dispatch(job)
            }

            fn blend(simd: Simd, job: Blend<'_, '_, Self>) {
                simd.dispatch(job);
            }

            fn write(simd: Simd, job: Write<'_, '_, Self>) {
                simd.dispatch(job);
            }

            fn read(simd: Simd, job: Read<'_, '_, Self>) -> usize {
                simd.dispatch(job)
            }

            fn replay(simd: Simd, job: Replay<'_, '_, Self>) {
                simd.dispatch(job);
            }

            fn project_run(simd: Simd, pass: &project::Pass<'_, Self>, job: project::Job<'_, Self>) {
                simd.dispatch(Project { pass, job });
            }

            fn project_vjp_run(
                simd: Simd,
                pass: &VjpPass<'_, Self>,
                run: &Run,
                out: &mut Gaussians<&mut [Self]>,
                to: usize,
            ) {
                simd.dispatch(GeometryVjp { pass, run, out, to });
            }

            fn pose_vjp_run(simd: Simd, pass: &VjpPass<'_, Self>, run: &Run) -> [Self; 12] {
                simd.dispatch(PoseVjp { pass, run })
            }

            fn harmonics_run(simd: Simd, job: Features<'_, Self>) {
                simd.dispatch(job);
            }

            fn harmonics_vjp_run(simd: Simd, job: FeaturesVjp<'_, Self>) -> Vec3<Self> {
                simd.dispatch(job)
            }
        }
    )*};
}

kernels!(f32 f64);
