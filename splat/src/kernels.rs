//! The loops over lanes, compiled inside this crate for both scalars: a user's build profile does not slow them down.

use crate::composite::blend::Pixels as Tile;
use crate::composite::cpu::{Blend, Forward, Task};
use crate::composite::cpu_vjp::{Backward, Replay, TaskVjp};
use crate::composite::replay::Pixels as TileVjp;
use crate::gaussians::Gaussians;
use crate::math::Vec3;
use crate::project::cpu::{self as project, Project};
use crate::project::cpu_vjp::{GeometryVjp, PoseVjp, Run, VjpPass};
use crate::sh::cpu::{Features, FeaturesVjp};
use crate::simd::Simd;

/// What a scalar has loops for.
pub trait Kernels: Sized {
    /// Composites one strip; returns how many lanes it evaluated.
    #[doc(hidden)]
    fn composite_strip(
        simd: Simd,
        pass: &Forward<'_, Self>,
        pixels: &mut Tile<Self>,
        task: Task<'_, Self>,
    ) -> u64
    where
        Self: crate::Scalar;

    /// Fills the gradients of one strip's hits, and its share of that by the background.
    #[doc(hidden)]
    fn composite_strip_vjp(
        simd: Simd,
        pass: &Backward<'_, Self>,
        pixels: &mut TileVjp<Self>,
        task: TaskVjp<'_, Self>,
    ) where
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
            fn composite_strip(
                simd: Simd,
                pass: &Forward<'_, Self>,
                pixels: &mut Tile<Self>,
                task: Task<'_, Self>,
            ) -> u64 {
                simd.dispatch(Blend {
                    pass,
                    pixels,
                    task,
                })
            }

            fn composite_strip_vjp(
                simd: Simd,
                pass: &Backward<'_, Self>,
                pixels: &mut TileVjp<Self>,
                task: TaskVjp<'_, Self>,
            ) {
                simd.dispatch(Replay {
                    pass,
                    pixels,
                    task,
                });
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
