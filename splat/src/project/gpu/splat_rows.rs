//! Layout of splats on a device: one allocation with a section per buffer of [`Splats`]. The means
//! come first.

use cubecl::prelude::*;

use crate::device::Gpu;
use crate::device::buffer::GpuBuffer;
use crate::device::launch::Sections;
use crate::device::rows::{set_sym2_at, set_vec2_at, sym2_of, vec2_of};
use crate::error::{RenderError, checked_product};
use crate::formulas::single::Real;
use crate::math::Vec2;
use crate::project::Splat;
use crate::splats::Splats;

/// Start indices, in words, of the sections after the means.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(crate) struct SplatSections {
    pub(crate) conics: u32,
    pub(crate) opacities: u32,
    pub(crate) depths: u32,
    pub(crate) features: u32,
    pub(crate) extents: u32,
}

/// Writes splat `m` without its features.
#[cube]
pub(crate) fn set_splat(
    out: &mut Array<f32>,
    sections: SplatSections,
    m: u32,
    splat: Splat<f32>,
    extent: Vec2<f32>,
) {
    set_vec2_at(out, mean_index(m), splat.mean);
    set_sym2_at(out, conic_index(sections.conics, m), splat.conic);
    out[(sections.opacities + m) as usize] = splat.opacity;
    out[(sections.depths + m) as usize] = splat.depth;
    set_vec2_at(out, sections.extents + mean_index(m), extent);
}

/// Returns the index of the first word of splat `m`'s mean.
#[cube]
pub(crate) fn mean_index(m: u32) -> u32 {
    2 * m
}

/// Returns the index of the first word of splat `m`'s conic. The section of the conics begins at
/// `conics`.
#[cube]
pub(crate) fn conic_index(conics: u32, m: u32) -> u32 {
    conics + 3 * m
}

/// Reads splat `m`, without its features, from separate buffers.
#[cube]
pub(crate) fn splat_of(
    means: &Array<f32>,
    conics: &Array<f32>,
    opacities: &Array<f32>,
    depths: &Array<f32>,
    m: u32,
) -> Splat<f32> {
    Splat::<Real> {
        mean: vec2_of(means, m),
        conic: sym2_of(conics, m),
        opacity: opacities[m as usize],
        depth: depths[m as usize],
    }
}

/// Whether a splat with this extent is visible. A culled splat has an extent of zero.
#[cube]
pub(crate) fn is_visible(extent: Vec2<f32>) -> bool {
    extent.x > 0.0 && extent.y > 0.0
}

/// One allocation for splats, or for the gradient with respect to splats.
pub(crate) struct SplatAllocation {
    pub(crate) buffer: GpuBuffer,
    /// Number of splats with geometry, number of feature values (`M C`), and number of splats with
    /// extents. A number is zero if its section is empty.
    lens: [usize; 3],
    conics: usize,
    opacities: usize,
    pub(crate) depths: usize,
    features: usize,
    extents: usize,
}

impl SplatAllocation {
    /// Allocates sections for the geometry of `geometry` splats, for `features` feature values, and
    /// for the extents of `extents` splats.
    pub(crate) fn new<R: Runtime>(
        gpu: &Gpu<R>,
        what: &'static str,
        geometry: usize,
        features: usize,
        extents: usize,
    ) -> Result<Self, RenderError> {
        checked_product(what, &[geometry.max(extents), 3])?;
        let mut sections = Sections::new();
        sections.push(2 * geometry);
        let conics = sections.push(3 * geometry);
        let opacities = sections.push(geometry);
        let depths = sections.push(geometry);
        let feature_section = sections.push(features);
        let extent_section = sections.push(2 * extents);
        Ok(Self {
            buffer: gpu.empty(what, sections.total)?,
            lens: [geometry, features, extents],
            conics,
            opacities,
            depths,
            features: feature_section,
            extents: extent_section,
        })
    }

    /// Returns the launch argument of the sections.
    pub(crate) fn sections<R: Runtime>(&self) -> SplatSectionsLaunch<R> {
        SplatSectionsLaunch::new(
            self.conics as u32,
            self.opacities as u32,
            self.depths as u32,
            self.features as u32,
            self.extents as u32,
        )
    }

    /// Returns the sections as the buffers of [`Splats`].
    pub(crate) fn into_splats(self, offsets: Vec<usize>, channels: usize) -> Splats<GpuBuffer> {
        let ([geometry, features, extents], buffer) = (self.lens, self.buffer);
        Splats {
            means: buffer.section(0, 2 * geometry),
            conics: buffer.section(self.conics, 3 * geometry),
            opacities: buffer.section(self.opacities, geometry),
            depths: buffer.section(self.depths, geometry),
            features: buffer.section(self.features, features),
            half_features: None,
            extents: buffer.section(self.extents, 2 * extents),
            offsets,
            channels,
        }
    }
}
