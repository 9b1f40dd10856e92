//! What the macros write, used as a program would.

use std::process::ExitCode;
use std::time::Duration;

/// Programs, as far as they can be had in a test.
mod programs {
    pub mod silent {
        #[gannet::main]
        pub async fn main() {}
    }

    pub mod failing {
        /// Its documentation stays where it was.
        #[gannet::main]
        pub(crate) async fn main() -> Result<(), Box<dyn std::error::Error>> {
            let port: u16 = "part of a test".parse()?;
            unreachable!("{port}")
        }
    }

    pub mod waiting {
        #[gannet::main]
        pub async fn main() -> gannet::Result<()> {
            tokio::task::yield_now().await;
            let answered = tokio::spawn(async { 7 }).await;
            assert_eq!(answered.expect("it does not panic"), 7);
            Ok(())
        }
    }
}

fn is_success(code: ExitCode) -> bool {
    format!("{code:?}") == format!("{:?}", ExitCode::SUCCESS)
}

#[test]
fn main_runs_on_a_runtime_and_an_error_is_exit_status_1() {
    assert!(is_success(programs::silent::main()));
    assert!(is_success(programs::waiting::main()));
    let failed = format!("{:?}", programs::failing::main());
    assert_eq!(failed, format!("{:?}", ExitCode::from(1)));
}

#[gannet::test]
async fn an_hour_of_a_test_takes_no_time() {
    let (virtually, really) = (tokio::time::Instant::now(), std::time::Instant::now());
    tokio::time::sleep(Duration::from_secs(3600)).await; // virtual time
    assert_eq!(virtually.elapsed(), Duration::from_secs(3600));
    assert!(really.elapsed() < Duration::from_secs(60));
}

#[gannet::test(real_time)]
async fn in_real_time_a_timeout_does_not_pass_while_a_thread_of_its_own_works() {
    let (give, given) = tokio::sync::oneshot::channel();
    let work = move || give.send((0..1_000_000u64).map(std::hint::black_box).sum::<u64>());
    let thread = std::thread::spawn(work);
    let sum = tokio::time::timeout(Duration::from_secs(60), given).await;
    assert_eq!(sum, Ok(Ok(499_999_500_000)));
    assert_eq!(thread.join().expect("it does not panic"), Ok(()));
}

#[gannet::test]
async fn a_test_may_return_a_result() -> Result<(), std::num::ParseIntError> {
    assert_eq!("7".parse::<u8>()?, 7);
    Ok(())
}

#[gannet::test]
#[should_panic(expected = "part of a test")]
async fn a_test_that_panics_has_failed() {
    panic!("part of a test");
}
