//! Settings and labelled images for the tests.

use rand_chacha::ChaCha8Rng;

use crate::config::{Config, Preset};
use crate::data::{DataError, Dataset, Image, Sample, Shapes};

/// Number of classes of [`Labelled`].
pub(super) const CLASSES: usize = 3;

/// Returns settings of a narrow model of images of 16 x 16 px in 16 patches, 4 of them visible. A
/// piece has 8 images.
pub(super) fn config() -> Config {
    Config {
        image_size: 16,
        encoder_width: 16,
        encoder_depth: 2,
        encoder_heads: 2,
        decoder_width: 8,
        decoder_depth: 1,
        decoder_heads: 2,
        gaussians: 4,
        ..Preset::Nano.config()
    }
}

/// Generated images of 16 x 16 px with one label each.
pub(super) struct Labelled {
    shapes: Shapes,
    /// The labels. Without one, an image has no class.
    pub(super) labels: Vec<Option<usize>>,
}

impl Labelled {
    /// Creates `count` images. Image i has the class `5 i mod 3`.
    pub(super) fn new(count: usize) -> Self {
        Self {
            shapes: Shapes::new(3, count, config().image_size).expect("a size"),
            labels: (0..count).map(|i| Some(5 * i % CLASSES)).collect(),
        }
    }

    /// The pixels of image `index`.
    pub(super) fn pixels(&self, index: usize) -> Vec<f32> {
        self.shapes.scene(index).image.pixels
    }
}

impl Dataset for Labelled {
    fn len(&self) -> usize {
        self.shapes.len()
    }

    fn image(&self, index: usize, rng: &mut ChaCha8Rng) -> Result<Image, DataError> {
        self.shapes.image(index, rng)
    }

    fn sample(&self, index: usize, rng: &mut ChaCha8Rng) -> Result<Sample, DataError> {
        Ok(Sample {
            image: self.image(index, rng)?,
            label: self.labels[index],
            corners: None,
        })
    }

    fn fingerprint(&self) -> String {
        self.shapes.fingerprint()
    }
}

/// Reports no progress and never stops.
pub(super) fn go_on(_: usize, _: usize) -> bool {
    true
}

/// Runs on a pool of this many threads.
pub(super) fn on_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.expect("a pool").install(run)
}
