//! What the macros call: the runtimes around an async `main`, and around an async test.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use tokio::runtime::{Builder, Runtime};

/// What an async `main` may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is nothing that `main` can end with",
    note = "under #[gannet::main] it returns `()`, `ExitCode`, or `Result<(), E>` where `E` is an error: `gannet::Result<()>`"
)]
pub trait Outcome {
    /// The exit status; an error is printed.
    fn into_exit_code(self) -> ExitCode;
}

impl Outcome for () {
    fn into_exit_code(self) -> ExitCode {
        ExitCode::SUCCESS
    }
}

impl Outcome for ExitCode {
    fn into_exit_code(self) -> ExitCode {
        self
    }
}

impl<T: Outcome, E: Into<Box<dyn Error>>> Outcome for Result<T, E> {
    fn into_exit_code(self) -> ExitCode {
        match self {
            Ok(outcome) => outcome.into_exit_code(),
            Err(error) => {
                // Nobody is left to be told that it could not be printed.
                let _ = io::stderr().write_all(told(&*error.into()).as_bytes());
                ExitCode::FAILURE
            }
        }
    }
}

/// An error, and on lines of their own what caused it, unless that has been said.
fn told(error: &dyn Error) -> String {
    let mut said = format!("error: {error}\n");
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !said.contains(&text) {
            said.push_str(&format!("caused by: {text}\n"));
        }
        cause = error.source();
    }
    said
}

/// Runs `main` on a runtime of this thread.
pub fn main<T: Outcome>(main: impl Future<Output = T>) -> ExitCode {
    match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => ended(runtime, main).into_exit_code(),
        Err(error) => Err::<(), _>(error).into_exit_code(),
    }
}

/// What a future gives, on a runtime that then does not wait for what else runs on it.
fn ended<T>(runtime: Runtime, future: impl Future<Output = T>) -> T {
    let output = runtime.block_on(future);
    runtime.shutdown_background();
    output
}

/// Runs a test on a runtime of this thread, on virtual time.
#[cfg(feature = "test")]
pub fn test<T>(test: impl Future<Output = T>) -> T {
    run_test(Builder::new_current_thread().enable_all().start_paused(true), test)
}

#[cfg(feature = "test")]
thread_local! {
    static REAL_TIME: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Whether this thread runs a test on real time.
#[cfg(feature = "test")]
pub(crate) fn is_real_time() -> bool {
    REAL_TIME.get()
}

/// The same on real time.
#[cfg(feature = "test")]
pub fn test_in_real_time<T>(test: impl Future<Output = T>) -> T {
    REAL_TIME.set(true);
    run_test(Builder::new_current_thread().enable_all(), test)
}

/// Runs a test, and between its steps the servers whose clients it has.
#[cfg(feature = "test")]
fn run_test<T>(builder: &mut Builder, test: impl Future<Output = T>) -> T {
    let runtime = builder.build().expect("a runtime for a test can be made");
    let mut test = std::pin::pin!(test);
    let all = std::future::poll_fn(|context| {
        let polled = test.as_mut().poll(context);
        if polled.is_pending() {
            crate::test::drive_all(context.waker());
        }
        polled
    });
    // A server is not to be held up by Tokio's budget for one task.
    ended(runtime, tokio::task::coop::unconstrained(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_with_what_caused_it_once() {
        #[derive(Debug)]
        struct Outer(io::Error);
        impl std::fmt::Display for Outer {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the database cannot be opened")
            }
        }
        impl Error for Outer {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.0)
            }
        }
        let error = Outer(io::Error::other("disk on fire"));
        assert_eq!(told(&error), "error: the database cannot be opened\ncaused by: disk on fire\n");
        assert_eq!(told(&io::Error::other("it failed")), "error: it failed\n");
    }

    #[test]
    fn main_ends_with_what_it_returned() {
        let debug = |code: ExitCode| format!("{code:?}");
        assert_eq!(debug(main(async {})), debug(ExitCode::SUCCESS));
        assert_eq!(debug(main(async { Ok::<(), &str>(()) })), debug(ExitCode::SUCCESS));
        assert_eq!(debug(main(async { Err::<(), _>("part of a test") })), debug(ExitCode::FAILURE));
        assert_eq!(debug(main(async { ExitCode::from(3) })), debug(ExitCode::from(3)));
    }
}
