//! The order of images, their crops and their masks.
//!
//! Everything random is a function of the seed and of a position in the run. A run therefore has no
//! generator whose state would have to be saved: the step number determines the rest.

use rand::SeedableRng;
use rand::seq::SliceRandom;
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
}

/// The random numbers of `purpose` at `position`; no two streams overlap.
pub(crate) fn stream(seed: u64, purpose: Stream, position: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // Stream 0 is the initial weights'. Positions stay below 2^60: they count samples.
    rng.set_stream((1 + purpose as u64) << 60 | position);
    rng
}

/// The order of samples.
#[derive(Clone, Debug)]
pub struct Sampler {
    config: Config,
    len: usize,
    order: Option<(usize, Vec<usize>)>,
}

impl Sampler {
    /// A sampler over `len` images, at least 1.
    pub fn new(config: Config, len: usize) -> Self {
        Self {
            config,
            len,
            order: None,
        }
    }

    /// Steps in an epoch. What is left over when the batches are full is left out of that epoch; a
    /// data set smaller than a batch makes one step.
    pub fn steps_per_epoch(&self) -> usize {
        (self.len / self.config.batch_size.max(1)).max(1)
    }

    /// The batch of step `step`, counted from 0.
    ///
    /// # Errors
    ///
    /// The data set's error if an image cannot be had, and [`Error::Length`] if one has another
    /// size than the configuration asks for, or the set another length than the sampler.
    pub fn batch(&mut self, data: &dyn Dataset, step: usize) -> Result<Batch, Error> {
        check_len("images of the data set", self.len, data.len())?;
        let epoch = step / self.steps_per_epoch();
        let start = step % self.steps_per_epoch() * self.config.batch_size;
        let seen = epoch * self.len + start;
        let config = self.config;
        let order = self.epoch_order(epoch);
        let indices = &order[start..order.len().min(start + config.batch_size)];
        let samples: Vec<(Vec<f32>, Mask)> = indices
            .par_iter()
            .enumerate()
            .map(|(i, &index)| sample(&config, data, index, (seen + i) as u64))
            .collect::<Result<_, _>>()?;
        let (pixels, masks): (Vec<_>, Vec<_>) = samples.into_iter().unzip();
        Ok(Batch {
            pixels: pixels.concat(),
            masks,
        })
    }

    fn epoch_order(&mut self, epoch: usize) -> &[usize] {
        if self.order.as_ref().is_none_or(|(known, _)| *known != epoch) {
            let mut order: Vec<usize> = (0..self.len).collect();
            order.shuffle(&mut stream(self.config.seed, Stream::Order, epoch as u64));
            self.order = Some((epoch, order));
        }
        self.order.as_ref().map_or(&[], |(_, order)| order)
    }
}

/// Pixels `[H, W, 3]` and mask of the sample at `position` in the run.
fn sample(
    config: &Config,
    data: &dyn Dataset,
    index: usize,
    position: u64,
) -> Result<(Vec<f32>, Mask), Error> {
    let image = data.image(
        index,
        &mut stream(config.seed, Stream::Augmentation, position),
    )?;
    let pixels = pixels(config, image)?;
    let mut rng = stream(config.seed, Stream::Mask, position);
    let mask = Mask::random(config.patches(), config.visible(), &mut rng);
    Ok((pixels, mask))
}

/// The pixels of an image of the configured size.
fn pixels(config: &Config, image: Image) -> Result<Vec<f32>, Error> {
    let size = config.image_size;
    check_len("width of an image", size, image.width)?;
    check_len("height of an image", size, image.height)?;
    check_len(
        "numbers of an image",
        config.image_len(),
        image.pixels.len(),
    )?;
    Ok(image.pixels)
}

/// `count` images at fixed places of `data`, spread evenly, under masks that never change.
///
/// # Errors
///
/// As [`Sampler::batch`].
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
