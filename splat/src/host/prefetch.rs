//! Hints to fetch memory before it is needed.

/// Tells the machine that a slice is about to be written, so that its cache lines are there by
/// then. A hint: without one for the machine at hand, nothing.
#[inline(always)]
pub(crate) fn prefetch_to_write<T>(slice: &[T]) {
    #[cfg(target_arch = "x86_64")]
    prefetch::<T, { std::arch::x86_64::_MM_HINT_ET0 }>(slice);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = slice;
}

/// The same for a slice about to be read.
#[inline(always)]
pub(crate) fn prefetch_to_read<T>(slice: &[T]) {
    #[cfg(target_arch = "x86_64")]
    prefetch::<T, { std::arch::x86_64::_MM_HINT_T0 }>(slice);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = slice;
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn prefetch<T, const HINT: i32>(slice: &[T]) {
    const CACHE_LINE: usize = 64;
    for line in slice.chunks(const { CACHE_LINE / size_of::<T>() }) {
        // SAFETY: part of SSE, which every x86-64 has; it neither reads nor writes, and takes any
        // address.
        unsafe { std::arch::x86_64::_mm_prefetch::<HINT>(line.as_ptr().cast()) };
    }
}
