//! What all pages have in common: who looks at them, and what he is told on top.

use gannet::filters::Nonce;
use gannet::prelude::*;
use gannet::templates::Templates;
use gannet::{FromRequest, Html, Needs, SetCookie};
use serde::Serialize;

use crate::database::User;
use crate::error::Error;
use crate::session::Session;

/// An argument of handlers that answer with a page.
pub struct Pages {
    pub session: Session,
    templates: State<Templates>,
    nonce: Nonce,
}

/// What a template is given.
#[derive(Serialize)]
struct Context<'a, T> {
    user: Option<&'a User>,
    flash: Option<&'a str>,
    nonce: String,
    #[serde(flatten)]
    page: T,
}

/// A page; and that the visitor was told what he was to be told.
pub type Page = (Option<SetCookie>, Html<String>);

impl Pages {
    /// The page of this template, with what it is about.
    pub fn page(&self, template: &str, page: impl Serialize) -> Result<Page, Error> {
        let (user, flash) = (self.session.user.as_ref(), self.session.flash.as_deref());
        let context = Context { user, flash, nonce: self.nonce.to_string(), page };
        let html = self.templates.render(template, context)?;
        Ok((flash.map(|_| Session::told()), html))
    }
}

impl FromRequest for Pages {
    async fn from_request(request: &mut Request) -> Result<Pages, Rejection> {
        Ok(Pages {
            session: Session::from_request(request).await?,
            templates: State::from_request(request).await?,
            nonce: Nonce::from_request(request).await?,
        })
    }

    fn needs(needs: &mut Needs) {
        Session::needs(needs);
        State::<Templates>::needs(needs);
    }
}
