//! Threads that each compute a piece of a batch from end to end.
//!
//! Most of Burn's CPU operations run on one thread, so cutting a batch into pieces and giving every
//! core a whole piece is faster than giving all cores one operation at a time. How a batch is cut
//! does not depend on the number of threads, and pieces come back in order, so results do not
//! depend on it either.

use crate::error::Error;

/// One pool of a single thread per core. Whatever a piece parallelises inside stays on its own
/// core. Without a pool, for devices that do one thing after the other anyway, pieces are computed
/// by the caller.
#[derive(Debug)]
pub struct Workers {
    pools: Vec<rayon::ThreadPool>,
}

impl Workers {
    /// `threads` workers; as many as there are cores if 0.
    ///
    /// # Errors
    ///
    /// [`Error::Threads`] if the operating system refuses.
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

    /// No workers: the caller does everything.
    pub fn none() -> Self {
        Self { pools: Vec::new() }
    }

    /// How many pieces run at a time, at least 1.
    pub fn len(&self) -> usize {
        self.pools.len().max(1)
    }

    /// Never true: there is at least the caller.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Applies `work` to at most [`Workers::len`] pieces, each on its own core, and returns the
    /// results in order.
    ///
    /// # Panics
    ///
    /// If `work` does.
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
