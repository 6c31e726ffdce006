//! A scene for which no file is needed.

use splat::Gaussians;
use splat::encoding::Encoding;

/// Number of Gaussians.
const COUNT: usize = 600;
/// The greatest change of a colour between opposite directions of view.
const SHEEN: f32 = 0.5;

/// Returns flat Gaussians on the surface of a ball of radius 1. Each is brighter from one side, by
/// harmonics of degree 1.
pub(crate) fn gaussians() -> Gaussians<Vec<f32>> {
    let mut ball = Gaussians::<Vec<f32>> {
        count: COUNT,
        channels: 3,
        encoding: Encoding::PLAIN.with_harmonics(1),
        ..Gaussians::default()
    };
    for i in 0..COUNT {
        // A spiral from pole to pole, whose turns are a golden angle apart.
        let z = 1.0 - (2 * i + 1) as f32 / COUNT as f32;
        let (sin, cos) = (2.399_963_2 * i as f32).sin_cos();
        let r = (1.0 - z * z).sqrt();
        let normal = [r * cos, z, r * sin];
        ball.means.extend(normal);
        ball.scales.extend([0.07, 0.07, 0.01]);
        // The turn from the z axis to the normal.
        ball.quaternions
            .extend([1.0 + normal[2], -normal[1], normal[0], 0.0]);
        ball.opacities.push(0.9);
        // Coefficients [4, 3]: a constant that follows the place, and a part along each axis.
        ball.features.extend(normal.map(|x| 0.8 * x));
        for axis in 0..3 {
            ball.features
                .extend([0, 1, 2].map(|c| if c == axis { SHEEN } else { -SHEEN }));
        }
    }
    ball
}
