//! Computations that take long, on threads of their own: the worker goes on meanwhile, and others are served.
//!
//! ```text
//! cargo run --release -p example-cpu            # then, one beside the other:
//! curl 127.0.0.1:8080/primes/20000000
//! curl 127.0.0.1:8080/
//! ```
//! A handler is a step of its worker's turn: while one computes, no other request of that worker is answered. A worker that is held up for ten milliseconds is
//! noticed (`docs/workers.md`), and what computes for longer than some 100 microseconds belongs into [`gannet::cpu`]. As many computations
//! may wait for a thread as `docs/defaults.md` says; beyond that the answer is 503, since the error is what the handler returns.

use gannet::CpuError;
use gannet::prelude::*;

/// The most that may be asked for: some seconds.
const MOST: u32 = 100_000_000;

#[gannet::main]
async fn main() -> gannet::Result<()> {
    app(primes_below).listen("127.0.0.1:8080").environment().run().await
}

/// The service, with what it computes: in tests that waits for them.
fn app(compute: impl Fn(u32) -> usize + Clone + Send + Sync + 'static) -> App {
    App::new().get("/", "served meanwhile\n").get("/primes/:below", move |below: Path<u32>| {
        let compute = compute.clone();
        async move { answer(*below, compute).await }
    })
}

async fn answer(below: u32, compute: impl Fn(u32) -> usize + Send + 'static) -> Result<Response, CpuError> {
    if below > MOST {
        let rejection = Rejection::new(Status::BAD_REQUEST, format!("At most {MOST} can be asked for."));
        return Ok(rejection.into_response());
    }
    let count = gannet::cpu(move || compute(below)).await?;
    Ok(format!("there are {count} primes below {below}\n").into_response())
}

/// How many there are, by the sieve of Eratosthenes.
fn primes_below(end: u32) -> usize {
    let end = end as usize;
    let mut is_composite = vec![false; end];
    let mut count = 0;
    for number in 2..end {
        if is_composite[number] {
            continue;
        }
        count += 1;
        for multiple in (number * number..end).step_by(number) {
            is_composite[multiple] = true;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, mpsc};
    use std::thread;

    use gannet::test::TestServer;

    use super::*;

    #[gannet::test]
    async fn primes_are_counted() {
        let client = app(primes_below).test();
        client.get("/primes/100").send().await.assert_text("there are 25 primes below 100\n");
        client.get("/primes/0").send().await.assert_text("there are 0 primes below 0\n");
        client.get("/primes/4000000000").send().await.assert_status(400);
        client.get("/primes/many").send().await.assert_status(400);
    }

    #[test]
    fn others_are_served_while_one_worker_computes() {
        let (begun, has_begun) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel::<()>();
        let may_go_on = Arc::new(Mutex::new(may_go_on));
        let compute = move |below| {
            begun.send(()).expect("the test waits for it");
            // It computes until somebody else was served.
            may_go_on.lock().expect("there is one computation").recv().expect("the test goes on");
            primes_below(below)
        };
        let server = TestServer::start(app(compute).workers(1));
        let url = server.url("/primes/100");
        let asking = thread::spawn(move || get(&url));
        has_begun.recv().expect("it begins");
        assert_eq!(get(&server.url("/")), "served meanwhile\n");
        go_on.send(()).expect("it is still computing");
        assert_eq!(asking.join().expect("it is answered"), "there are 25 primes below 100\n");
    }

    fn get(url: &str) -> String {
        let mut answer = ureq::get(url).call().expect("it is answered");
        answer.body_mut().read_to_string().expect("it is text")
    }
}
