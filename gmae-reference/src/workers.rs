//! Threads that each compute a whole piece of a batch.
//!
//! Most of Burn's CPU operations run on one thread. Giving each core a whole piece is therefore
//! faster than sharing one operation between all cores. The pieces do not depend on the number of
//! threads, and their results are taken in the order of the pieces. The results therefore do not
//! depend on the number of threads.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

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

    /// Applies `work` to every piece and passes the results to `take`, in the order of the pieces.
    ///
    /// While a worker computes a piece, the next piece waits for it. A worker that has a result
    /// waits until the result is taken, so that at most one result per worker is in memory.
    ///
    /// # Errors
    ///
    /// The first error of `pieces` or of `take`. Pieces that are being computed are completed and
    /// discarded.
    ///
    /// # Panics
    ///
    /// Panics if `work` panics.
    pub fn run<P: Send, R: Send, E>(
        &self,
        pieces: impl Iterator<Item = Result<P, E>>,
        work: impl Fn(P) -> R + Sync,
        mut take: impl FnMut(R) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.pools.is_empty() {
            for piece in pieces {
                take(work(piece?))?;
            }
            return Ok(());
        }
        let work = &work;
        std::thread::scope(|scope| {
            let lane = |pool| {
                let (send, pieces) = sync_channel(1);
                let (results, receive) = sync_channel(0);
                scope.spawn(move || compute(pool, &pieces, &results, work));
                Lane { send, receive }
            };
            let lanes: Vec<Lane<P, R>> = self.pools.iter().map(lane).collect();
            hand_out(&lanes, pieces.fuse(), &mut take)
        })
    }
}

/// The channels of one worker.
struct Lane<P, R> {
    send: SyncSender<P>,
    receive: Receiver<R>,
}

/// Computes pieces on the thread of `pool` until there are no more.
fn compute<P: Send, R: Send>(
    pool: &rayon::ThreadPool,
    pieces: &Receiver<P>,
    results: &SyncSender<R>,
    work: &(impl Fn(P) -> R + Sync),
) {
    for piece in pieces {
        let result = pool.install(|| work(piece));
        if results.send(result).is_err() {
            return;
        }
    }
}

/// Gives the pieces to the lanes in turns, and takes the results in the same order.
fn hand_out<P, R, E>(
    lanes: &[Lane<P, R>],
    mut pieces: impl Iterator<Item = Result<P, E>>,
    take: &mut impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    let lane = |number: usize| &lanes[number % lanes.len()];
    let (mut given, mut taken) = (0, 0);
    loop {
        let piece = if given - taken < 2 * lanes.len() {
            pieces.next().transpose()?
        } else {
            None
        };
        // A worker that has panicked has closed its channels. The scope repeats the panic.
        if let Some(piece) = piece {
            if lane(given).send.send(piece).is_err() {
                return Ok(());
            }
            given += 1;
        } else if taken < given {
            let Ok(result) = lane(taken).receive.recv() else {
                return Ok(());
            };
            take(result)?;
            taken += 1;
        } else {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    /// Later pieces are quicker than earlier ones.
    #[test]
    fn results_are_taken_in_the_order_of_the_pieces() {
        for threads in [1, 2, 3, 7] {
            let workers = Workers::new(threads).expect("threads");
            for count in [0, 1, 5, 20] {
                let pieces = (0..count).map(Ok::<u64, ()>);
                let work = |i: u64| {
                    std::thread::sleep(Duration::from_millis(3 * (i % 3)));
                    i * i
                };
                let mut taken = Vec::new();
                let outcome = workers.run(pieces, work, |square| {
                    taken.push(square);
                    Ok(())
                });
                assert_eq!(outcome, Ok(()));
                assert_eq!(taken, (0..count).map(|i| i * i).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn an_error_ends_the_work() {
        let workers = Workers::new(2).expect("threads");
        let done = AtomicUsize::new(0);
        let pieces = (0..100).map(|i| if i == 7 { Err("no piece") } else { Ok(i) });
        let work = |i: usize| {
            done.fetch_add(1, Ordering::Relaxed);
            i
        };
        assert_eq!(workers.run(pieces, work, |_| Ok(())), Err("no piece"));
        assert!(done.load(Ordering::Relaxed) <= 7);
        let refuse = |i| if i == 3 { Err("refused") } else { Ok(()) };
        assert_eq!(workers.run((0..100).map(Ok), |i| i, refuse), Err("refused"));
    }

    #[test]
    #[should_panic(expected = "scoped thread panicked")]
    fn a_panic_of_the_work_is_repeated() {
        let workers = Workers::new(2).expect("threads");
        let work = |i: usize| assert!(i < 5, "a fault");
        let _ = workers.run((0..100).map(Ok::<_, ()>), work, |()| Ok(()));
    }
}
