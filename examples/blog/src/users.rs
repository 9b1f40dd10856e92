//! Joining, logging in and logging out.

use gannet::filters::{hash_password, verify_password};
use gannet::prelude::*;
use gannet::{Redirect, SetCookie, cpu};
use serde::Serialize;
use sqlx::SqlitePool;

use crate::database;
use crate::error::Error;
use crate::forms::{Errors, UserForm};
use crate::pages::{Page, Pages};
use crate::session::Session;

#[derive(Default, Serialize)]
struct UserPage {
    form: UserForm,
    errors: Errors,
}

/// The form by which one joins.
pub async fn join_form(pages: Pages) -> Result<Page, Error> {
    pages.page("users/join.html", UserPage::default())
}

/// Adds a user, who is logged in then.
pub async fn join(
    pages: Pages,
    database: State<SqlitePool>,
    user: Form<UserForm>,
) -> Result<Response, Error> {
    let mut form = user.0;
    let mut errors = form.check();
    if errors.is_empty() {
        let hash = hash(&form).await?;
        match database::add_user(&database, &form.name, &hash).await? {
            Some(id) => return Ok(welcome(&pages.session, id)),
            None => errors.add("name", "is taken"),
        }
    }
    let page = pages.page("users/join.html", UserPage { form, errors })?;
    Ok((Status::UNPROCESSABLE_CONTENT, page).into_response())
}

/// The form by which one logs in.
pub async fn login_form(pages: Pages) -> Result<Page, Error> {
    pages.page("users/login.html", UserPage::default())
}

/// Logs a user in.
pub async fn login(
    pages: Pages,
    database: State<SqlitePool>,
    user: Form<UserForm>,
) -> Result<Response, Error> {
    let mut form = user.0;
    if form.check().is_empty() {
        match database::password(&database, &form.name).await? {
            Some((id, of_user)) if is_of(&form, &of_user).await? => return Ok(welcome(&pages.session, id)),
            Some(_) => {}
            // It takes as long where there is no such user: who there is is nobody's business.
            None => drop(hash(&form).await?),
        }
    }
    let mut errors = Errors::default();
    errors.add("password", "or name is wrong");
    let page = pages.page("users/login.html", UserPage { form, errors })?;
    Ok((Status::UNPROCESSABLE_CONTENT, page).into_response())
}

/// Logs him out.
pub fn logout() -> (SetCookie, Redirect) {
    (Session::log_out(), Redirect::see_other("/"))
}

fn welcome(session: &Session, id: i64) -> Response {
    (session.log_in(id), session.tell("Welcome."), Redirect::see_other("/")).into_response()
}

/// A hash takes some 20 ms and 19 MiB, so that guessing takes long: it is made by the threads for that, while the worker serves others.
async fn hash(form: &UserForm) -> Result<String, Error> {
    let password = form.password.clone();
    Ok(cpu(move || hash_password(&password)).await??)
}

/// Whether it is the password of this hash.
async fn is_of(form: &UserForm, hash: &str) -> Result<bool, Error> {
    let (password, hash) = (form.password.clone(), hash.to_owned());
    Ok(cpu(move || verify_password(&password, &hash)).await?)
}
