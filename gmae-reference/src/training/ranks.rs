//! Data-parallel training: several processes compute parts of each batch.
//!
//! Process number `rank` computes the images of its part of a batch. The sum over all processes is
//! the gradient of the whole batch. `batch_size` is the size of the whole batch. The number of
//! processes is therefore not a setting, and a run can be resumed with another number.

use std::ops::Range;
use std::rc::Rc;

use crate::error::Error;

/// The engine that connects the processes.
pub trait AllReduce {
    /// Replaces `values` in every process by their sum over all processes, added in the order of
    /// the ranks. Every process calls the method with the same number of values.
    ///
    /// # Errors
    ///
    /// [`Error::Ranks`] if the engine can report a lost process. An engine can also end the
    /// process.
    fn sum(&self, values: &mut [f32]) -> Result<(), Error>;
}

/// The rank of this process and the number of processes that train together.
#[derive(Clone)]
pub struct Ranks {
    rank: usize,
    count: usize,
    engine: Option<Rc<dyn AllReduce>>,
}

impl Ranks {
    /// A process that trains by itself.
    pub fn alone() -> Self {
        Self {
            rank: 0,
            count: 1,
            engine: None,
        }
    }

    /// Process number `rank` of `count`, connected by `engine`.
    pub fn new(rank: usize, count: usize, engine: Rc<dyn AllReduce>) -> Self {
        Self {
            rank,
            count,
            engine: Some(engine),
        }
    }

    /// Number of processes.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns whether this process writes the files and the output. There is one such process.
    pub fn writes(&self) -> bool {
        self.rank == 0
    }

    /// The images that this process computes in a step of `images` images.
    pub(super) fn part(&self, images: usize) -> Range<usize> {
        let border = |rank: usize| images * rank / self.count;
        border(self.rank)..border(self.rank + 1)
    }

    /// Sums `values` over all processes. A process that trains by itself does nothing.
    ///
    /// # Errors
    ///
    /// The error of the engine.
    pub(super) fn sum(&self, values: &mut [f32]) -> Result<(), Error> {
        match &self.engine {
            None => Ok(()),
            Some(engine) => engine.sum(values),
        }
    }

    /// Checks that `digest` is the same in every process. Every process calls the method.
    ///
    /// # Errors
    ///
    /// [`Error::Ranks`] in at least one process if the digests differ.
    pub(crate) fn expect_same(&self, digest: &[u8]) -> Result<(), Error> {
        let own: Vec<f32> = digest.iter().map(|&byte| f32::from(byte)).collect();
        // Sums of bytes are exact in `f32`.
        let mut sums = own.clone();
        self.sum(&mut sums)?;
        let count = self.count as f32;
        if sums.iter().zip(&own).all(|(sum, own)| *sum == count * own) {
            return Ok(());
        }
        Err(Error::Ranks(format!(
            "expected the same settings, data, step and weights in all {count}, got some that differ \
             from those of rank {}",
            self.rank
        )))
    }

    /// Waits until every process has reached this point.
    ///
    /// # Errors
    ///
    /// The error of the engine.
    pub fn wait_for_all(&self) -> Result<(), Error> {
        self.sum(&mut [0.0])
    }
}
