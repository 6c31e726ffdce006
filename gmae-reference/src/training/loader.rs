//! Reads and decodes images ahead of the steps, on separate threads.
//!
//! The samples of a run have numbers in the order in which the steps use them. Each thread takes
//! the next number, prepares the sample, and puts it into a bounded queue. The step takes the
//! samples in order. A sample does not depend on the thread that prepares it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, Scope};
use std::time::{Duration, Instant};

use super::sampling::{Draw, Piece, Prepared, Sampler, sample};
use crate::config::Config;
use crate::data::Dataset;
use crate::error::Error;
use crate::terminal::{interrupt, note};

/// Time after which the wait for one image is reported.
const SLOW: Duration = Duration::from_secs(30);

/// Threads and memory of a loader.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LoaderOptions {
    /// Number of threads, or 0 for one per core.
    pub threads: usize,
    /// Largest size of the prepared samples that wait for a step, in bytes. The queue has room for
    /// at least one sample and for at most two batches.
    pub memory: usize,
}

impl Default for LoaderOptions {
    /// One thread per core, 256 MiB.
    fn default() -> Self {
        Self {
            threads: 0,
            memory: 256 << 20,
        }
    }
}

/// The samples that a loader prepares: those of this process.
#[derive(Clone, Debug)]
pub(super) struct Share {
    /// The steps, counted from 0.
    pub(super) steps: Range<usize>,
    /// The images of each step.
    pub(super) images: Range<usize>,
}

/// Prepared samples, and the threads that prepare more.
pub(super) struct Loader<'a> {
    config: Config,
    data: &'a dyn Dataset,
    share: Share,
    threads: usize,
    capacity: usize,
    queue: Mutex<Queue>,
    changed: Condvar,
    /// Nanoseconds that the threads have spent preparing samples.
    busy: AtomicU64,
    /// Nanoseconds that the steps have waited for samples.
    waited: AtomicU64,
}

type Sample = Result<Prepared, Error>;

struct Queue {
    sampler: Sampler,
    /// Number of the next sample to be prepared.
    next: usize,
    /// Number of the next sample to be used.
    used: usize,
    ready: BTreeMap<usize, Sample>,
    /// Set when no more samples are needed, or when a thread has panicked.
    over: bool,
}

impl<'a> Loader<'a> {
    /// Creates a loader without threads.
    pub(super) fn new(
        config: Config,
        data: &'a dyn Dataset,
        share: Share,
        options: &LoaderOptions,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if options.threads == 0 {
            cores
        } else {
            options.threads
        };
        let bytes = config.image_len() * size_of::<f32>() + config.patches() * size_of::<usize>();
        let capacity = (options.memory / bytes.max(1)).min(2 * share.images.len());
        Self {
            config,
            data,
            share,
            // More threads than places in the queue would only wait.
            threads: threads.min(capacity.max(1)),
            capacity: capacity.max(1),
            queue: Mutex::new(Queue {
                sampler: Sampler::new(config, data.len()),
                next: 0,
                used: 0,
                ready: BTreeMap::new(),
                over: false,
            }),
            changed: Condvar::new(),
            busy: AtomicU64::new(0),
            waited: AtomicU64::new(0),
        }
    }

    /// Starts the threads. They end when the result is dropped, or when every sample has been
    /// prepared.
    ///
    /// # Errors
    ///
    /// [`Error::Threads`] if the operating system cannot start a thread.
    pub(super) fn start<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
    ) -> Result<Running<'scope>, Error> {
        let running = Running(self);
        for _ in 0..self.threads {
            let prepare = move || {
                let _stop_if_panicked = StopIfPanicked(self);
                self.prepare();
            };
            Builder::new()
                .spawn_scoped(scope, prepare)
                .map_err(|error| Error::Threads(error.to_string()))?;
        }
        Ok(running)
    }

    /// Number of images that this process prepares for each step.
    pub(super) fn images(&self) -> usize {
        self.share.images.len()
    }

    /// Ends the threads after their current samples.
    fn stop(&self) {
        self.lock().over = true;
        self.changed.notify_all();
    }

    /// Iterates over the pieces of the next step, in order. After an interruption there is no
    /// further piece.
    ///
    /// # Errors
    ///
    /// The error of a sample, after which there is no further piece.
    pub(super) fn pieces(&self) -> impl Iterator<Item = Result<Piece, Error>> {
        let mut left = self.share.images.len();
        let size = self.config.images_per_piece();
        std::iter::from_fn(move || {
            let count = size.min(left);
            left -= count;
            let piece = if count > 0 { self.piece(count) } else { None };
            if !matches!(piece, Some(Ok(_))) {
                left = 0;
            }
            piece
        })
    }

    /// Total time that the steps have waited for samples.
    pub(super) fn waited(&self) -> Duration {
        Duration::from_nanos(self.waited.load(Ordering::Relaxed))
    }

    /// The number of threads, and the total time that they have spent preparing samples.
    pub(super) fn busy(&self) -> (usize, Duration) {
        let busy = Duration::from_nanos(self.busy.load(Ordering::Relaxed));
        (self.threads, busy)
    }

    fn piece(&self, count: usize) -> Option<Result<Piece, Error>> {
        let mut piece = Piece::default();
        piece.batch.pixels.reserve(count * self.config.image_len());
        for _ in 0..count {
            match self.next_sample()? {
                Ok(sample) => piece.push(sample),
                Err(error) => return Some(Err(error)),
            }
        }
        Some(Ok(piece))
    }

    /// Waits for the next sample in order. The result is `None` after an interruption: a read that
    /// hangs must not keep the run from saving its state.
    fn next_sample(&self) -> Option<Sample> {
        let mut queue = self.lock();
        let used = queue.used;
        let begun = Instant::now();
        let mut noted = false;
        while !interrupt::requested() {
            if !noted && begun.elapsed() > SLOW {
                note(
                    "warning: a step has waited for an image for 30 seconds: reading the data may hang",
                );
                noted = true;
            }
            if let Some(sample) = queue.ready.remove(&used) {
                queue.used += 1;
                drop(queue);
                self.changed.notify_all();
                add(&self.waited, begun);
                return Some(sample);
            }
            if queue.over {
                // The scope of the threads repeats the panic.
                let ended = Error::Threads("a loader thread has ended early".to_owned());
                return Some(Err(ended));
            }
            queue = wait(&self.changed, queue);
        }
        None
    }

    /// Prepares samples until there are no more.
    fn prepare(&self) {
        while let Some((number, draw)) = self.next_draw() {
            let begun = Instant::now();
            let sample = draw.and_then(|draw| sample(&self.config, self.data, draw));
            add(&self.busy, begun);
            self.lock().ready.insert(number, sample);
            self.changed.notify_all();
        }
    }

    /// Waits for room in the queue and takes the number of the next sample.
    fn next_draw(&self) -> Option<(usize, Result<Draw, Error>)> {
        let per_step = self.share.images.len();
        let mut queue = self.lock();
        while !queue.over && queue.next >= queue.used + self.capacity {
            queue = wait(&self.changed, queue);
        }
        let number = queue.next;
        if queue.over || number >= self.share.steps.len() * per_step {
            return None;
        }
        queue.next += 1;
        let step = self.share.steps.start + number / per_step;
        let image = self.share.images.start + number % per_step;
        let draw = queue.sampler.draw(self.data, step, image);
        Some((number, draw))
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the threads of a loader when it is dropped, also if a step panics.
pub(super) struct Running<'a>(&'a Loader<'a>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Ends the loader if a thread panics.
struct StopIfPanicked<'a>(&'a Loader<'a>);

impl Drop for StopIfPanicked<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

/// Waits for a change of the queue, or for the time after which an interruption is noticed.
fn wait<'a>(changed: &Condvar, queue: MutexGuard<'a, Queue>) -> MutexGuard<'a, Queue> {
    let waited = changed.wait_timeout(queue, Duration::from_millis(100));
    waited.unwrap_or_else(PoisonError::into_inner).0
}

fn add(total: &AtomicU64, begun: Instant) {
    let nanoseconds = begun.elapsed().as_nanos();
    total.fetch_add(nanoseconds as u64, Ordering::Relaxed);
}
