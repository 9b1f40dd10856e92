//! What all these tests share.

use gannet::Error;
use gannet_server::host::StartError;

/// Runs each named function as a test, once on each backend.
macro_rules! on_each_backend {
    ($($test:ident),+ $(,)?) => {
        mod epoll {
            $(#[test] fn $test() {
                if gannet_testing::is_wanted("epoll") { super::$test(gannet::BackendChoice::Epoll) }
            })+
        }
        mod uring {
            $(#[test] fn $test() {
                if $crate::common::has_uring() { super::$test(gannet::BackendChoice::Uring) }
            })+
        }
    };
}
pub(crate) use on_each_backend;

/// Whether this test is to run on io_uring and the kernel lets us have it; says so if not.
pub fn has_uring() -> bool {
    let app = gannet::App::new().listen("127.0.0.1:0").workers(1).backend(gannet::BackendChoice::Uring);
    gannet_testing::is_wanted("uring") && started(app.start()).is_some()
}

/// What a server's start gave; none where the kernel lets us have no io_uring, or is too old for it: said, and left out. No
/// other failure is an excuse.
pub fn started<T>(result: Result<T, Error>) -> Option<T> {
    match result {
        Ok(server) => Some(server),
        Err(Error::Start(StartError::Engine(name, error))) if gannet_testing::is_refusal(&error) => {
            gannet_testing::leave_out(name, &error);
            None
        }
        Err(error) => panic!("{error}"),
    }
}
