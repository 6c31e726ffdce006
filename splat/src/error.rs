//! The one error type of the crate, and the allocations that report it.
//!
//! An error depends on shapes, configuration, device or capacity, never on the numbers in a buffer:
//! Gaussians with hostile numbers are culled and counted instead.
//!
//! The CPU engine takes every buffer of scalars, indices and hits from a function of this file, so
//! that refused memory is an error. Lists of tasks do not come from here, nor copies of the offsets
//! of views: they have an entry per strip, per row of a strip or per view. Nor do activations, the
//! oracle, and the host's copies of a device's buffers, which are as long as what they are made
//! from.

use rayon::prelude::*;

/// Why a call was refused. Every variant names the argument, what was expected and what came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// A buffer's length does not fit the counts it belongs to.
    #[error("{argument}: expected {expected}, got {got}")]
    Shape {
        /// The argument as the caller knows it, such as `gaussians.scales`.
        argument: &'static str,
        /// The length or shape that would have fitted.
        expected: String,
        /// The length or shape that came.
        got: String,
    },
    /// A setting is outside its domain.
    #[error("{argument}: expected {expected}, got {got}")]
    Config {
        /// The setting as the caller knows it, such as `config.blur`.
        argument: &'static str,
        /// The domain of the setting.
        expected: &'static str,
        /// The value that came.
        got: String,
    },
    /// A device is not there, offers too little, or failed.
    #[error("expected {expected}, got {got}")]
    Device {
        /// The device, driver or property that was looked for.
        expected: String,
        /// What there was instead.
        got: String,
    },
    /// A size overflows its index type or the memory at hand.
    #[error("{what} needs {needed}, more than {limit}")]
    Capacity {
        /// What was to be allocated or counted.
        what: &'static str,
        /// The size asked for.
        needed: String,
        /// The most there can be.
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

/// The product of `factors`, or a capacity error that shows them.
pub(crate) fn checked_product(what: &'static str, factors: &[usize]) -> Result<usize, RenderError> {
    // No allocation may exceed `isize::MAX` bytes; 16 bytes bound every element type of this crate.
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

/// `count` copies of `value`, or a capacity error where the allocator refuses.
pub(crate) fn try_filled<T: Clone>(
    what: &'static str,
    count: usize,
    value: T,
) -> Result<Vec<T>, RenderError> {
    let mut buffer = try_reserved(what, count)?;
    buffer.resize(count, value);
    Ok(buffer)
}

/// [`try_filled`] with what `make` returns. Large buffers are filled on all threads: most of their
/// time goes into first touching the memory.
pub(crate) fn try_made<T: Send>(
    what: &'static str,
    count: usize,
    make: impl Fn() -> T + Sync,
) -> Result<Vec<T>, RenderError> {
    // Parallel iterators yield one item at a time: rows of them, so that filling one is still a
    // vector loop.
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

/// The items of an iterator, or a capacity error where the allocator refuses.
pub(crate) fn try_collected<T>(
    what: &'static str,
    items: impl ExactSizeIterator<Item = T>,
) -> Result<Vec<T>, RenderError> {
    let mut buffer = try_reserved(what, items.len())?;
    buffer.extend(items);
    Ok(buffer)
}

/// [`try_collected`] of a parallel iterator.
pub(crate) fn try_collected_in_parallel<T: Send>(
    what: &'static str,
    items: impl IndexedParallelIterator<Item = T>,
) -> Result<Vec<T>, RenderError> {
    let mut buffer = try_reserved(what, items.len())?;
    items.collect_into_vec(&mut buffer);
    Ok(buffer)
}

/// An empty vector with room for `count` elements, or a capacity error where the allocator refuses.
pub(crate) fn try_reserved<T>(what: &'static str, count: usize) -> Result<Vec<T>, RenderError> {
    let mut buffer = Vec::new();
    buffer
        .try_reserve_exact(count)
        .map_err(|_| refused::<T>(what, count))?;
    Ok(buffer)
}

/// The error of an allocator that refused `count` elements of type `T`.
fn refused<T>(what: &'static str, count: usize) -> RenderError {
    RenderError::Capacity {
        what,
        needed: format!("{count} elements of {} bytes", size_of::<T>()),
        limit: "the allocator grants".to_owned(),
    }
}
