//! An allocator that counts the bytes in use.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The program's allocator.
#[global_allocator]
pub(crate) static ALLOCATOR: Metered = Metered::new();

/// The system's allocator with a meter on it.
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

    /// Bytes in use.
    pub(crate) fn current(&self) -> usize {
        self.current.load(Relaxed)
    }

    /// The most bytes in use since the last [`Metered::restart`].
    pub(crate) fn peak(&self) -> usize {
        self.peak.load(Relaxed)
    }

    /// Forgets the peak.
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

// SAFETY: every request goes to `System` as it came, and its answer back; the meter touches no
// memory but its own two numbers.
unsafe impl GlobalAlloc for Metered {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that `System` asks for.
        let pointer = unsafe { System.alloc(layout) };
        if !pointer.is_null() {
            self.add(layout.size());
        }
        pointer
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        let pointer = unsafe { System.alloc_zeroed(layout) };
        if !pointer.is_null() {
            self.add(layout.size());
        }
        pointer
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) };
        self.subtract(layout.size());
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        let moved = unsafe { System.realloc(pointer, layout, size) };
        if !moved.is_null() {
            // While it is moved both may be there.
            self.add(size);
            self.subtract(layout.size());
        }
        moved
    }
}
