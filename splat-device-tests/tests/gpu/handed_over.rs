//! Values that one stage passes to the next. A stage rejects values of another render. Saved pixel
//! ends beyond the tile list are harmless.

use cubecl_wgpu::{WgpuDevice, WgpuRuntime};
use libtest_mimic::Failed;
use splat::check::{OwnedScene, cotangent, crowd};
use splat::measure::gpu::with_ends;
use splat::stages::gpu::{Composited, Hits, SortedHits};
use splat::{
    Backend, Gpu, GpuBuffer, Image, Projection, Regime, RenderError, Splats, Views, Wanted,
};

type Device = Gpu<WgpuRuntime>;

/// The results of every stage of a render.
struct Stages {
    splats: Splats<GpuBuffer>,
    hits: Hits,
    sorted: SortedHits,
    backgrounds: GpuBuffer,
    composited: Composited,
    v_image: Image<GpuBuffer>,
}

impl Stages {
    fn new(gpu: &Device, world: &OwnedScene) -> Result<Self, Failed> {
        let rounded = world.rounded::<f32>();
        let views = &rounded.views;
        let gaussians = gpu.upload_gaussians(&rounded.gaussians.as_slices())?;
        let splats = gpu.project(&gaussians.map(|buffer| buffer), views, &world.config)?;
        let seen = splats.map(|buffer| buffer);
        let hits = gpu.bin(&seen, views.width, views.height)?;
        let sorted = gpu.sort(&seen, hits.clone())?;
        let backgrounds = gpu.upload(&rounded.backgrounds)?;
        let (_, composited) = gpu.composite(&seen, &sorted, &backgrounds, &world.config)?;
        let v_image = cotangent(&world.render()?.0);
        let v_image = v_image.map(|x| x.iter().map(|&x| x as f32).collect::<Vec<f32>>());
        Ok(Self {
            v_image: gpu.upload_image(&v_image.as_slices())?,
            splats,
            hits,
            sorted,
            backgrounds,
            composited,
        })
    }

    /// Computes the vjp of the compositor with `composited`, which can come from another render.
    fn vjp(
        &self,
        gpu: &Device,
        composited: &Composited,
    ) -> Result<(Splats<GpuBuffer>, GpuBuffer), RenderError> {
        gpu.composite_vjp(
            &self.splats.map(|buffer| buffer),
            &self.sorted,
            &self.backgrounds,
            composited,
            &self.v_image.map(|buffer| buffer),
            Wanted::ALL,
        )
    }
}

fn device(regime: Regime) -> Result<Device, RenderError> {
    Ok(Gpu::new(&WgpuDevice::default())?.with_regime(regime))
}

fn world(count: usize, size: [usize; 2]) -> OwnedScene {
    crowd(40, 2, count, size, Projection::Orthographic)
}

/// Returns the world with one channel instead of three.
fn grey(mut world: OwnedScene) -> OwnedScene {
    world.gaussians.channels = 1;
    world.gaussians.features.truncate(world.gaussians.count);
    world.backgrounds.truncate(world.views.len());
    world
}

/// Returns the world with the same number of splats in two views of different lengths.
fn uneven(mut world: OwnedScene) -> OwnedScene {
    let count = world.gaussians.count;
    world.views = Views {
        ranges: vec![0..count / 2 - 1, count / 2 - 1..count],
        ..world.views
    };
    world
}

/// Returns the world with larger Gaussians, which have more hits.
fn wide(mut world: OwnedScene) -> OwnedScene {
    world.gaussians.scales.fill(1.0);
    world
}

fn refused<T>(result: Result<T, RenderError>, expected: &str, what: &str) -> Result<(), Failed> {
    match result {
        Err(RenderError::Shape { argument, .. }) if argument == expected => Ok(()),
        Err(error) => Err(format!("{what}: {error}").into()),
        Ok(_) => Err(format!("{what}: accepted").into()),
    }
}

/// `composite_vjp` rejects the saved state of a `composite` with other lists.
pub fn composited_of_another_render_is_refused(regime: Regime) -> Result<(), Failed> {
    let gpu = device(regime)?;
    let own = Stages::new(&gpu, &world(60, [40, 24]))?;
    own.vjp(&gpu, &own.composited)?;
    let other_regime = match regime {
        Regime::Large => Regime::Small,
        _ => Regime::Large,
    };
    let mut others = vec![
        ("splats", Stages::new(&gpu, &world(61, [40, 24]))?),
        ("more splats", Stages::new(&gpu, &world(300, [40, 24]))?),
        ("channels", Stages::new(&gpu, &grey(world(60, [40, 24])))?),
        ("width", Stages::new(&gpu, &world(60, [41, 24]))?),
        ("sides", Stages::new(&gpu, &world(60, [24, 40]))?),
        (
            "regime",
            Stages::new(&device(other_regime)?, &world(60, [40, 24]))?,
        ),
    ];
    if regime == Regime::Large {
        // In the small regime these lists differ only in the contents of device buffers.
        others.push(("hits", Stages::new(&gpu, &wide(world(60, [40, 24])))?));
    }
    for (what, other) in &others {
        refused(own.vjp(&gpu, &other.composited), "composited", what)?;
    }
    Ok(())
}

/// `sort` rejects the hits of other splats, and `composite` rejects the lists of other splats.
pub fn lists_of_other_splats_are_refused(regime: Regime) -> Result<(), Failed> {
    let gpu = device(regime)?;
    let own = Stages::new(&gpu, &world(60, [40, 24]))?;
    let seen = own.splats.map(|buffer| buffer);
    let config = world(60, [40, 24]).config;
    let single = crowd(40, 1, 120, [40, 24], Projection::Orthographic);
    for (what, other) in [
        ("fewer splats", world(59, [40, 24])),
        ("more splats", world(61, [40, 24])),
        ("one view", single),
        ("views of other lengths", uneven(world(60, [40, 24]))),
    ] {
        let other = Stages::new(&gpu, &other)?;
        refused(gpu.sort(&seen, other.hits), "hits", what)?;
        let composited = gpu.composite(&seen, &other.sorted, &own.backgrounds, &config);
        refused(composited, "sorted", what)?;
    }
    Ok(())
}

/// If no pixel ends early, the hits behind a pixel's last composited hit do not contribute to its
/// gradients. Saved ends further back, even beyond the tile's last hit, change no bit.
pub fn ends_beyond_the_list_are_cut(regime: Regime) -> Result<(), Failed> {
    let gpu = device(regime)?;
    let mut world = world(300, [40, 24]);
    world.gaussians.opacities.fill(0.02);
    let own = Stages::new(&gpu, &world)?;
    let download = |composited: &Composited| -> Result<(Splats<Vec<f32>>, Vec<f32>), Failed> {
        let (splats, backgrounds) = own.vjp(&gpu, composited)?;
        Ok((gpu.download_splats(&splats)?, gpu.download(&backgrounds)?))
    };
    let expected = download(&own.composited)?;
    if expected.0.means.iter().all(|&x| x == 0.0) {
        return Err("no gradient".into());
    }
    let pixels = 2 * 40 * 24;
    for end in [300, 301, 5000, u32::MAX - 1, u32::MAX] {
        let forged = with_ends(&gpu, &own.composited, &vec![end; pixels])?;
        if download(&forged)? != expected {
            return Err(format!("{end}: other gradients").into());
        }
    }
    Ok(())
}
