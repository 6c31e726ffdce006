//! An allocator that counts the bytes in use.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The program's allocator.
#[global_allocator]
pub(crate) static ALLOCATOR: Metered = Metered::new();

/// The system's allocator, with counters of the bytes in use.
pub(crate) struct Metered {
    current: AtomicUsize,
    peak: AtomicUsize,
}

impl Metered {
    pub(crate) const fn new() -> Self {
        Self {
            current: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
        }
    }

    /// Returns the bytes in use.
    pub(crate) fn current(&self) -> usize {
        self.current.load(Relaxed)
    }

    /// Returns the most bytes in use since the last [`Metered::restart`].
    pub(crate) fn peak(&self) -> usize {
        self.peak.load(Relaxed)
    }

    /// Sets the peak to the bytes in use.
    pub(crate) fn restart(&self) {
        self.peak.store(self.current(), Relaxed);
    }

    fn add(&self, bytes: usize) {
        let now = self.current.fetch_add(bytes, Relaxed) + bytes;
        self.peak.fetch_max(now, Relaxed);
    }

    fn subtract(&self, bytes: usize) {
        self.current.fetch_sub(bytes, Relaxed);
    }
}

// SAFETY: every call is forwarded to `System` unchanged, and its result is returned unchanged. The
// counters are the only other memory that is written.
unsafe impl GlobalAlloc for Metered {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: `System` has the same safety contract, and the caller upholds it.
        let pointer = unsafe { System.alloc(layout) };
        if !pointer.is_null() {
            self.add(layout.size());
        }
        pointer
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: see `alloc`.
        let pointer = unsafe { System.alloc_zeroed(layout) };
        if !pointer.is_null() {
            self.add(layout.size());
        }
        pointer
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: see `alloc`.
        unsafe { System.dealloc(pointer, layout) };
        self.subtract(layout.size());
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: see `alloc`.
        let moved = unsafe { System.realloc(pointer, layout, size) };
        if !moved.is_null() {
            // During the move both blocks may exist.
            self.add(size);
            self.subtract(layout.size());
        }
        moved
    }
}
