//! The optimisation: repeated rendering, gradient computation and steps.

use indicatif::ProgressBar;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use splat::{Backend, Cpu, Image, RenderConfig, RenderError, Splats, Wanted};

use crate::adam::{Adam, StepSizes};
use crate::model::Parameters;
use crate::photo::Photo;
use crate::seeding;

/// Share of the Gaussians that are placed at the start. The others are added where the error is
/// large.
const FIRST_SHARE: f64 = 0.5;
/// Number of times that Gaussians are added.
const ADDITIONS: usize = 8;
/// Share of the iterations after which all Gaussians are present.
const ADDED_BY: f64 = 0.5;
/// Step sizes at the start.
const STEPS: StepSizes = StepSizes {
    positions: 0.6,
    log_scales: 0.04,
    angles: 0.04,
    logits: 0.06,
    colours: 0.02,
};
/// Step sizes at the end, relative to the start.
const LAST_STEP: f32 = 0.02;
/// Iterations between two reports of the error.
const REPORT_EVERY: usize = 10;

/// Number of Gaussians, number of iterations, opacity at the start, and random seed of a run.
pub(crate) struct Plan {
    pub(crate) gaussians: usize,
    pub(crate) iterations: usize,
    pub(crate) opacity: f32,
    pub(crate) seed: u64,
}

impl Plan {
    /// The number of Gaussians at the start of `iteration`.
    fn gaussians_at(&self, iteration: usize) -> usize {
        let first = ((self.gaussians as f64 * FIRST_SHARE).ceil() as usize).max(1);
        let span = (self.iterations as f64 * ADDED_BY / ADDITIONS as f64).max(1.0);
        let additions = ((iteration as f64 / span) as usize).min(ADDITIONS);
        first + (self.gaussians - first) * additions / ADDITIONS
    }

    /// The factor of the step sizes. It decreases from 1 to [`LAST_STEP`] along half a cosine.
    fn step_factor(&self, iteration: usize) -> f32 {
        let progress = iteration as f32 / self.iterations as f32;
        LAST_STEP + (1.0 - LAST_STEP) * 0.5 * (1.0 + (std::f32::consts::PI * progress).cos())
    }
}

/// The result of a fit.
pub(crate) struct Fitted {
    pub(crate) parameters: Parameters<f32>,
    /// `[H, W, 3]`
    pub(crate) rendered: Vec<f32>,
    /// The splats of `rendered`.
    pub(crate) splats: Splats<Vec<f32>>,
}

/// Fits Gaussians to a photograph and reports the progress to `progress`.
pub(crate) fn fit(
    photo: &Photo,
    plan: &Plan,
    progress: &ProgressBar,
) -> Result<Fitted, RenderError> {
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
    let mut parameters = seeding::first(photo, plan.gaussians_at(0), plan.opacity, &mut rng);
    let mut adam = Adam::default();
    let canvas = Canvas::new(photo);
    for iteration in 0..plan.iterations {
        let Differentiated { rendered, v, .. } = canvas.gradient(&parameters)?;
        adam.step(&mut parameters, &v, &STEPS, plan.step_factor(iteration));
        let missing = plan.gaussians_at(iteration + 1) - parameters.len();
        if missing > 0 {
            seeding::add(&mut parameters, photo, &rendered, missing, &mut rng);
        }
        if iteration % REPORT_EVERY == 0 {
            progress.set_message(format!("{:.2} dB", photo.psnr(&rendered)));
        }
        progress.inc(1);
    }
    let missing = plan.gaussians - parameters.len();
    let mut last = canvas.gradient(&parameters)?;
    if missing > 0 {
        seeding::add(&mut parameters, photo, &last.rendered, missing, &mut rng);
        last = canvas.gradient(&parameters)?;
    }
    Ok(Fitted {
        parameters,
        rendered: last.rendered,
        splats: last.splats,
    })
}

/// A rendered picture, its splats, and the gradient of its error with respect to the parameters.
struct Differentiated {
    rendered: Vec<f32>,
    splats: Splats<Vec<f32>>,
    v: Parameters<f32>,
}

/// The renderer and the photograph that its pictures are compared with.
struct Canvas<'a> {
    photo: &'a Photo,
    backend: Cpu<f32>,
    config: RenderConfig,
    background: [f32; 3],
}

impl<'a> Canvas<'a> {
    fn new(photo: &'a Photo) -> Self {
        Self {
            photo,
            backend: Cpu::new(),
            config: RenderConfig::default(),
            background: photo.mean(),
        }
    }

    /// Renders the picture and computes the gradient of its mean square error.
    fn gradient(&self, parameters: &Parameters<f32>) -> Result<Differentiated, RenderError> {
        let (photo, backend) = (self.photo, &self.backend);
        let splats = parameters.splats();
        let splats = backend.splats(splats, photo.width, photo.height, &self.config)?;
        let view = splats.as_slices();
        let hits = backend.bin(&view, photo.width, photo.height)?;
        let sorted = backend.sort(&view, hits)?;
        let (image, composited) =
            backend.composite(&view, &sorted, &self.background, &self.config)?;
        let gain = 2.0 / photo.colours.len() as f32;
        let v_colours: Vec<f32> = image
            .features
            .iter()
            .zip(&photo.colours)
            .map(|(a, b)| gain * (a - b))
            .collect();
        let v_image = Image::from_features(v_colours.as_slice());
        let wanted = Wanted::NONE.with_geometry(true).with_features(true);
        let (v_splats, _) = backend.composite_vjp(
            &view,
            &sorted,
            &self.background,
            &composited,
            &v_image,
            wanted,
        )?;
        let v = parameters.splats_vjp(&splats, v_splats)?;
        Ok(Differentiated {
            rendered: image.features,
            splats,
            v,
        })
    }
}
