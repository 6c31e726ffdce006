//! Renders that together launch every kernel of the crate in every variant. The recording runtime
//! computes nothing, so all inputs are zero.

use cubecl::Runtime;
use splat::ellipses::{EllipseScene, Ellipses, Shapes, render_ellipses, render_ellipses_vjp};
use splat::encoding::{Encoding, Features};
use splat::pack::{Alpha, TransferFunction};
use splat::stages::ImageSize;
use splat::{
    Backend, Camera, Gaussians, Gpu, GpuBuffer, Image, Outputs, Regime, RenderConfig, RenderError,
    Scene, Support, Views, Wanted, render, render_vjp,
};

use crate::recorder::{Architecture, Recorder, reads};

/// Numbers of channels: numbers that fit one launch, and numbers that need several launches.
const CHANNELS: [usize; 10] = [1, 2, 3, 4, 5, 6, 7, 8, 16, 33];

/// Numbers of Gaussians: `SHORT` fits the small regime, and `LONG` needs sums in several steps.
const SHORT: usize = 600;
const LONG: usize = 1_000_000;

const PLAIN: Encoding = Encoding::PLAIN;

/// The combinations of the optional outputs: transmittance, depth, contributors.
const OUTPUTS: [(bool, bool, bool); 8] = [
    (false, false, false),
    (true, false, false),
    (false, true, false),
    (true, true, false),
    (false, false, true),
    (true, false, true),
    (false, true, true),
    (true, true, true),
];

/// Renders forward and backward in every regime, with every kind of output, gradient and number of
/// channels.
///
/// # Errors
/// Returns an error that describes the first failed render.
pub fn launch_everything(architecture: Architecture) -> Result<(), String> {
    let backend = Gpu::from_client(Recorder::client(&architecture));
    let backend = backend.map_err(|error| error.to_string())?;
    // The benchmark `throughput` measures its arithmetic ceiling with another kernel.
    splat::measure::gpu::roofline(&backend, 1, 1).map_err(|error| error.to_string())?;
    let projections = [
        Camera::pinhole(32.0, 32.0, 20.0, 12.0),
        Camera::orthographic(32.0, 32.0, 20.0, 12.0),
    ];
    // By default the backend must use the subgroups that an NVIDIA device reports.
    if backend.subgroup_size() != Some(32) {
        return Err(format!("planes of {:?} units", backend.subgroup_size()));
    }
    for (planes, regime) in [
        (Support::Reported, Regime::Small),
        (Support::Reported, Regime::Large),
        (Support::Never, Regime::Small),
        (Support::Never, Regime::Large),
    ] {
        let backend = backend.clone().with_regime(regime).with_subgroups(planes);
        // NVIDIA devices do not run the variants without subgroups by default. For these, 3 and 4
        // channels are enough.
        let without = planes == Support::Never;
        for channels in CHANNELS
            .into_iter()
            .filter(|c| !without || [3, 4].contains(c))
        {
            for camera in projections {
                for (transmittance, depth, contributors) in OUTPUTS {
                    for layers in [Vec::new(), vec![0, 3]] {
                        let outputs = Outputs::NONE
                            .with_transmittance(transmittance)
                            .with_depth(depth)
                            .with_contributors(contributors);
                        let config = RenderConfig::default()
                            .with_outputs(outputs)
                            .with_layers(layers)
                            .with_antialias(depth)
                            .with_half_features(transmittance && channels == 3);
                        one(&backend, SHORT, channels, camera, &config, PLAIN).map_err(
                            |error| format!("{regime:?}, {channels} channels, {config:?}: {error}"),
                        )?;
                    }
                }
            }
        }
    }
    let config = RenderConfig::default();
    for kind in [Shapes::Conics, Shapes::Covariances] {
        for half in [false, true] {
            let config = config.clone().with_half_features(half);
            ellipses(&backend, kind, &config).map_err(|error| format!("{kind:?}: {error}"))?;
        }
    }
    for encoding in encodings() {
        for half in [false, true] {
            let config = config.clone().with_half_features(half);
            one(&backend, SHORT, 3, projections[0], &config, encoding)
                .map_err(|error| format!("{encoding:?}: {error}"))?;
        }
    }
    // This number of Gaussians needs sums over more blocks than one workgroup handles.
    let backend = backend.with_regime(Regime::Large);
    one(&backend, LONG, 3, projections[0], &config, PLAIN)
        .map_err(|error| format!("{LONG} Gaussians: {error}"))?;
    cubecl::future::block_on(backend.client().sync()).map_err(|error| error.to_string())
}

/// Checks how often the host reads data back during a render and its vjps. In the small regime it
/// reads nothing. In the large regime it reads the number of hits once.
///
/// # Errors
/// Returns an error if the number of reads is wrong, or if a render fails.
pub fn hardly_anything_is_read_back(architecture: Architecture) -> Result<(), String> {
    let backend = Gpu::from_client(Recorder::client(&architecture));
    let backend = backend.map_err(|error| error.to_string())?;
    let camera = Camera::pinhole(32.0, 32.0, 20.0, 12.0);
    for (regime, expected) in [(Regime::Small, 0), (Regime::Large, 1)] {
        let backend = backend.clone().with_regime(regime);
        let before = reads();
        one(&backend, SHORT, 3, camera, &RenderConfig::default(), PLAIN)
            .map_err(|error| error.to_string())?;
        let got = reads() - before;
        if got != expected {
            return Err(format!("{regime:?}: {got} reads, not {expected}"));
        }
        backend
            .upload(&[1.0])
            .and_then(|buffer| backend.download(&buffer))
            .map_err(|error| error.to_string())?;
        if reads() != before + expected + 1 {
            return Err("reads are not counted".to_owned());
        }
    }
    Ok(())
}

/// Every encoding of Gaussians, with harmonics of every degree.
fn encodings() -> Vec<Encoding> {
    let mut all = vec![Encoding::RAW, PLAIN.with_features(Features::PerSplat)];
    all.extend((0..=4).map(|degree| PLAIN.with_harmonics(degree)));
    all
}

/// Renders ellipses, runs the vjp, and converts the image to pixels of both formats.
fn ellipses(
    backend: &Gpu<Recorder>,
    kind: Shapes,
    config: &RenderConfig,
) -> Result<(), RenderError> {
    let zeros = |len: usize| backend.upload(&vec![0.0; len]);
    let (two, three, one) = (zeros(2 * SHORT)?, zeros(3 * SHORT)?, zeros(SHORT)?);
    let backgrounds = zeros(3)?;
    let scene = EllipseScene {
        ellipses: Ellipses {
            means: &two,
            shapes: &three,
            kind,
            opacities: &one,
            depths: &one,
            features: &three,
            offsets: &[0, SHORT],
            channels: 3,
        },
        backgrounds: &backgrounds,
        width: 40,
        height: 24,
    };
    let (image, saved) = render_ellipses(backend, &scene, config)?;
    let v_image = image.map(Gpu::<Recorder>::view);
    render_ellipses_vjp(backend, &scene, &saved, &v_image, Wanted::ALL)?;
    let (views, height, width) = (1, 24, 40);
    let size = ImageSize {
        views,
        height,
        width,
    };
    for transfer in [TransferFunction::Linear, TransferFunction::Srgb] {
        backend.pack_rgba8(&image, size, transfer, Alpha::Opaque)?;
    }
    backend.pack_rgba16f(&image, size, Alpha::Opaque)?;
    Ok(())
}

/// Runs one render, and its vjp for several selections of gradients.
fn one(
    backend: &Gpu<Recorder>,
    count: usize,
    channels: usize,
    camera: Camera,
    config: &RenderConfig,
    encoding: Encoding,
) -> Result<(), RenderError> {
    let views = Views {
        width: 40,
        height: 24,
        cameras: vec![camera; 2],
        ranges: vec![0..count, 100..count],
    };
    let splats = views.splat_offsets()?[2];
    let features = match encoding.features_per_gaussian(channels) {
        Some(row) => count * row,
        None => splats * channels,
    };
    let zeros = |len: usize| backend.upload(&vec![0.0; len]);
    let gaussians = Gaussians {
        means: zeros(count * 3)?,
        scales: zeros(count * 3)?,
        quaternions: zeros(count * 4)?,
        opacities: zeros(count)?,
        features: zeros(features)?,
        count,
        channels,
        encoding,
    };
    let backgrounds = zeros(2 * channels)?;
    let scene = Scene {
        gaussians: gaussians.map(Gpu::<Recorder>::view),
        views: &views,
        backgrounds: &backgrounds,
    };
    let (image, saved) = render(backend, &scene, config)?;
    let v_image = image.without_layers();
    let v_image: Image<&GpuBuffer> = v_image.map(Gpu::<Recorder>::view);
    let none = Wanted::NONE;
    for wanted in [
        Wanted::ALL,
        none.with_geometry(true),
        none.with_features(true),
        none.with_backgrounds(true).with_cameras(true),
        none.with_intrinsics(true),
        none.with_splats(true).with_statistics(true),
    ] {
        render_vjp(backend, &scene, &saved, &v_image, wanted)?;
    }
    Ok(())
}
