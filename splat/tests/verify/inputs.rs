//! The scenes of the generated reference file, and their render.

use splat::{
    Camera, Cpu, Gaussians, Gradients, Image, Outputs, RenderConfig, Scene, Views, Wanted, render,
    render_vjp,
};

pub(crate) const SCENES: usize = 3;
pub(crate) const IMAGES: usize = 3;
pub(crate) const CHANNELS: usize = 2;
pub(crate) const WIDTH: usize = 20;
pub(crate) const HEIGHT: usize = 15;
/// Images 0 and 2 share a scene. No image shows scene 2.
pub(crate) const SCENE_OF_IMAGE: [usize; IMAGES] = [1, 0, 1];

/// The images, the gradients of a loss on all outputs, and the gradients of a loss on the features
/// alone.
pub(crate) type Outcome = (Image<Vec<f64>>, Gradients<Vec<f64>>, Gradients<Vec<f64>>);

/// The inputs of a reference file.
pub(crate) struct Inputs {
    pub(crate) count: usize,
    pub(crate) means: Vec<f32>,
    pub(crate) scales: Vec<f32>,
    pub(crate) quaternions: Vec<f32>,
    pub(crate) opacities: Vec<f32>,
    pub(crate) features: Vec<f32>,
    pub(crate) backgrounds: Vec<f32>,
    pub(crate) ct_image: Vec<f32>,
    pub(crate) ct_alpha: Vec<f32>,
    pub(crate) ct_depth: Vec<f32>,
}

impl Inputs {
    pub(crate) fn new(count: usize) -> Self {
        let (total, pixels) = (SCENES * count, IMAGES * HEIGHT * WIDTH);
        let mut means = numbers(3 * total, 1, -0.8, 0.8);
        for z in means.iter_mut().skip(2).step_by(3) {
            *z += 3.0;
        }
        Self {
            count,
            means,
            scales: numbers(3 * total, 2, 0.1, 0.5),
            quaternions: numbers(4 * total, 3, -1.0, 1.0),
            opacities: numbers(total, 4, 0.2, 0.9),
            features: numbers(CHANNELS * total, 5, -1.0, 1.0),
            backgrounds: numbers(CHANNELS * IMAGES, 6, 0.0, 1.0),
            ct_image: numbers(CHANNELS * pixels, 7, -1.0, 1.0),
            ct_alpha: numbers(pixels, 8, -1.0, 1.0),
            ct_depth: numbers(pixels, 9, -1.0, 1.0),
        }
    }

    /// Renders the images and computes both gradients.
    pub(crate) fn render(&self) -> Outcome {
        let wide = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
        let n = self.count;
        let gaussians = Gaussians {
            means: wide(&self.means),
            scales: wide(&self.scales),
            quaternions: wide(&self.quaternions),
            opacities: wide(&self.opacities),
            features: wide(&self.features),
            count: SCENES * n,
            channels: CHANNELS,
            encoding: splat::encoding::Encoding::PLAIN,
        };
        let views = Views {
            width: WIDTH,
            height: HEIGHT,
            cameras: (0..IMAGES).map(camera).collect(),
            ranges: SCENE_OF_IMAGE
                .map(|scene| scene * n..(scene + 1) * n)
                .to_vec(),
        };
        let backgrounds = wide(&self.backgrounds);
        let scene = Scene {
            gaussians: gaussians.as_slices(),
            views: &views,
            backgrounds: &backgrounds,
        };
        let mut v_image = Image::from_features(wide(&self.ct_image))
            .with_transmittance(wide(&self.ct_alpha).iter().map(|x| -x).collect::<Vec<_>>())
            .with_depth(wide(&self.ct_depth));
        let backend = Cpu::<f64>::new();
        let outputs = Outputs::ALL;
        let config = RenderConfig::default().with_outputs(outputs);
        let (image, saved) = render(&backend, &scene, &config).expect("the scene is valid");
        let differentiate = |v: &Image<Vec<f64>>| {
            render_vjp(&backend, &scene, &saved, &v.as_slices(), Wanted::ALL).expect("it is valid")
        };
        let full = differentiate(&v_image);
        (v_image.transmittance, v_image.depth) = (None, None);
        (image, full, differentiate(&v_image))
    }
}

/// Returns `count` quasi-random values between `low` and `high`.
fn numbers(count: usize, stream: usize, low: f64, high: f64) -> Vec<f32> {
    let fraction = |i: usize| ((i * 31 + stream * 17) as f64 * 0.618_033_988_749_894_9).fract();
    (0..count)
        .map(|i| (low + (high - low) * fraction(i)) as f32)
        .collect()
}

/// Returns the pose of an image's camera. Each camera is a little further to the side.
pub(crate) fn pose(image: usize) -> [[f32; 4]; 4] {
    let shift = 0.125 * image as f32;
    [
        [1.0, 0.0, 0.0, shift],
        [0.0, 1.0, 0.0, -shift],
        [0.0, 0.0, 1.0, 0.5],
        [0.0, 0.0, 0.0, 1.0],
    ]
}

fn camera(image: usize) -> Camera {
    let [x, y, z, _] = pose(image).map(|row| row.map(f64::from));
    Camera::pinhole(18.0, 17.0, 10.0, 7.5).with_pose([x, y, z])
}

pub(crate) fn params() -> [f64; 12] {
    let config = RenderConfig::default();
    [
        WIDTH as f64,
        HEIGHT as f64,
        0.0,
        0.01,
        1e10,
        config.blur,
        config.alpha_min,
        config.alpha_max,
        config.transmittance_min,
        0.0,
        -1.0,
        0.0,
    ]
}
