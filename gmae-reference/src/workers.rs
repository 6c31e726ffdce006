//! Threads that each compute a whole piece of a batch.
//!
//! Most of Burn's CPU operations run on one thread. Giving each core a whole piece is therefore
//! faster than sharing one operation between all cores. The pieces do not depend on the number of
//! threads, and the results are returned in the order of the pieces. The results therefore do not
//! depend on the number of threads.

use crate::error::Error;

/// One single-threaded pool per core. Parallel code inside a piece stays on the thread of that
/// piece. If there is no pool, the caller computes the pieces one after the other. GPU backends use
/// no pool, because a GPU executes one operation after the other.
#[derive(Debug)]
pub struct Workers {
    pools: Vec<rayon::ThreadPool>,
}

impl Workers {
    /// Creates `threads` workers, or one per core if `threads` is 0.
    ///
    /// # Errors
    ///
    /// [`Error::Threads`] if the operating system cannot start the threads.
    pub fn new(threads: usize) -> Result<Self, Error> {
        let count = if threads == 0 {
            rayon::current_num_threads()
        } else {
            threads
        };
        let pool = |_| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(1)
                .build()
                .map_err(|error| Error::Threads(error.to_string()))
        };
        let pools = (0..count).map(pool).collect::<Result<_, _>>()?;
        Ok(Self { pools })
    }

    /// Creates no workers: the caller computes every piece.
    pub fn none() -> Self {
        Self { pools: Vec::new() }
    }

    /// Number of pieces that run at a time, at least 1.
    pub fn len(&self) -> usize {
        self.pools.len().max(1)
    }

    /// Returns false: if there is no pool, the caller is the only worker.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Applies `work` to every piece and returns the results in the order of the pieces. If there
    /// are at most [`Workers::len`] pieces, each piece runs on its own core.
    ///
    /// # Panics
    ///
    /// Panics if `work` panics.
    pub fn run<P: Send, R: Send>(&self, pieces: Vec<P>, work: impl Fn(P) -> R + Sync) -> Vec<R> {
        if self.pools.is_empty() {
            return pieces.into_iter().map(work).collect();
        }
        let work = &work;
        std::thread::scope(|scope| {
            let started: Vec<_> = pieces
                .into_iter()
                .zip(self.pools.iter().cycle())
                .map(|(piece, pool)| scope.spawn(move || pool.install(|| work(piece))))
                .collect();
            let finish = |thread: std::thread::ScopedJoinHandle<R>| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            started.into_iter().map(finish).collect()
        })
    }
}
