//! The stages of the CPU backend, compiled inside this crate for both scalars.
//!
//! A generic function is compiled in the crate that instantiates it. Without this table, every
//! calling crate would compile the stages again, at its own optimisation level.

use crate::binning::grid::{Hits, TileSize};
use crate::camera::Camera;
use crate::composite::cpu::composited::Composited;
use crate::config::RenderConfig;
use crate::ellipse::Ellipses;
use crate::error::RenderError;
use crate::gaussians::Gaussians;
use crate::gradients::{ProjectGradients, Wanted};
use crate::harmonics::{Harmonics, HarmonicsGradient};
use crate::host::simd::Simd;
use crate::host::workspace::{Resources, Workspace};
use crate::image::Image;
use crate::scalar::Scalar;
use crate::sort::cpu::lists::SortedHits;
use crate::splats::Splats;
use crate::statistics::{SplatStatistics, Statistics};
use crate::views::Views;
use crate::{binning, composite, harmonics, project, sort};

/// Declares [`CpuScalar`] and implements it for both scalars.
macro_rules! stages {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),* $(,)?) -> $out:ty = $path:path;)*) => {
        /// `f32` or `f64`, the precision of [`Cpu`](crate::Cpu). Sealed.
        pub trait CpuScalar: Scalar {
            $($(#[$doc])*
            ///
            /// # Errors
            /// The errors of the method of [`Backend`](crate::Backend).
            #[doc(hidden)]
            fn $name($($arg: $type),*) -> Result<$out, RenderError>;)*
        }

        stages!(@implement f32, [$(fn $name($($arg: $type),*) -> $out = $path;)*]);
        stages!(@implement f64, [$(fn $name($($arg: $type),*) -> $out = $path;)*]);
    };
    (@implement $real:ident, [$(fn $name:ident($($arg:ident: $type:ty),*) -> $out:ty = $path:path;)*]) => {
        impl CpuScalar for $real {
            $(fn $name($($arg: $type),*) -> Result<$out, RenderError> {
                $path($($arg),*)
            })*
        }
    };
}

stages! {
    /// Calls `project::cpu::forward::project`.
    fn stage_project(
        gaussians: &Gaussians<&[Self]>,
        views: &Views,
        config: &RenderConfig,
        resources: Resources<'_, Self>,
    ) -> Splats<Vec<Self>> = project::cpu::forward::project;
    /// Calls `project::cpu::backward::project_vjp`.
    fn stage_project_vjp(
        gaussians: &Gaussians<&[Self]>,
        views: &Views,
        config: &RenderConfig,
        splats: &Splats<&[Self]>,
        v_splats: &Splats<&[Self]>,
        wanted: Wanted,
        resources: Resources<'_, Self>,
    ) -> ProjectGradients<Vec<Self>> = project::cpu::backward::project_vjp;
    /// Calls `binning::cpu::bin`.
    fn stage_bin(
        splats: &Splats<&[Self]>,
        width: usize,
        height: usize,
        tile: TileSize,
        resources: Resources<'_, Self>,
    ) -> Hits = binning::cpu::bin;
    /// Calls `sort::cpu::sort`.
    fn stage_sort(
        splats: &Splats<&[Self]>,
        hits: Hits,
        resources: Resources<'_, Self>,
    ) -> SortedHits = sort::cpu::sort;
    /// Calls `composite::cpu::forward::composite`.
    fn stage_composite(
        splats: &Splats<&[Self]>,
        sorted: &SortedHits,
        backgrounds: &[Self],
        config: &RenderConfig,
        resources: Resources<'_, Self>,
    ) -> (Image<Vec<Self>>, Composited<Self>) = composite::cpu::forward::composite;
    /// Calls `composite::cpu::forward::composite_into`.
    fn stage_composite_into(
        splats: &Splats<&[Self]>,
        sorted: &SortedHits,
        backgrounds: &[Self],
        config: &RenderConfig,
        resources: Resources<'_, Self>,
        image: Image<&mut [Self]>,
    ) -> Composited<Self> = composite::cpu::forward::composite_into;
    /// Calls `composite::cpu::backward::composite_vjp`.
    fn stage_composite_vjp(
        splats: &Splats<&[Self]>,
        sorted: &SortedHits,
        backgrounds: &[Self],
        composited: &Composited<Self>,
        v_image: &Image<&[Self]>,
        wanted: Wanted,
        resources: Resources<'_, Self>,
    ) -> (Splats<Vec<Self>>, Vec<Self>) = composite::cpu::backward::composite_vjp;
    /// Calls `composite::cpu::weigh::splat_statistics`.
    fn stage_splat_statistics(
        splats: &Splats<&[Self]>,
        sorted: &SortedHits,
        backgrounds: &[Self],
        composited: &Composited<Self>,
        v_image: &Image<&[Self]>,
        resources: Resources<'_, Self>,
    ) -> SplatStatistics<Vec<Self>> = composite::cpu::weigh::splat_statistics;
    /// Calls `project::cpu::statistics::gaussian_statistics`.
    fn stage_gaussian_statistics(
        count: usize,
        views: &Views,
        splats: &Splats<&[Self]>,
        v_means: &[Self],
        of_splats: SplatStatistics<Vec<Self>>,
        workspace: &Workspace<Self>,
    ) -> Statistics<Vec<Self>> = project::cpu::statistics::gaussian_statistics;
    /// Calls `project::cpu::complete::complete`.
    fn stage_complete(
        splats: Splats<Vec<Self>>,
        width: usize,
        height: usize,
        config: &RenderConfig,
    ) -> Splats<Vec<Self>> = project::cpu::complete::complete;
    /// Calls `project::cpu::complete::ellipses`.
    fn stage_ellipses(
        ellipses: &Ellipses<'_, &[Self]>,
        size: [usize; 2],
        config: &RenderConfig,
        resources: Resources<'_, Self>,
    ) -> Splats<Vec<Self>> = project::cpu::complete::ellipses;
    /// Calls `project::cpu::complete::ellipses_vjp`.
    fn stage_ellipses_vjp(
        splats: &Splats<&[Self]>,
        v_conics: &[Self],
        resources: Resources<'_, Self>,
    ) -> Vec<Self> = project::cpu::complete::ellipses_vjp;
    /// Calls `harmonics::cpu::features`.
    fn stage_harmonics(
        harmonics: Harmonics<'_, Self>,
        camera: &Camera,
        simd: Simd,
    ) -> Vec<Self> = harmonics::cpu::features;
    /// Calls `harmonics::cpu::features_vjp`.
    fn stage_harmonics_vjp(
        harmonics: Harmonics<'_, Self>,
        camera: &Camera,
        v_features: &[Self],
        simd: Simd,
    ) -> HarmonicsGradient<Self> = harmonics::cpu::features_vjp;
}
