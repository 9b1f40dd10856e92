//! An allocator that counts, each thread for itself.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<isize> = const { Cell::new(0) };
    static MOST_BYTES: Cell<isize> = const { Cell::new(0) };
}

/// How often this thread has allocated; the bytes that it has allocated and not freed; and the most that these were since this was asked last.
pub fn counted() -> (usize, isize, isize) {
    (ALLOCATIONS.get(), BYTES.get(), MOST_BYTES.replace(BYTES.get()))
}

fn count(allocations: usize, bytes: usize, freed: usize) {
    ALLOCATIONS.set(ALLOCATIONS.get() + allocations);
    BYTES.set(BYTES.get() + bytes.cast_signed() - freed.cast_signed());
    MOST_BYTES.set(MOST_BYTES.get().max(BYTES.get()));
}

// SAFETY: everything is the system allocator's doing; counting touches cells of this thread that need no allocation and no
// destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size(), 0);
        // SAFETY: our caller's promise is the system allocator's condition.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, 0, layout.size());
        // SAFETY: our caller's promise is the system allocator's condition.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size, layout.size());
        // SAFETY: our caller's promise is the system allocator's condition.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
