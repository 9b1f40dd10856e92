//! A look-up allocates nothing: counted, not measured.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

use gannet_router::{Builder, Router};

#[path = "common/github.rs"]
mod github;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is the system allocator's doing; counting touches a cell of this thread that needs no
// allocation and no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: our caller's promise is the system allocator's condition.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: our caller's promise is the system allocator's condition.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn looking_up_and_reading_each_parameter_of_each_match_allocates_nothing() {
    let mut builder = Builder::new();
    github::PATTERNS.iter().for_each(|pattern| builder.insert(pattern, ()));
    builder.insert("/*rest", ());
    let router: Router<()> = builder.build().expect("no conflicts");
    let paths = github::paths();
    let before = ALLOCATIONS.get();
    let mut found = 0;
    for path in &paths {
        for one in router.matches(path) {
            found += 1;
            for parameter in one.route.parameters() {
                black_box((parameter.name(), &path[parameter.span(path)]));
            }
        }
    }
    assert_eq!(ALLOCATIONS.get(), before);
    assert!(before > 0 && found >= 2 * paths.len(), "the counter counts, and there was something to find");
}
