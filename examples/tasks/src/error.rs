//! What goes wrong, and what of it the client is told.

use gannet::openapi::{DescribeResponse, Operation};
use gannet::prelude::*;

/// Why there is no answer of the kind that was hoped for.
#[derive(Debug)]
pub enum Error {
    /// There is no task of this number, or there is none any more.
    NoSuchTask,
    /// It is not the version that was meant.
    Changed,
    /// There is another task of this title that is to be done.
    TitleTaken,
    /// The request says what cannot be.
    Refused(Rejection),
    /// The database does not do what it should.
    Database(sqlx::Error),
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Error {
        Error::Refused(rejection)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Error {
        match error.as_database_error() {
            Some(of_database) if of_database.is_unique_violation() => Error::TitleTaken,
            _ => Error::Database(error),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, detail) = match self {
            Error::NoSuchTask => (Status::NOT_FOUND, "there is no such task"),
            Error::Changed => (Status::PRECONDITION_FAILED, "the task was changed since: read it again"),
            Error::TitleTaken => (Status::CONFLICT, "there is another task of this title that is to be done"),
            Error::Refused(rejection) => return rejection.into_response(),
            Error::Database(error) => return database(&error),
        };
        Rejection::new(status, detail).into_response()
    }
}

/// What exactly it is, is for the log, and not for whoever asks.
fn database(error: &sqlx::Error) -> Response {
    tracing::error!(%error, "the database does not do what it should");
    if matches!(error, sqlx::Error::PoolTimedOut) {
        let busy = Rejection::new(Status::SERVICE_UNAVAILABLE, "the database is busy");
        return busy.into_response().with("Retry-After", "1");
    }
    Rejection::from(Status::INTERNAL_SERVER_ERROR).into_response()
}

/// Which of them may be depends on the handler: the registration says it, by `problem(404)`.
impl DescribeResponse for Error {
    fn describe_response(_: &mut Operation<'_>) {}
}
