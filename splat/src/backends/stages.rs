//! The stages of the CPU backend, compiled inside this crate for both scalars: a crate that renders compiles none of it again.

use crate::backend::{ProjectGradients, Wanted};
use crate::binning::cpu::{Hits, TileSize};
use crate::camera::Views;
use crate::composite::Image;
use crate::composite::cpu::forward::Composited;
use crate::config::RenderConfig;
use crate::error::RenderError;
use crate::gaussians::Gaussians;
use crate::host::workspace::Resources;
use crate::project::Splats;
use crate::scalar::Scalar;
use crate::sort::cpu::SortedHits;
use crate::{binning, composite, project, sort};

/// Declares [`Stages`] and implements it for both scalars.
macro_rules! stages {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),* $(,)?) -> $out:ty = $path:path;)*) => {
        /// What a scalar has stages for.
        pub trait Stages: Sized {
            $($(#[$doc])*
            ///
            /// # Errors
            /// Those of [`Backend`](crate::Backend).
            #[doc(hidden)]
            fn $name($($arg: $type),*) -> Result<$out, RenderError>
            where
                Self: Scalar;)*
        }

        stages!(@implement f32, [$(fn $name($($arg: $type),*) -> $out = $path;)*]);
        stages!(@implement f64, [$(fn $name($($arg: $type),*) -> $out = $path;)*]);
    };
    (@implement $real:ident, [$(fn $name:ident($($arg:ident: $type:ty),*) -> $out:ty = $path:path;)*]) => {
        impl Stages for $real {
            $(fn $name($($arg: $type),*) -> Result<$out, RenderError> {
                $path($($arg),*)
            })*
        }
    };
}

stages! {
    /// See `project/cpu.rs`.
    fn stage_project(
        gaussians: &Gaussians<&[Self]>,
        views: &Views,
        config: &RenderConfig,
        resources: Resources<'_, Self>,
    ) -> Splats<Vec<Self>> = project::cpu::forward::project;
    /// See `project/cpu_vjp.rs`.
    fn stage_project_vjp(
        gaussians: &Gaussians<&[Self]>,
        views: &Views,
        config: &RenderConfig,
        splats: &Splats<&[Self]>,
        v_splats: &Splats<&[Self]>,
        wanted: Wanted,
        resources: Resources<'_, Self>,
    ) -> ProjectGradients<Vec<Self>> = project::cpu::backward::project_vjp;
    /// See `binning/cpu.rs`.
    fn stage_bin(
        splats: &Splats<&[Self]>,
        width: usize,
        height: usize,
        tile: TileSize,
        resources: Resources<'_, Self>,
    ) -> Hits = binning::cpu::bin;
    /// See `sort/cpu.rs`.
    fn stage_sort(
        splats: &Splats<&[Self]>,
        hits: Hits,
        resources: Resources<'_, Self>,
    ) -> SortedHits = sort::cpu::sort;
    /// See `composite/cpu.rs`.
    fn stage_composite(
        splats: &Splats<&[Self]>,
        sorted: &SortedHits,
        backgrounds: &[Self],
        config: &RenderConfig,
        resources: Resources<'_, Self>,
    ) -> (Image<Vec<Self>>, Composited<Self>) = composite::cpu::forward::composite;
    /// See `composite/cpu_vjp.rs`.
    fn stage_composite_vjp(
        splats: &Splats<&[Self]>,
        sorted: &SortedHits,
        backgrounds: &[Self],
        composited: &Composited<Self>,
        v_image: &Image<&[Self]>,
        wanted: Wanted,
        resources: Resources<'_, Self>,
    ) -> (Splats<Vec<Self>>, Vec<Self>) = composite::cpu::backward::composite_vjp;
}
