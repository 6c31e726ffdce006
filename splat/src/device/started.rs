//! The start of a device: panics of the runtime as errors, and the list of the devices that were
//! started.

use std::any::TypeId;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use cubecl::device::{Device, DeviceId};

/// Runs `ask` and converts a panic to an error. A panic is the only way in which `CubeCL` reports a
/// missing adapter or driver, or a lost device.
pub(crate) fn caught<T>(ask: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(ask)).map_err(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
        said.unwrap_or("a panic of the runtime").to_owned()
    })
}

/// [`caught`] for a future.
pub(crate) async fn caught_while_polled<T>(ask: impl Future<Output = T>) -> Result<T, String> {
    let mut ask = pin!(ask);
    poll_fn(|context| match caught(|| ask.as_mut().poll(context)) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

/// A type of devices and a device of this type. Two runtimes may number their devices alike.
type Key = (TypeId, DeviceId);

/// The devices that have a client of `CubeCL`, and those for which [`begin`] was called. The flag
/// states whether the device has its client.
static STARTED: Mutex<Vec<(Key, bool)>> = Mutex::new(Vec::new());

fn started() -> MutexGuard<'static, Vec<(Key, bool)>> {
    STARTED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn key<D: Device>(device: &D) -> Key {
    (TypeId::of::<D>(), device.to_id())
}

/// Records that `device` has a client of `CubeCL`.
pub(crate) fn mark_started<D: Device>(device: &D) {
    mark(key(device));
}

fn mark(key: Key) {
    let mut started = started();
    match started.iter_mut().find(|(other, _)| *other == key) {
        Some((_, done)) => *done = true,
        None => started.push((key, true)),
    }
}

/// The state of a device.
#[cfg(feature = "wgpu")]
pub(crate) enum Start {
    /// The device has its client.
    Done,
    /// Another call is starting the device.
    Busy,
    /// The caller starts the device.
    Mine(Starting),
}

/// A device that is being started. If the value is dropped before [`Starting::done`], for example
/// because its future was dropped, the device counts as not started.
#[cfg(feature = "wgpu")]
pub(crate) struct Starting(Key);

#[cfg(feature = "wgpu")]
impl Starting {
    /// Records that the device has its client.
    pub(crate) fn done(self) {
        mark(self.0);
    }
}

#[cfg(feature = "wgpu")]
impl Drop for Starting {
    fn drop(&mut self) {
        started().retain(|(key, done)| *done || *key != self.0);
    }
}

/// Returns whether `device` has its client. If it has none, the caller may create it, and no other
/// call of this function permits this until [`Starting`] is dropped.
#[cfg(feature = "wgpu")]
pub(crate) fn begin<D: Device>(device: &D) -> Start {
    let key = key(device);
    let mut started = started();
    match started.iter().find(|(other, _)| *other == key) {
        Some((_, true)) => Start::Done,
        Some((_, false)) => Start::Busy,
        None => {
            started.push((key, false));
            Start::Mine(Starting(key))
        }
    }
}
