//! A handler takes eleven arguments: ten is the most. Put some into an extractor of your own.

use gannet::prelude::*;

type N = State<u64>;

async fn sum(a: N, b: N, c: N, d: N, e: N, f: N, g: N, h: N, i: N, j: N, k: N) -> String {
    (*a + *b + *c + *d + *e + *f + *g + *h + *i + *j + *k).to_string()
}

fn main() {
    let _ = App::new().state(1_u64).get("/", sum);
}
