//! The results that a [`Workspace`] accepts for reuse: those of a render and of every stage.

use crate::backends::cpu::Cpu;
use crate::backends::stages::CpuScalar;
use crate::binning::grid::Hits;
use crate::composite::cpu::composited::Composited;
use crate::contributors::Contributors;
use crate::ellipse::EllipsesGradient;
use crate::gaussians::Gaussians;
use crate::gradients::{Gradients, ProjectGradients};
use crate::host::workspace::{Other, Recycle, Workspace};
use crate::image::Image;
use crate::planar::SavedEllipses;
use crate::render::Saved;
use crate::sort::cpu::lists::SortedHits;
use crate::splats::Splats;
use crate::statistics::{SplatStatistics, Statistics};

/// Implements [`Recycle`] for a struct from its fields with scalars (or with recyclable values) and
/// its fields with indices.
macro_rules! recycle {
    ($($type:ty { $($field:ident)* } { $($index:ident)* })*) => {$(
        impl<T: CpuScalar> Recycle<T> for $type {
            fn recycle(self, workspace: &Workspace<T>) {
                $(workspace.recycle(self.$field);)*
                $(workspace.recycle(Other(self.$index));)*
            }
        }
    )*};
}

recycle! {
    Image<Vec<T>> { features transmittance depth layers layer_transmittance } {}
    Splats<Vec<T>> { means conics opacities depths features half_features extents } {}
    Gaussians<Vec<T>> { means scales quaternions opacities features } {}
    Gradients<Vec<T>> {
        gaussians backgrounds camera_from_world intrinsics splats statistics
    } {}
    Statistics<Vec<T>> {
        views radii largest_weights total_weights mean_gradients absolute_mean_gradients splats
    } {}
    SplatStatistics<Vec<T>> { absolute_means largest_weights total_weights } {}
    Contributors<Vec<T>, Vec<u32>> { weights } { indices counts }
    Composited<T> { transmittance contributors } { ends ended hit_blocks }
    Hits {} { from_splat rects }
    ProjectGradients<Vec<T>> { gaussians camera_from_world intrinsics } {}
    SortedHits {} { splat_from_slot slot_from_hit hits_from_splat slots_from_tile rank_from_splat }
    Saved<Cpu<T>> { splats sorted composited } {}
    SavedEllipses<Cpu<T>> { splats sorted composited } {}
    EllipsesGradient<Vec<T>> {
        means shapes opacities depths features backgrounds statistics
    } {}
}
