//! Scenes from a seed, with names.

use super::random::{Random, weight};
use super::scene::OwnedScene;
use crate::camera::{Camera, Projection};
use crate::config::{Outputs, RenderConfig};
use crate::encoding::{Encoding, Features};
use crate::gaussians::Gaussians;
use crate::views::Views;

/// Every projection.
pub const PROJECTIONS: [Projection; 3] = [
    Projection::Pinhole,
    Projection::Orthographic,
    Projection::Hybrid,
];

/// Returns a camera in front of a scene around the origin. The cameras of all projections see the
/// same region.
pub fn front_camera(projection: Projection, width: usize, height: usize) -> Camera {
    let (w, h) = (width as f64, height as f64);
    let pose = [
        [0.96, -0.28, 0.0, 0.1],
        [0.28, 0.96, 0.0, -0.05],
        [0.0, 0.0, 1.0, 4.0],
    ];
    let focal = match projection {
        Projection::Pinhole => 2.0 * w,
        Projection::Orthographic | Projection::Hybrid => 0.5 * w,
    };
    Camera::new(projection, focal, 1.1 * focal, 0.52 * w, 0.47 * h).with_pose(pose)
}

/// Returns the camera, turned and shifted by the index of its view, so that no two views are equal.
pub(super) fn moved(camera: Camera, view: usize) -> Camera {
    let k = 0.1 * view as f64;
    let mut pose = camera.camera_from_world;
    pose[0][3] += k;
    pose[1][3] -= 0.5 * k;
    let (sin, cos) = k.sin_cos();
    for column in 0..3 {
        let (y, z) = (pose[1][column], pose[2][column]);
        (pose[1][column], pose[2][column]) = (cos * y - sin * z, sin * y + cos * z);
    }
    camera.with_pose(pose)
}

/// Returns a scene from a seed, with `count` Gaussians of three channels in each of `views`
/// disjoint ranges, and all outputs.
///
/// The Gaussians lie around the origin. Their standard deviations are 0.02 to 0.4 world units, and
/// their opacities 0.02 to 1.
pub fn crowd(
    seed: u64,
    views: usize,
    count: usize,
    [width, height]: [usize; 2],
    projection: Projection,
) -> OwnedScene {
    let camera = front_camera(projection, width, height);
    let first = |view: usize| view.saturating_mul(count);
    let mut random = Random::new(seed);
    let mut g: Gaussians<Vec<f64>> = Gaussians {
        count: first(views),
        channels: 3,
        ..Gaussians::default()
    };
    for _ in 0..g.count {
        g.means.extend(random.several(2, -1.1, 1.1));
        g.means.extend(random.several(1, -1.0, 1.0));
        let sizes = random.several(3, 0.0, 3.0);
        g.scales.extend(sizes.iter().map(|size| 0.02 * size.exp()));
        g.quaternions.extend(random.several(4, -1.0, 1.0));
        g.opacities.extend(random.several(1, 0.02, 1.0));
        g.features.extend(random.several(3, -0.2, 1.0));
    }
    OwnedScene {
        gaussians: g,
        views: Views {
            width,
            height,
            cameras: (0..views).map(|view| moved(camera, view)).collect(),
            ranges: (0..views)
                .map(|view| first(view)..first(view + 1))
                .collect(),
        },
        backgrounds: random.several(views.saturating_mul(3), 0.0, 1.0),
        config: RenderConfig::default().with_outputs(Outputs::ALL),
    }
}

/// Returns the scene with features and backgrounds of `channels` channels.
#[must_use]
pub fn with_channels(scene: OwnedScene, channels: usize) -> OwnedScene {
    let mut gaussians = scene.gaussians;
    gaussians.channels = channels;
    let numbers = 0..gaussians.count.saturating_mul(channels);
    gaussians.features = numbers.map(weight).collect();
    let backgrounds = 0..scene.views.len().saturating_mul(channels);
    OwnedScene {
        gaussians,
        backgrounds: backgrounds.map(|i| weight(i + 5)).collect(),
        ..scene
    }
}

/// A scene and its name.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NamedScene {
    /// The name, of lower-case letters, digits and underscores.
    pub name: String,
    /// The scene.
    pub scene: OwnedScene,
}

/// Returns the scenes of [`check_backend`](super::check_backend): every projection and setting, odd
/// sizes of the image, shared and empty ranges, one to eleven channels, no to 1000 Gaussians, equal
/// depths, parts of images, poses that are no rotations, harmonics, raw parameters, features of
/// splats, and scales, quaternions and opacities beyond the usual ones. The oracle renders each of
/// them in less than a second.
pub fn named_scenes() -> Vec<NamedScene> {
    let mut all = Vec::new();
    let mut add = |name: &str, scene: OwnedScene| {
        let name = name.to_owned();
        all.push(NamedScene { name, scene });
    };
    let [pinhole, orthographic, hybrid] = PROJECTIONS;
    add("crowd_pinhole", crowd(0, 2, 150, [37, 29], pinhole));
    add(
        "crowd_orthographic",
        crowd(1, 2, 150, [37, 29], orthographic),
    );
    add("crowd_hybrid", crowd(2, 2, 150, [37, 29], hybrid));
    add("size_1x1", crowd(7, 1, 40, [1, 1], hybrid));
    add("size_1x40", crowd(7, 1, 40, [1, 40], hybrid));
    add("size_50x1", crowd(7, 1, 40, [50, 1], hybrid));
    let mut shared = crowd(8, 3, 90, [21, 33], orthographic);
    shared.views.ranges = vec![0..90, 40..40, 20..270];
    add("shared_and_empty_ranges", shared);
    // More Gaussians than a task of the CPU's projection or a small sort of a device holds.
    add("thousand", crowd(9, 1, 1000, [19, 21], pinhole));
    for channels in [1, 5, 11] {
        let scene = with_channels(crowd(10, 2, 40, [20, 18], pinhole), channels);
        add(&format!("channels_{channels}"), scene);
    }
    add("nothing", crowd(11, 2, 0, [20, 18], pinhole));
    let half = crowd(12, 2, 60, [30, 26], pinhole);
    let config = half.config.clone().with_half_features(true);
    add("half_features", half.with_config(config));
    let antialias = crowd(5, 1, 60, [33, 17], pinhole);
    let config = antialias.config.clone().with_antialias(true);
    let config = config.with_layers(vec![0, 3, 17, 40, 1000]);
    add("antialias_and_layers", antialias.with_config(config));
    for (name, change) in SETTINGS {
        let mut scene = crowd(13, 2, 80, [34, 26], pinhole);
        change(&mut scene);
        add(name, scene);
    }
    all
}

/// Replaces the features of a scene by harmonics. About one sum in five is clamped at zero.
pub(super) fn harmonics_of(scene: &mut OwnedScene, degree: u32) {
    let g = &mut scene.gaussians;
    g.encoding = g.encoding.with_harmonics(degree);
    let row = g.encoding.features_per_gaussian(g.channels).unwrap_or(0);
    g.features = (0..g.count * row).map(|i| 0.6 * weight(i)).collect();
}

/// Replaces scales and opacities by their logarithms and logits.
fn raw_parameters(scene: &mut OwnedScene) {
    let g = &mut scene.gaussians;
    g.encoding.raw = true;
    for scale in &mut g.scales {
        *scale = scale.ln();
    }
    for opacity in &mut g.opacities {
        *opacity = (*opacity / (1.0 - *opacity)).ln();
    }
}

/// A change of a scene, with its name.
type Change = (&'static str, fn(&mut OwnedScene));

/// One or two properties that differ from the default.
const SETTINGS: [Change; 28] = [
    ("blur_0", |scene| scene.config.blur = 0.0),
    ("blur_2", |scene| scene.config.blur = 2.0),
    ("blur_0_antialias", |scene| {
        scene.config.blur = 0.0;
        scene.config.antialias = true;
    }),
    ("alpha_min_high", |scene| scene.config.alpha_min = 0.05),
    ("alpha_min_low", |scene| scene.config.alpha_min = 1e-4),
    ("alpha_max", |scene| scene.config.alpha_max = 0.6),
    ("transmittance_min_high", |scene| {
        scene.config.transmittance_min = 0.2;
    }),
    ("transmittance_min_0", |scene| {
        scene.config.transmittance_min = 0.0;
    }),
    // The Gaussians are 3 to 5 world units in front of the cameras. About half of them remain.
    ("near_and_far", |scene| {
        for camera in &mut scene.views.cameras {
            *camera = camera.with_depth_range(3.6, 4.4);
        }
    }),
    ("focal_lengths", |scene| {
        for camera in &mut scene.views.cameras {
            (camera.fx, camera.fy) = (0.4 * camera.fx, 1.7 * camera.fy);
        }
    }),
    // Wide Gaussians around a narrow field of view: the tangents of many visible ones are clamped.
    ("clamped_tangents", |scene| {
        for camera in &mut scene.views.cameras {
            (camera.fx, camera.fy) = (8.0 * camera.fx, 8.8 * camera.fy);
        }
        for scale in &mut scene.gaussians.scales {
            *scale += 0.2;
        }
    }),
    // The tangents of many Gaussians are beyond the margin of the part, and within that of the
    // whole.
    ("part_of_an_image", |scene| {
        for camera in &mut scene.views.cameras {
            (camera.fx, camera.fy) = (0.3 * camera.fx, 0.3 * camera.fy);
        }
        if let Ok(part) = scene.views.crop(19..31, 2..13) {
            scene.views = part;
        }
    }),
    ("depth_and_layers", |scene| {
        scene.config.outputs.transmittance = false;
        scene.config.layers = vec![1, 8, 30];
    }),
    // Gaussians of the same depth are composited in the order of their indices.
    ("equal_depths", |scene| {
        for mean in scene.gaussians.means.as_chunks_mut::<3>().0 {
            mean[2] = 0.25;
        }
    }),
    // An orthographic camera sees both sides of itself. Depths of 0 and -0 are equal.
    ("depths_around_zero", |scene| {
        for camera in &mut scene.views.cameras {
            *camera = front_camera(Projection::Orthographic, 34, 26).with_depth_range(-9.0, 9.0);
            camera.camera_from_world[2] = [0.0, 0.0, 1.0, 0.0];
        }
        for (i, mean) in scene
            .gaussians
            .means
            .as_chunks_mut::<3>()
            .0
            .iter_mut()
            .enumerate()
        {
            mean[2] = [mean[2], 0.0, -0.0][i % 3];
        }
    }),
    ("pose_that_is_no_rotation", |scene| {
        for camera in &mut scene.views.cameras {
            let [x, y, z] = &mut camera.camera_from_world;
            (x[1], y[0], y[1], z[1]) = (0.3, -0.2, 1.4, 0.15);
        }
    }),
    ("quaternion_lengths", |scene| {
        for (i, q) in scene
            .gaussians
            .quaternions
            .as_chunks_mut::<4>()
            .0
            .iter_mut()
            .enumerate()
        {
            *q = q.map(|x| x * [1e-3, 0.1, 1.0, 30.0, 1e3][i % 5]);
        }
    }),
    ("negative_scales", |scene| {
        for scale in scene.gaussians.scales.iter_mut().step_by(2) {
            *scale = -*scale;
        }
    }),
    ("opacities_beyond_1", |scene| {
        for opacity in &mut scene.gaussians.opacities {
            *opacity = 1.6 * *opacity - 0.1;
        }
    }),
    ("raw_parameters", raw_parameters),
    ("features_per_splat", |scene| {
        scene.views.ranges = vec![0..90, 30..160];
        scene.gaussians.encoding = Encoding::PLAIN.with_features(Features::PerSplat);
        scene.gaussians.features = (0..3 * 220).map(weight).collect();
    }),
    ("harmonics_of_degree_1", |scene| harmonics_of(scene, 1)),
    // Both views see most Gaussians, each from its own direction.
    ("harmonics_of_degree_3_shared", |scene| {
        scene.views.ranges = vec![0..150, 10..160];
        harmonics_of(scene, 3);
        raw_parameters(scene);
    }),
    ("harmonics_of_degree_4", |scene| {
        harmonics_of(scene, 4);
        // Two coefficients per channel are stored and not used.
        scene.gaussians.encoding.features = Features::Harmonics {
            degree: 4,
            stored: 27,
        };
        let numbers = 0..scene.gaussians.count * 27 * 3;
        scene.gaussians.features = numbers.map(|i| 0.4 * weight(i)).collect();
    }),
    ("harmonics_of_five_channels", |scene| {
        *scene = with_channels(scene.clone(), 5);
        harmonics_of(scene, 2);
        scene.config.layers = vec![2, 9, 1000];
    }),
    ("harmonics_of_a_part", |scene| {
        harmonics_of(scene, 1);
        if let Ok(part) = scene.views.crop(5..27, 3..22) {
            scene.views = part;
        }
    }),
    // Sums that are not finite cull their Gaussians, and sums of minus infinity are clamped.
    ("harmonics_that_are_not_finite", |scene| {
        harmonics_of(scene, 1);
        let rows = scene.gaussians.features.chunks_exact_mut(12).step_by(3);
        for (i, row) in rows.enumerate() {
            row[i % 12] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY][i % 3];
        }
    }),
    ("layers_alone", |scene| {
        scene.config.outputs = Outputs::default();
        scene.config.layers = vec![0, 5, 5, 1000];
    }),
];
