//! The order of images, their crops and their masks.
//!
//! Every random choice is a function of the seed and of the position in the run. A checkpoint
//! therefore stores the step number but no state of a random generator.

use std::sync::Arc;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::config::Config;
use crate::data::{Dataset, Image};
use crate::error::{Error, check_len};
use crate::model::{Batch, Mask};

/// The purpose of a stream of random numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stream {
    /// The order of the images in an epoch.
    Order,
    /// Crop and flip of a sample.
    Augmentation,
    /// The mask of a sample.
    Mask,
    /// The masks of held-out images.
    HeldOut,
    /// The mixing of a sample with another, when a classifier is trained.
    Mixing,
    /// The dropped branches of a sample, when a model is trained from an encoder.
    Branches,
}

/// Returns the random stream of `purpose` at `position`. No two streams overlap.
pub(crate) fn stream(seed: u64, purpose: Stream, position: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // Stream 0 draws the initial weights. Positions count samples and stay below 2^60.
    rng.set_stream((1 + purpose as u64) << 60 | position);
    rng
}

/// Number of steps in an epoch of `images` images. Images that do not fill a batch are left out of
/// the epoch. If the data set is smaller than a batch, the epoch has one step.
pub(super) fn steps_per_epoch(config: &Config, images: usize) -> usize {
    (images / config.batch_size.max(1)).max(1)
}

/// Draws the batches of a run: images, crops and masks.
#[derive(Clone, Debug)]
pub struct Sampler {
    config: Config,
    len: usize,
    order: Option<(usize, Arc<[usize]>)>,
}

/// A sample of a run: which image, and the streams of its random choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Draw {
    index: usize,
    position: u64,
}

impl Sampler {
    /// Creates a sampler over `len` images, at least 1.
    pub fn new(config: Config, len: usize) -> Self {
        Self {
            config,
            len,
            order: None,
        }
    }

    /// Number of steps in an epoch. Images that do not fill a batch are left out of the epoch. If
    /// the data set is smaller than a batch, the epoch has one step.
    pub fn steps_per_epoch(&self) -> usize {
        steps_per_epoch(&self.config, self.len)
    }

    /// Number of images of each step.
    pub(super) fn images_per_step(&self) -> usize {
        self.config.batch_size.min(self.len)
    }

    /// Returns the batch of step `step`, counted from 0.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] if the data set cannot return an image. [`Error::Length`] if an image does
    /// not have the configured size, or if the length of the data set differs from the length of
    /// the sampler.
    pub fn batch(&mut self, data: &dyn Dataset, step: usize) -> Result<Batch, Error> {
        let images = 0..self.images_per_step();
        let draws: Vec<Draw> = images
            .map(|image| self.draw(data, step, image))
            .collect::<Result<_, _>>()?;
        let config = self.config;
        let prepared: Vec<Prepared> = draws
            .par_iter()
            .map(|&draw| sample(&config, data, draw))
            .collect::<Result<_, _>>()?;
        let mut piece = Piece::default();
        for sample in prepared {
            piece.push(sample);
        }
        Ok(piece.batch)
    }

    /// Returns image number `image` of step `step`, both counted from 0.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if the length of the data set or of its order differs from the length of
    /// the sampler.
    pub(super) fn draw(
        &mut self,
        data: &dyn Dataset,
        step: usize,
        image: usize,
    ) -> Result<Draw, Error> {
        check_len("images of the data set", self.len, data.len())?;
        let steps = self.steps_per_epoch();
        let (epoch, start) = (step / steps, step % steps * self.config.batch_size);
        let order = match &self.order {
            Some((known, order)) if *known == epoch => Arc::clone(order),
            _ => {
                let rng = &mut stream(self.config.seed, Stream::Order, epoch as u64);
                Arc::from(data.order(rng))
            }
        };
        check_len("images in the order of an epoch", self.len, order.len())?;
        let draw = Draw {
            index: order[start + image],
            position: (epoch * self.len + start + image) as u64,
        };
        self.order = Some((epoch, order));
        Ok(draw)
    }
}

/// A sample that is ready for a step.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pixels: Vec<f32>,
    mask: Mask,
    label: Option<usize>,
    corners: Option<[f32; 4]>,
    position: u64,
}

/// Some images of a batch, with all that a step needs to know of them.
#[derive(Clone, Debug, Default)]
pub struct Piece {
    /// Pixels and masks.
    pub batch: Batch,
    /// The class of each image, if it has one.
    pub labels: Vec<Option<usize>>,
    /// Left, top, right and bottom of the box of the object of each image, as fractions of the
    /// sides of the image, if it is known.
    pub corners: Vec<Option<[f32; 4]>>,
    /// The position of each image in the run: the number of its stream of random choices.
    pub positions: Vec<u64>,
}

impl Piece {
    /// A piece of images without classes and boxes, which a model without random choices can use.
    pub fn unlabelled(batch: Batch) -> Self {
        let images = batch.masks.len();
        Self {
            batch,
            labels: vec![None; images],
            corners: vec![None; images],
            positions: vec![0; images],
        }
    }

    /// Adds a sample.
    pub(super) fn push(&mut self, sample: Prepared) {
        self.batch.pixels.extend(sample.pixels);
        self.batch.masks.push(sample.mask);
        self.labels.push(sample.label);
        self.corners.push(sample.corners);
        self.positions.push(sample.position);
    }
}

/// Reads the image of a sample and draws its mask.
pub(super) fn sample(
    config: &Config,
    data: &dyn Dataset,
    Draw { index, position }: Draw,
) -> Result<Prepared, Error> {
    let sample = data.sample(
        index,
        &mut stream(config.seed, Stream::Augmentation, position),
    )?;
    let pixels = pixels(config, sample.image)?;
    let mut rng = stream(config.seed, Stream::Mask, position);
    let mask = Mask::random(config.patches(), config.visible(), &mut rng);
    Ok(Prepared {
        pixels,
        mask,
        label: sample.label,
        corners: sample.corners,
        position,
    })
}

/// Checks that an image has the configured size and returns its pixels.
fn pixels(config: &Config, image: Image) -> Result<Vec<f32>, Error> {
    let size = config.image_size;
    check_len("width of an image", size, image.width)?;
    check_len("height of an image", size, image.height)?;
    check_len("values of an image", config.image_len(), image.pixels.len())?;
    Ok(image.pixels)
}

/// Returns a batch of `count` images that are spread evenly over `data`, or of all images if there
/// are fewer. The images and masks are the same on every call.
///
/// # Errors
///
/// [`Error::Data`] if the data set cannot return an image. [`Error::Length`] if an image does not
/// have the configured size.
pub fn held_out(config: &Config, data: &dyn Dataset, count: usize) -> Result<Batch, Error> {
    let count = count.min(data.len());
    let mut batch = Batch {
        pixels: Vec::new(),
        masks: Vec::new(),
    };
    for i in 0..count {
        let mut rng = stream(config.seed, Stream::HeldOut, i as u64);
        batch
            .masks
            .push(Mask::random(config.patches(), config.visible(), &mut rng));
        let image = data.image(i * data.len() / count, &mut rng)?;
        batch.pixels.extend(pixels(config, image)?);
    }
    Ok(batch)
}
