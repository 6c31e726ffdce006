//! The engine that connects processes by MPI.
//!
//! `mpirun` or a cluster's `srun` starts the processes. If one of them ends with an error, it ends
//! the others. If one of them is killed, `mpirun` ends the others.

use std::rc::Rc;

use mpi::Threading;
use mpi::environment::Universe;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives};

use crate::error::Error;
use crate::training::{AllReduce, Ranks};

/// The connection of this process to the others. It must live until the last sum.
pub(crate) struct Connection {
    universe: Universe,
}

impl Connection {
    /// Connects this process to those that were started together with it. The launcher states that
    /// there are `expected` processes.
    ///
    /// # Errors
    ///
    /// [`Error::Ranks`] if MPI cannot be initialised or finds another number of processes.
    pub(crate) fn open(expected: usize) -> Result<Self, Error> {
        // Only the thread that trains calls MPI.
        let (universe, _) = mpi::initialize_with_threading(Threading::Funneled)
            .ok_or_else(|| Error::Ranks("MPI could not be initialised".to_owned()))?;
        let found = universe.world().size() as usize;
        if found != expected {
            return Err(Error::Ranks(format!(
                "expected {expected}, the number that the launcher states, got {found}: the MPI library \
                 of this program does not belong to the launcher"
            )));
        }
        Ok(Self { universe })
    }

    /// The rank of this process and the number of processes.
    pub(crate) fn ranks(&self) -> Ranks {
        let world = self.universe.world();
        let (rank, count) = (world.rank() as usize, world.size() as usize);
        Ranks::new(rank, count, Rc::new(World(world)))
    }

    /// Ends all processes with an exit code.
    pub(crate) fn abort(&self, code: u8) -> ! {
        self.universe.world().abort(i32::from(code))
    }
}

/// Ends all processes if this one panics. They would wait for it otherwise.
impl Drop for Connection {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.abort(101);
        }
    }
}

struct World(SimpleCommunicator);

impl AllReduce for World {
    /// Each process receives one slice of the values of all processes, adds it in the order of the
    /// ranks, and sends the sum to all others. MPI's own reduction can add in any order.
    fn sum(&self, values: &mut [f32]) -> Result<(), Error> {
        let count = self.0.size() as usize;
        let slice = values.len().div_ceil(count);
        let mut padded = values.to_vec();
        padded.resize(slice * count, 0.0);
        let mut slices = vec![0.0_f32; slice * count];
        self.0.all_to_all_into(&padded[..], &mut slices[..]);
        let mut ranks = slices.chunks(slice.max(1));
        let mut sum = ranks.next().map(<[f32]>::to_vec).unwrap_or_default();
        for rank in ranks {
            sum.iter_mut()
                .zip(rank)
                .for_each(|(sum, value)| *sum += value);
        }
        self.0.all_gather_into(&sum[..], &mut padded[..]);
        values.copy_from_slice(&padded[..values.len()]);
        Ok(())
    }
}
