//! What all these tests share.

use std::io::ErrorKind;

use gannet::Error;
use gannet_server::host::StartError;

/// What a server's start gave; none where the kernel lets us have no io_uring, or is too old for it: said, and left out. No
/// other failure is an excuse.
pub fn started<T>(result: Result<T, Error>) -> Option<T> {
    match result {
        Ok(server) => Some(server),
        Err(Error::Start(StartError::Engine(name, error)))
            if matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::PermissionDenied) =>
        {
            eprintln!("left out on {name}: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}
