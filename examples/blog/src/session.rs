//! Who a visitor is, and what he is told on the next page: two cookies that we signed, so nobody else can have written them, and nothing is kept here.
//!
//! A session ends after a week, or when the visitor logs out. What a signed cookie cannot do is end on another device: for that there would have to
//! be a table of sessions.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gannet::prelude::*;
use gannet::{FromRequest, Needs, Redirect, SetCookie, SignedCookies};
use sqlx::SqlitePool;

use crate::database::{self, User};
use crate::error::Error;

const SESSION: &str = "session";
const FLASH: &str = "flash";
/// How long a visitor need not log in again.
const SESSION_LASTS: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long what is to be told waits for a page.
const FLASH_LASTS: Duration = Duration::from_secs(60);

/// What is known of a visitor.
pub struct Session {
    pub user: Option<User>,
    pub flash: Option<String>,
    cookies: SignedCookies,
}

/// A visitor who may write. Who is not logged in is led to where he can.
pub struct Author {
    pub user: User,
    session: Session,
}

impl Session {
    /// From now on the visitor is this user.
    pub fn log_in(&self, id: i64) -> SetCookie {
        // How long the client keeps it is the client's word: ours is in the value.
        let until = now() + SESSION_LASTS.as_secs();
        self.cookies.sign(SetCookie::new(SESSION, format!("{id}.{until}")).max_age(SESSION_LASTS))
    }

    /// From now on he is nobody.
    pub fn log_out() -> SetCookie {
        SetCookie::removal(SESSION)
    }

    /// He is told this on the next page.
    pub fn tell(&self, text: &'static str) -> SetCookie {
        self.cookies.sign(SetCookie::new(FLASH, text).max_age(FLASH_LASTS))
    }

    /// He was told.
    pub fn told() -> SetCookie {
        SetCookie::removal(FLASH)
    }
}

impl Author {
    /// He is told this on the next page.
    pub fn tell(&self, text: &'static str) -> SetCookie {
        self.session.tell(text)
    }
}

impl FromRequest for Session {
    async fn from_request(request: &mut Request) -> Result<Session, Rejection> {
        let cookies = SignedCookies::from_request(request).await?;
        let database = State::<SqlitePool>::from_request(request).await?;
        let user = match cookies.get(SESSION).as_deref().and_then(user_of) {
            Some(id) => {
                database::user(&database, id).await.map_err(|error| Error::Database(error).into_response())?
            }
            None => None,
        };
        Ok(Session { user, flash: cookies.get(FLASH), cookies })
    }

    fn needs(needs: &mut Needs) {
        SignedCookies::needs(needs);
        State::<SqlitePool>::needs(needs);
    }
}

impl FromRequest for Author {
    async fn from_request(request: &mut Request) -> Result<Author, Rejection> {
        let session = Session::from_request(request).await?;
        match session.user.clone() {
            Some(user) => Ok(Author { user, session }),
            None => Err((session.tell("Log in first."), Redirect::to("/login")).into_response().into()),
        }
    }

    fn needs(needs: &mut Needs) {
        Session::needs(needs);
    }
}

/// Whose session it is, if it has not ended.
fn user_of(session: &str) -> Option<i64> {
    let (id, until) = session.split_once('.')?;
    let until: u64 = until.parse().ok()?;
    id.parse().ok().filter(|_| now() < until)
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_an_end() {
        assert_eq!(user_of(&format!("7.{}", now() + 60)), Some(7));
        assert_eq!(user_of(&format!("7.{}", now() - 1)), None);
        assert_eq!((user_of("7"), user_of("seven.99999999999"), user_of("")), (None, None, None));
    }
}
