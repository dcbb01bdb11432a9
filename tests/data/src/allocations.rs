//! An allocator that remembers, for tests that hold memory against what a file may cost.

#![expect(unsafe_code, reason = "an allocator cannot be written without; it only counts and hands on to the system's")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

static LARGEST: AtomicUsize = AtomicUsize::new(0);
static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counting bytes. A test binary sets it with `#[global_allocator]`; it counts all threads,
/// so that such a binary holds one test.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counting;

/// What was taken since [`start`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The largest single piece. Units: bytes.
    pub largest: usize,
    /// Most at one time, beyond what was there at the start. Units: bytes.
    pub peak: usize,
}

/// Begins to count; gives what is in use now, for [`taken`].
#[must_use]
pub fn start() -> usize {
    let live = LIVE.load(Ordering::Relaxed);
    LARGEST.store(0, Ordering::Relaxed);
    PEAK.store(live, Ordering::Relaxed);
    live
}

/// What was taken since a start.
#[must_use]
pub fn taken(start: usize) -> Taken {
    Taken { largest: LARGEST.load(Ordering::Relaxed), peak: PEAK.load(Ordering::Relaxed).saturating_sub(start) }
}

fn count(bytes: usize) {
    LARGEST.fetch_max(bytes, Ordering::Relaxed);
    let live = LIVE.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(live, Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator with the arguments it came with; counting touches no memory but
// three atomics.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        count(size);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }
}
