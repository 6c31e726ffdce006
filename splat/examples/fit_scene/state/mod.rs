//! The state of a run, and one iteration.

mod adam;
mod gradient;
mod revision;

use std::path::Path;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use splat::activation::{opacities_from_logits, scales_from_logs};
use splat::density::Observed;
use splat::encoding::Features;
use splat::io::{Colours, Format, StoredScene};
use splat::{Gaussians, RenderError};

use crate::dataset::{Dataset, Photo};
use crate::plan::{Plan, Strategy};
pub(crate) use adam::Adam;
use gradient::Gradient;
pub(crate) use gradient::{Loss, Renderer};

/// Number of parts of the history.
const HISTORY: usize = 100;
/// First stream of the random numbers of the iterations. The lower ones are those of the orders of the
/// pictures.
const ITERATIONS: u64 = 1 << 32;

/// A part of the run in the history.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Passed {
    /// Iterations at its end.
    pub(crate) iterations: usize,
    pub(crate) gaussians: usize,
    /// Mean peak signal-to-noise ratio of the pictures, dB.
    pub(crate) psnr: f64,
}

/// How a run has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Complete,
    /// By a signal.
    Interrupted,
}

pub(crate) struct State {
    /// Logarithms of scales, logits of opacities and harmonics.
    pub(crate) gaussians: Gaussians<Vec<f32>>,
    pub(crate) adam: Adam,
    /// The number of iterations that are done.
    pub(crate) iteration: usize,
    pub(crate) history: Vec<Passed>,
    pub(crate) observed: Observed,
    /// Sum of the ratios since the last part of the history, dB.
    pub(crate) psnr: f64,
    pub(crate) renderer: Renderer,
}

impl State {
    /// Returns the state at the start.
    pub(crate) fn new(gaussians: Gaussians<Vec<f32>>) -> Result<Self, String> {
        let observed = Observed::new(gaussians.count);
        Ok(Self {
            observed: observed.map_err(|error| error.to_string())?,
            adam: Adam::new(&gaussians),
            gaussians,
            iteration: 0,
            history: Vec::new(),
            psnr: 0.0,
            renderer: Renderer::new(),
        })
    }

    /// Does one iteration: the step of one picture.
    ///
    /// # Errors
    /// One line: those of a render, and a loss that is not finite.
    pub(crate) fn step(&mut self, data: &Dataset, plan: &Plan) -> Result<Loss, String> {
        let loss = self.try_step(data, plan);
        let loss = loss.map_err(|error| format!("iteration {}: {error}", self.iteration + 1))?;
        if !loss.value.is_finite() {
            let (iteration, value) = (self.iteration, loss.value);
            return Err(format!(
                "iteration {iteration}: expected a finite loss, got {value}"
            ));
        }
        if self.gaussians.count == 0 {
            let iteration = self.iteration;
            return Err(format!(
                "iteration {iteration}: expected a Gaussian that is kept, got none: all are almost \
                 transparent or too large"
            ));
        }
        Ok(loss)
    }

    fn try_step(&mut self, data: &Dataset, plan: &Plan) -> Result<Loss, RenderError> {
        let photo = self.photo(data, plan);
        let observes = plan.observes(self.iteration);
        let gradient = self
            .renderer
            .gradient(&self.gaussians, photo, data.background, observes)?;
        let Gradient {
            loss,
            gaussians: mut v,
            statistics,
        } = gradient;
        if let Some(statistics) = statistics {
            // 3DGS scales x by half the width and y by half the height.
            let unit = 0.5 * photo.view.width.max(photo.view.height) as f64;
            self.observed.add(&statistics, unit)?;
        }
        let sizes = plan.step_sizes(self.iteration, data.focus.extent);
        keep_degree(&mut v, plan.degree_at(self.iteration));
        let mut rng = random(plan.seed, ITERATIONS + self.iteration as u64);
        if plan.strategy == Strategy::Mcmc {
            revision::regularise(&self.gaussians, &mut v, data.focus.extent)?;
        }
        self.adam.step(&mut self.gaussians, &v, &sizes);
        self.renderer.recycle(v);
        if plan.strategy == Strategy::Mcmc {
            revision::add_noise(
                &mut self.gaussians,
                sizes.means,
                data.focus.extent,
                &mut rng,
            )?;
        }
        self.iteration += 1;
        if let Some(change) = plan.change_after(self.iteration) {
            let gradients = self.observed.mean_gradients();
            let (gaussians, adam) = (&mut self.gaussians, &mut self.adam);
            revision::revise(
                gaussians,
                adam,
                &gradients,
                change,
                data.focus.extent,
                &mut rng,
            )?;
            self.observed = Observed::new(self.gaussians.count)?;
        }
        self.remember(plan, loss);
        Ok(loss)
    }

    /// Returns the photograph of the next iteration. Every photograph comes once, in a random order,
    /// before one comes again.
    fn photo<'a>(&self, data: &'a Dataset, plan: &Plan) -> &'a Photo {
        let count = data.trained.len();
        let mut order: Vec<usize> = (0..count).collect();
        let round = (self.iteration / count) as u64;
        order.shuffle(&mut random(plan.seed, 1 + round));
        &data.trained[order[self.iteration % count]]
    }

    fn remember(&mut self, plan: &Plan, loss: Loss) {
        self.psnr += loss.psnr;
        let before = self.history.last().map_or(0, |passed| passed.iterations);
        let every = plan.iterations.div_ceil(HISTORY);
        if self.iteration.is_multiple_of(every) || self.iteration == plan.iterations {
            self.history.push(Passed {
                iterations: self.iteration,
                gaussians: self.gaussians.count,
                psnr: self.psnr / (self.iteration - before) as f64,
            });
            self.psnr = 0.0;
        }
    }

    /// Returns how the run has ended.
    pub(crate) fn end(&self, plan: &Plan) -> End {
        if self.iteration < plan.iterations {
            End::Interrupted
        } else {
            End::Complete
        }
    }

    /// Writes the Gaussians to a PLY file, in coordinates of the world.
    pub(crate) fn write_scene(&self, path: &Path, origin: [f64; 3]) -> Result<(), String> {
        let gaussians = &self.gaussians;
        let degree = match gaussians.encoding.features {
            Features::Harmonics { stored, .. } => stored.isqrt().saturating_sub(1) as u32,
            _ => 0,
        };
        let scene = StoredScene::new(
            gaussians.means.clone(),
            scales_from_logs(&gaussians.scales),
            gaussians.quaternions.clone(),
            opacities_from_logits(&gaussians.opacities),
            Colours::Harmonics {
                degree,
                coefficients: gaussians.features.clone(),
            },
        );
        let mut scene = scene.map_err(|error| error.to_string())?;
        scene.origin = origin;
        splat::io::write(path, &scene, Format::Ply).map_err(|error| error.to_string())
    }
}

/// Sets the gradient with respect to harmonics above a degree to zero.
fn keep_degree(v: &mut Gaussians<Vec<f32>>, degree: u32) {
    let row = v.features.len() / v.count.max(1);
    let trained = 3 * (degree as usize + 1).pow(2);
    if trained < row {
        for row in v.features.chunks_exact_mut(row) {
            row[trained..].fill(0.0);
        }
    }
}

/// Returns one of the streams of random numbers of a seed.
fn random(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}
