//! Statistics of splats on a device (MATH eq. 23).

use cubecl::prelude::*;

use crate::composite::gpu::chunks::Sums;
use crate::composite::gpu::forward::Composited;
use crate::composite::gpu::partial_row::STATISTICS;
use crate::composite::gpu::pass::Backward;
use crate::device::Gpu;
use crate::device::buffer::GpuBuffer;
use crate::device::launch::Sections;
use crate::error::{RenderError, checked_product};
use crate::image::Image;
use crate::project::gpu::splat_rows::SplatSectionsLaunch;
use crate::sort::gpu::lists::SortedHits;
use crate::splats::Splats;
use crate::statistics::SplatStatistics;

/// Computes the statistics of splats.
///
/// # Errors
/// Returns an error if the inputs do not match each other, or if a buffer is too large or cannot be
/// allocated.
pub(crate) fn splat_statistics<R: Runtime>(
    gpu: &Gpu<R>,
    splats: &Splats<&GpuBuffer>,
    sorted: &SortedHits,
    backgrounds: &GpuBuffer,
    composited: &Composited,
    v_image: &Image<&GpuBuffer>,
) -> Result<SplatStatistics<GpuBuffer>, RenderError> {
    let pass = Backward {
        gpu,
        splats,
        sorted,
        backgrounds,
        composited,
        v_image,
        geometry: true,
        features: false,
        stride: STATISTICS as usize,
        statistics: true,
    };
    pass.check()?;
    let m = splats.len();
    let what = "statistics of splats [M, 4]";
    checked_product(what, &[m, STATISTICS as usize])?;
    let mut sections = Sections::new();
    sections.push(2 * m);
    let totals = sections.push(m);
    let largest = sections.push(m);
    let buffer = gpu.empty(what, sections.total)?;
    if m > 0 {
        pass.sum_hits(&Sums {
            buffer: &buffer,
            sections: &|| SplatSectionsLaunch::new(0, totals as u32, largest as u32, 0, 0),
        })?;
    }
    Ok(SplatStatistics {
        absolute_means: buffer.section(0, 2 * m),
        largest_weights: buffer.section(largest, m),
        total_weights: buffer.section(totals, m),
    })
}
