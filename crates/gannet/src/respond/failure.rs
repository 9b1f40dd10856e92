//! `Failure`: whatever else went wrong.

use std::error::Error;
use std::fmt;

use gannet_core::{BodyError, IntoResponse, Rejection, Response, Status};

/// Any error, as that of a handler's `Result`: 500, of which the client is told no more, and the log all of it, with its sources.
///
/// ```
/// # use gannet::prelude::*;
/// async fn read() -> Result<String, Failure> {
///     let text = std::fs::read_to_string("greeting.txt")?;
///     let count: u32 = text.trim().parse()?;
///     Ok(format!("{count} greetings"))
/// }
/// App::new().get("/", read);
/// ```
///
/// A [`Rejection`], and what kept a body from being read, is answered as what it is: so `?` may be used on them, too.
pub struct Failure(Box<dyn Error>);

impl<E: Into<Box<dyn Error>>> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let error = match self.0.downcast::<Rejection>() {
            Ok(rejection) => return rejection.into_response(),
            Err(error) => error,
        };
        if let Some(error) = error.downcast_ref::<BodyError>() {
            return error.into_response();
        }
        tracing::error!("a handler failed: {}", Chain(&*error));
        Rejection::new(Status::INTERNAL_SERVER_ERROR, "something went wrong, and is in the server's log")
            .into_response()
    }
}

/// An error, and what it came of.
struct Chain<'e>(&'e dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            // Many an error says what its source says.
            let text = error.to_string();
            if !said.contains(&text) {
                write!(f, ": {text}")?;
                said = text;
            }
            source = error.source();
        }
        Ok(())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Failure({})", Chain(&*self.0))
    }
}

#[cfg(test)]
mod tests {
    use gannet_core::Body;

    use super::*;

    fn text(response: &Response) -> String {
        let Body::Bytes(text) = response.body() else { panic!("a problem is in memory") };
        String::from_utf8_lossy(text).into_owned()
    }

    #[test]
    fn the_client_is_told_nothing_of_what_went_wrong_here() {
        let fails = || -> Result<&'static str, Failure> {
            let _: u32 = "secret".parse()?;
            Ok("never")
        };
        let response = fails().into_response();
        assert_eq!(response.status(), Status::INTERNAL_SERVER_ERROR);
        assert!(!text(&response).contains("digit"), "{}", text(&response));
        let response = Failure::from("the password is 1234").into_response();
        assert!(!text(&response).contains("1234"));
    }

    #[test]
    fn what_the_client_did_wrong_it_is_told_all_the_same() {
        let fails = |error: Rejection| -> Result<(), Failure> { Err(error)? };
        assert_eq!(fails(Status::GONE.into()).into_response().status(), Status::GONE);
        assert_eq!(Failure::from(BodyError::TooLarge).into_response().status(), Status::CONTENT_TOO_LARGE);
    }

    #[test]
    fn the_log_has_what_an_error_came_of() {
        #[derive(Debug)]
        struct Outer(std::num::ParseIntError);
        impl fmt::Display for Outer {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the count is none")
            }
        }
        impl Error for Outer {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.0)
            }
        }
        let failure = Failure::from(Outer("x".parse::<u32>().unwrap_err()));
        assert_eq!(format!("{failure:?}"), "Failure(the count is none: invalid digit found in string)");
        let twice = std::io::Error::other("x".parse::<u32>().unwrap_err());
        assert_eq!(format!("{:?}", Failure::from(twice)), "Failure(invalid digit found in string)");
    }
}
