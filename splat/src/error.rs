//! The error type of the crate, and the allocation functions that return it.
//!
//! An error depends on shapes, settings, the device or capacity. Non-finite or degenerate values in
//! a buffer are not errors: the affected Gaussians are culled and counted.
//!
//! The CPU engine allocates every buffer of scalars, indices and hits through a function of this
//! file, so that a failed allocation is an error. Other allocations do not go through this file:
//!
//! - lists of tasks and copies of the views' offsets, which have one entry per strip, per row of a
//!   strip or per view;
//! - activations, the oracle, and host copies of device buffers, which are as long as their inputs.

use rayon::prelude::*;

/// The reason why a call failed. Every variant states the requirement and the value that violates
/// it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// A buffer's length or a count does not match the other arguments.
    #[error("{argument}: expected {expected}, got {got}")]
    Shape {
        /// The path of the argument, such as `gaussians.scales`.
        argument: &'static str,
        /// The expected length or shape.
        expected: String,
        /// The actual length or shape.
        got: String,
    },
    /// A setting is outside its domain.
    #[error("{argument}: expected {expected}, got {got}")]
    Config {
        /// The path of the setting, such as `config.blur`.
        argument: &'static str,
        /// The domain of the setting.
        expected: &'static str,
        /// The actual value.
        got: String,
    },
    /// A device or the CPU's thread pool is missing or insufficient, or has failed.
    #[error("expected {expected}, got {got}")]
    Device {
        /// The required device, driver or property.
        expected: String,
        /// The actual device or property, or the message of the failure.
        got: String,
    },
    /// A size exceeds its index type, the available memory or the largest buffer of a device.
    #[error("{what} needs {needed}, more than {limit}")]
    Capacity {
        /// The buffer or the count.
        what: &'static str,
        /// The required size.
        needed: String,
        /// The greatest possible size.
        limit: String,
    },
}

impl RenderError {
    pub(crate) fn shape(
        argument: &'static str,
        expected: impl ToString,
        got: impl ToString,
    ) -> Self {
        Self::Shape {
            argument,
            expected: expected.to_string(),
            got: got.to_string(),
        }
    }

    pub(crate) fn config(
        argument: &'static str,
        expected: &'static str,
        got: impl ToString,
    ) -> Self {
        Self::Config {
            argument,
            expected,
            got: got.to_string(),
        }
    }
}

/// Returns the product of `factors`, or a capacity error that lists them.
pub(crate) fn checked_product(what: &'static str, factors: &[usize]) -> Result<usize, RenderError> {
    // An allocation has at most `isize::MAX` bytes. No scalar or index has more than 16 bytes.
    let limit = isize::MAX as usize / 16;
    factors
        .iter()
        .try_fold(1usize, |product, &factor| product.checked_mul(factor))
        .filter(|&product| product <= limit)
        .ok_or_else(|| RenderError::Capacity {
            what,
            needed: factors
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" x "),
            limit: format!("{limit} elements"),
        })
}

/// Returns `count` copies of `value`, or a capacity error if the allocation fails.
pub(crate) fn try_filled<T: Clone>(
    what: &'static str,
    count: usize,
    value: T,
) -> Result<Vec<T>, RenderError> {
    let mut buffer = try_reserved(what, count)?;
    buffer.resize(count, value);
    Ok(buffer)
}

/// [`try_filled`] with the values that `make` returns. Large buffers are filled on all threads,
/// because the first access to fresh memory takes most of the time.
pub(crate) fn try_made<T: Send>(
    what: &'static str,
    count: usize,
    make: impl Fn() -> T + Sync,
) -> Result<Vec<T>, RenderError> {
    // A parallel iterator yields one item at a time. Each item is therefore a row, so that filling
    // it is still a vector loop.
    const ROW: usize = 64;
    const ROWS_PER_TASK: usize = 1 << 9;
    if count <= ROW * ROWS_PER_TASK {
        let mut buffer = try_reserved(what, count)?;
        buffer.resize_with(count, make);
        return Ok(buffer);
    }
    let mut rows: Vec<[T; ROW]> = Vec::new();
    rows.try_reserve_exact(count.div_ceil(ROW))
        .map_err(|_| refused::<T>(what, count))?;
    let made = (0..count.div_ceil(ROW)).into_par_iter();
    made.with_min_len(ROWS_PER_TASK)
        .map(|_| std::array::from_fn(|_| make()))
        .collect_into_vec(&mut rows);
    let mut buffer = rows.into_flattened();
    buffer.truncate(count);
    Ok(buffer)
}

/// Collects an iterator, or returns a capacity error if the allocation fails.
pub(crate) fn try_collected<T>(
    what: &'static str,
    items: impl ExactSizeIterator<Item = T>,
) -> Result<Vec<T>, RenderError> {
    let mut buffer = try_reserved(what, items.len())?;
    buffer.extend(items);
    Ok(buffer)
}

/// [`try_collected`] for a parallel iterator.
pub(crate) fn try_collected_in_parallel<T: Send>(
    what: &'static str,
    items: impl IndexedParallelIterator<Item = T>,
) -> Result<Vec<T>, RenderError> {
    let mut buffer = try_reserved(what, items.len())?;
    items.collect_into_vec(&mut buffer);
    Ok(buffer)
}

/// Returns an empty vector with room for `count` elements, or a capacity error if the allocation
/// fails.
pub(crate) fn try_reserved<T>(what: &'static str, count: usize) -> Result<Vec<T>, RenderError> {
    let mut buffer = Vec::new();
    buffer
        .try_reserve_exact(count)
        .map_err(|_| refused::<T>(what, count))?;
    Ok(buffer)
}

/// Returns the error for a failed allocation of `count` elements of type `T`.
fn refused<T>(what: &'static str, count: usize) -> RenderError {
    RenderError::Capacity {
        what,
        needed: format!("{count} elements of {} bytes", size_of::<T>()),
        limit: "the available memory".to_owned(),
    }
}
