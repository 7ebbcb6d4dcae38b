// SPDX-License-Identifier: Apache-2.0

//! What the fuzz targets share: an allocator that knows how much was asked of it.

use std::{
	alloc::{GlobalAlloc, Layout, System},
	sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counting: for `#[global_allocator]`.
pub struct Counting;

fn more(bytes: usize) {
	let now = NOW.fetch_add(bytes, Relaxed).wrapping_add(bytes);
	PEAK.fetch_max(now, Relaxed);
}

fn less(bytes: usize) {
	NOW.fetch_sub(bytes, Relaxed);
}

// SAFETY: everything is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
	unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
		more(layout.size());
		// SAFETY: the caller keeps the contract of this very function.
		unsafe { System.alloc(layout) }
	}

	unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
		more(layout.size());
		// SAFETY: as above.
		unsafe { System.alloc_zeroed(layout) }
	}

	unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
		less(layout.size());
		// SAFETY: as above.
		unsafe { System.dealloc(pointer, layout) }
	}

	unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
		more(size);
		less(layout.size());
		// SAFETY: as above.
		unsafe { System.realloc(pointer, layout, size) }
	}
}

/// Runs `work` and says how many bytes it had allocated at its height, beyond what there was before. Where
/// [`Counting`] is the allocator, and nothing else runs beside it.
pub fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
	let before = NOW.load(Relaxed);
	PEAK.store(before, Relaxed);
	let result = work();
	(result, PEAK.load(Relaxed).saturating_sub(before))
}
