//! The automatic choice between the small and the large regime.

use cubecl_wgpu::{WgpuDevice, WgpuRuntime};
use libtest_mimic::Failed;
use splat::{Backend, Gpu};

/// `Regime::Auto` selects the small regime if no view has more than 1024 splats and the lists fit
/// the memory budget. The columns of the table are: number of views, splats of the first view,
/// splats of each other view, side of the image in px, budget in bytes, and whether the regime must
/// be small.
pub fn auto_takes_what_fits() -> Result<(), Failed> {
    type Hits = <Gpu<WgpuRuntime> as Backend>::Hits;
    let device = Gpu::<WgpuRuntime>::new(&WgpuDevice::default())?;
    let (budget, little) = (64 << 20, 1 << 20);
    for (views, longest, others, side, budget, small) in [
        (2, 1024, 1024, 32, budget, true),
        (2, 1025, 3, 32, budget, false),
        (2, 0, 0, 32, budget, true),
        // The sorted order reserves as many entries for each view as for the longest one.
        (4000, 1000, 1, 1, budget, true),
        (4000, 1000, 1, 1, little, false),
        // The masks have one bit for each of these entries in every tile of the view.
        (1000, 20, 20, 128, 300 << 10, true),
        (1000, 20, 20, 128, 200 << 10, false),
        // The partial gradients of a view: 256 tiles, 128 splats, 7 values and one channel.
        (1, 128, 128, 256, little, true),
        (1, 129, 129, 256, little, false),
    ] {
        let gpu = device.clone().with_memory_budget(budget);
        let offsets = (0..=views).map(|view| {
            if view == 0 {
                0
            } else {
                longest + (view - 1) * others
            }
        });
        let offsets: Vec<usize> = offsets.collect();
        let count = longest + (views - 1) * others;
        let zeros = vec![0.0f32; 3 * count];
        let splats = gpu.upload_splats(&splat::Splats {
            means: &zeros[..2 * count],
            conics: &zeros,
            opacities: &zeros[..count],
            depths: &zeros[..count],
            features: &zeros[..count],
            half_features: None,
            extents: &zeros[..2 * count],
            offsets,
            channels: 1,
        })?;
        let hits = gpu.bin(&splats.map(|buffer| buffer), side, side)?;
        if matches!(hits, Hits::Small(_)) != small {
            return Err(format!("{views} views of {longest} and {others} splats, {side} px, {budget} bytes: {hits:?}").into());
        }
    }
    Ok(())
}
