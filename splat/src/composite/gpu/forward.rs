//! The forward compositor on a device: the images, and the saved state for the vjp.

use cubecl::prelude::*;
use half::f16;

use crate::composite::gpu::forward_kernel::{ImageSectionsLaunch, composite_kernel};
use crate::composite::gpu::pack::{narrow, pack};
use crate::composite::gpu::tile::{LayoutLaunch, ThresholdsLaunch};
use crate::config::RenderConfig;
use crate::contributors::Contributors;
use crate::device::Gpu;
use crate::device::buffer::{GpuBuffer, GpuIndices};
use crate::device::launch::{Sections, cube_dim, grid};
use crate::error::{RenderError, checked_product};
use crate::gaussians::check_len;
use crate::image::{Image, ImageSize};
use crate::sort::gpu::lists::{Identity, SortedHits};
use crate::splats::Splats;

/// The number of channels that a thread sums in registers. Further channels take further launches.
const CHANNELS: usize = 8;

/// The saved state of the forward pass, an input of the vjp.
#[derive(Debug, Clone)]
pub struct Composited {
    /// `[B, H, W]`: the final transmittance.
    pub(crate) transmittance: GpuBuffer,
    /// `[B, H, W]`: one past the index, in the tile's list, of the last splat composited. Zero if
    /// no splat was composited.
    pub(crate) ends: GpuBuffer,
    /// The contributors of every pixel, if they were wanted. The vjp does not read them.
    pub(crate) contributors: Option<Contributors<GpuBuffer, GpuIndices>>,
    /// `[M, 11]`: the packed splats, which have no features.
    pub(crate) packed: GpuBuffer,
    /// `[M, C]`: the features, if the kernels read them in 16 bits.
    pub(crate) halves: Option<GpuBuffer>,
    /// The lists of the forward pass.
    pub(crate) lists: Identity,
    /// C
    pub(crate) channels: usize,
    /// `alpha_min`, `alpha_max` and `transmittance_min`.
    pub(crate) thresholds: [f32; 3],
}

impl Composited {
    /// Returns the size of the images.
    pub(crate) fn size(&self) -> ImageSize {
        self.lists.grid.size
    }

    /// Returns the launch argument for the thresholds.
    pub(crate) fn thresholds<R: Runtime>(&self) -> ThresholdsLaunch<R> {
        let [alpha_min, alpha_max, transmittance_min] = self.thresholds;
        ThresholdsLaunch::new(alpha_min, alpha_max, transmittance_min)
    }

    /// Checks that the compositor made `self` from lists of the shape of `sorted` and splats with
    /// `channels` channels.
    ///
    /// # Errors
    /// Returns an error if the lists or the channels differ.
    pub(crate) fn check(&self, sorted: &SortedHits, channels: usize) -> Result<(), RenderError> {
        let (expected, got) = (sorted.identity(), &self.lists);
        if expected == *got && channels == self.channels {
            return Ok(());
        }
        Err(RenderError::shape(
            "composited",
            format!("{expected}, {channels} channels"),
            format!("{got}, {} channels", self.channels),
        ))
    }
}

/// Returns the launch argument for the tiles of `sorted`.
pub(crate) fn layout<R: Runtime>(sorted: &SortedHits) -> LayoutLaunch<R> {
    let grid = sorted.grid();
    let ranks = match sorted {
        SortedHits::Small(sorted) => sorted.ranks,
        SortedHits::Large(_) => 0,
    };
    LayoutLaunch::new(
        grid.size.width as u32,
        grid.size.height as u32,
        grid.columns as u32,
        grid.per_view() as u32,
        ranks as u32,
    )
}

/// Returns the list and the ranges for a kernel, and whether the regime is large.
pub(crate) fn lists(sorted: &SortedHits) -> (&GpuBuffer, &GpuBuffer, bool) {
    match sorted {
        SortedHits::Small(sorted) => (&sorted.order, &sorted.masks, false),
        SortedHits::Large(sorted) => (&sorted.splat_from_slot, &sorted.ranges, true),
    }
}

/// The output buffer and the first words of its sections.
struct Output {
    buffer: GpuBuffer,
    size: ImageSize,
    elements: usize,
    transmittance: usize,
    ends: usize,
    depth: usize,
    layers: usize,
    layer_words: usize,
    layer_transmittance: usize,
    layer_pixels: usize,
    /// The indices, the weights and the counts of the contributors.
    contributors: [usize; 3],
}

impl Output {
    fn new<R: Runtime>(
        gpu: &Gpu<R>,
        size: ImageSize,
        channels: usize,
        config: &RenderConfig,
    ) -> Result<Self, RenderError> {
        let pixels = size.pixels();
        let elements = size.elements("image [B, H, W, C]", channels)?;
        let layer_words =
            checked_product("layers [B, L, H, W, C]", &[elements, config.layers.len()])?;
        let mut sections = Sections::new();
        sections.push(elements);
        let transmittance = sections.push(pixels);
        let ends = sections.push(pixels);
        let depth = sections.push(if config.outputs.depth { pixels } else { 0 });
        let layers = sections.push(layer_words);
        let layer_pixels = if config.outputs.transmittance {
            size.elements("transmittance of layers [B, L, H, W]", config.layers.len())?
        } else {
            0
        };
        let layer_transmittance = sections.push(layer_pixels);
        let of_contributors = if config.outputs.contributors {
            pixels
        } else {
            0
        };
        let contributors = std::array::from_fn(|_| sections.push(of_contributors));
        let what = "images [B, H, W, C], transmittance and ends";
        Ok(Self {
            buffer: gpu.empty(what, sections.total)?,
            size,
            elements,
            transmittance,
            ends,
            depth,
            layers,
            layer_words,
            layer_transmittance,
            layer_pixels,
            contributors,
        })
    }

    /// Returns the launch argument for the sections.
    fn sections<R: Runtime>(&self, layers: usize) -> ImageSectionsLaunch<R> {
        ImageSectionsLaunch::new(
            self.transmittance as u32,
            self.ends as u32,
            self.depth as u32,
            self.layers as u32,
            self.layer_transmittance as u32,
            self.contributors[0] as u32,
            self.contributors[1] as u32,
            self.contributors[2] as u32,
            layers as u32,
        )
    }

    fn plane(&self, start: usize) -> GpuBuffer {
        self.buffer.section(start, self.size.pixels())
    }

    /// Returns the outputs that `config` selects.
    fn image(&self, config: &RenderConfig) -> Image<GpuBuffer> {
        let outputs = config.outputs;
        let transmittance = || self.plane(self.transmittance);
        let with_layers = !config.layers.is_empty() && self.elements > 0;
        Image {
            features: self.buffer.section(0, self.elements),
            transmittance: outputs.transmittance.then(transmittance),
            depth: outputs.depth.then(|| self.plane(self.depth)),
            layers: with_layers.then(|| self.buffer.section(self.layers, self.layer_words)),
            layer_transmittance: (with_layers && outputs.transmittance).then(|| {
                self.buffer
                    .section(self.layer_transmittance, self.layer_pixels)
            }),
        }
    }

    fn contributors(&self) -> Contributors<GpuBuffer, GpuIndices> {
        let [indices, weights, counts] = self.contributors.map(|start| self.plane(start));
        Contributors::new(GpuIndices(indices), weights, GpuIndices(counts))
    }
}

/// Composites every view. Returns the images and the saved state.
///
/// # Errors
/// Returns an error if `sorted` or `backgrounds` does not match `splats`, or if a buffer is too
/// large or cannot be allocated.
pub(crate) fn composite<R: Runtime>(
    gpu: &Gpu<R>,
    splats: &Splats<&GpuBuffer>,
    sorted: &SortedHits,
    backgrounds: &GpuBuffer,
    config: &RenderConfig,
) -> Result<(Image<GpuBuffer>, Composited), RenderError> {
    sorted.check(splats)?;
    let (size, channels) = (sorted.grid().size, splats.channels);
    let dims = [size.views, channels];
    check_len("backgrounds", "[B, C]", &dims, backgrounds.len())?;
    let out = Output::new(gpu, size, channels, config)?;
    let composited = Composited {
        transmittance: out.plane(out.transmittance),
        ends: out.plane(out.ends),
        contributors: config.outputs.contributors.then(|| out.contributors()),
        packed: pack(gpu, splats, sorted)?,
        halves: narrow(gpu, splats, config)?,
        lists: sorted.identity(),
        channels,
        thresholds: [
            config.alpha_min as f32,
            config.alpha_max as f32,
            config.transmittance_min as f32,
        ],
    };
    if size.views * sorted.grid().per_view() > 0 {
        launch(gpu, splats, sorted, backgrounds, config, &composited, &out)?;
    }
    Ok((out.image(config), composited))
}

/// Queues one launch for every [`CHANNELS`] channels.
fn launch<R: Runtime>(
    gpu: &Gpu<R>,
    splats: &Splats<&GpuBuffer>,
    sorted: &SortedHits,
    backgrounds: &GpuBuffer,
    config: &RenderConfig,
    composited: &Composited,
    out: &Output,
) -> Result<(), RenderError> {
    let channels = splats.channels;
    let cuts = config.layers.iter().chain(&splats.offsets);
    let cuts: Vec<u32> = cuts
        .map(|&cut| u32::try_from(cut).unwrap_or(u32::MAX))
        .collect();
    let cuts = gpu.upload_words(&cuts)?;
    let (list, ranges, large) = lists(sorted);
    let cubes = sorted.grid().size.views * sorted.grid().per_view();
    for channel in (0..channels).step_by(CHANNELS) {
        let first = channel == 0;
        macro_rules! launch {
            ($real:ty, $features:expr) => {
                composite_kernel::launch::<$real, R>(
                    &gpu.client,
                    grid(cubes)?,
                    cube_dim(),
                    composited.packed.arg(),
                    $features,
                    list.arg(),
                    ranges.arg(),
                    backgrounds.arg(),
                    cuts.arg(),
                    out.buffer.arg(),
                    layout(sorted),
                    composited.thresholds(),
                    out.sections(config.layers.len()),
                    cubes as u32,
                    channel as u32,
                    channels as u32,
                    CHANNELS.min(channels - channel) as u32,
                    large,
                    first,
                    first && config.outputs.depth,
                    !config.layers.is_empty(),
                    first && config.outputs.transmittance,
                    first && config.outputs.contributors,
                    gpu.uniform,
                )
            };
        }
        match &composited.halves {
            Some(halves) => launch!(f16, halves.arg_of_halves(splats.features.len())),
            None => launch!(f32, splats.features.arg()),
        }
    }
    Ok(())
}
