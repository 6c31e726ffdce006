//! Prefetch hints.

/// Prefetches the cache lines of a slice for writing. Has no effect on machines other than x86-64.
#[inline(always)]
pub(crate) fn prefetch_to_write<T>(slice: &[T]) {
    #[cfg(target_arch = "x86_64")]
    prefetch::<T, { std::arch::x86_64::_MM_HINT_ET0 }>(slice);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = slice;
}

/// Prefetches the cache lines of a slice for reading. Has no effect on machines other than x86-64.
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
        // SAFETY: the instruction is part of SSE, so every x86-64 has it. It neither reads nor
        // writes memory and accepts any address.
        unsafe { std::arch::x86_64::_mm_prefetch::<HINT>(line.as_ptr().cast()) };
    }
}
