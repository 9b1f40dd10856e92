//! Posts, and what is said to them.

use gannet::prelude::*;
use gannet::{Redirect, SetCookie};
use serde::{Deserialize, Serialize};
use sqlx::SqlitePool;

use crate::database::{self, Comment, Post};
use crate::error::Error;
use crate::forms::{CommentForm, Errors, PostForm};
use crate::pages::{Page, Pages};
use crate::session::Author;

/// Which page of posts.
#[derive(Deserialize)]
pub struct Which {
    page: Option<u32>,
}

#[derive(Serialize)]
struct IndexPage {
    posts: Vec<Post>,
    newer: Option<u32>,
    older: Option<u32>,
}

#[derive(Serialize)]
struct PostPage {
    is_mine: bool,
    post: Post,
    comments: Vec<Comment>,
    form: CommentForm,
    errors: Errors,
}

#[derive(Serialize)]
struct FormPage {
    heading: &'static str,
    action: String,
    form: PostForm,
    errors: Errors,
}

/// The latest posts.
pub async fn index(pages: Pages, database: State<SqlitePool>, which: Query<Which>) -> Result<Page, Error> {
    let page = which.page.unwrap_or(1).max(1);
    let (posts, has_older) = database::posts(&database, page).await?;
    let (newer, older) = ((page > 1).then(|| page - 1), has_older.then(|| page + 1));
    pages.page("posts/index.html", IndexPage { posts, newer, older })
}

/// A post, with what was said to it.
pub async fn show(pages: Pages, database: State<SqlitePool>, id: Path<i64>) -> Result<Page, Error> {
    show_with(&pages, &database, *id, CommentForm::default(), Errors::default()).await
}

/// The same, with a comment that is being written.
async fn show_with(
    pages: &Pages,
    database: &SqlitePool,
    id: i64,
    form: CommentForm,
    errors: Errors,
) -> Result<Page, Error> {
    let post = database::post(database, id).await?.ok_or(Error::NotFound)?;
    let comments = database::comments(database, id).await?;
    let is_mine = pages.session.user.as_ref().is_some_and(|user| user.id == post.author_id);
    pages.page("posts/show.html", PostPage { is_mine, post, comments, form, errors })
}

/// Says something to a post.
pub async fn comment(
    pages: Pages,
    database: State<SqlitePool>,
    id: Path<i64>,
    comment: Form<CommentForm>,
) -> Result<Response, Error> {
    let mut form = comment.0;
    let errors = form.check();
    if !errors.is_empty() {
        let page = show_with(&pages, &database, *id, form, errors).await?;
        return Ok((Status::UNPROCESSABLE_CONTENT, page).into_response());
    }
    database::post(&database, *id).await?.ok_or(Error::NotFound)?;
    let comment = database::add_comment(&database, *id, &form).await?;
    let place = format!("/posts/{}#comment-{comment}", *id);
    Ok((pages.session.tell("Thank you for your comment."), Redirect::see_other(place)).into_response())
}

/// The form for a new post.
pub async fn new(pages: Pages, _: Author) -> Result<Page, Error> {
    form_page(&pages, None, PostForm::default(), Errors::default())
}

/// Adds a post.
pub async fn create(
    pages: Pages,
    author: Author,
    database: State<SqlitePool>,
    post: Form<PostForm>,
) -> Result<Response, Error> {
    let mut form = post.0;
    let errors = form.check();
    if !errors.is_empty() {
        return Ok((Status::UNPROCESSABLE_CONTENT, form_page(&pages, None, form, errors)?).into_response());
    }
    let id = database::add_post(&database, author.user.id, &form).await?;
    Ok(published(&author, id).into_response())
}

/// The form for a post that is there.
pub async fn edit(
    pages: Pages,
    author: Author,
    database: State<SqlitePool>,
    id: Path<i64>,
) -> Result<Page, Error> {
    let Post { title, text, .. } = author.own_post(&database, *id).await?;
    form_page(&pages, Some(*id), PostForm { title, text }, Errors::default())
}

/// Changes a post.
pub async fn change(
    pages: Pages,
    author: Author,
    database: State<SqlitePool>,
    id: Path<i64>,
    post: Form<PostForm>,
) -> Result<Response, Error> {
    author.own_post(&database, *id).await?;
    let mut form = post.0;
    let errors = form.check();
    if !errors.is_empty() {
        return Ok(
            (Status::UNPROCESSABLE_CONTENT, form_page(&pages, Some(*id), form, errors)?).into_response()
        );
    }
    database::change_post(&database, *id, &form).await?;
    Ok(published(&author, *id).into_response())
}

/// Removes a post.
pub async fn remove(
    author: Author,
    database: State<SqlitePool>,
    id: Path<i64>,
) -> Result<(SetCookie, Redirect), Error> {
    author.own_post(&database, *id).await?;
    database::remove_post(&database, *id).await?;
    Ok((author.tell("It is gone."), Redirect::see_other("/")))
}

fn form_page(pages: &Pages, id: Option<i64>, form: PostForm, errors: Errors) -> Result<Page, Error> {
    let (heading, action) = match id {
        None => ("Write", "/posts".to_owned()),
        Some(id) => ("Edit", format!("/posts/{id}")),
    };
    pages.page("posts/form.html", FormPage { heading, action, form, errors })
}

fn published(author: &Author, id: i64) -> (SetCookie, Redirect) {
    (author.tell("It is published."), Redirect::see_other(format!("/posts/{id}")))
}

impl Author {
    /// A post that is his.
    async fn own_post(&self, database: &SqlitePool, id: i64) -> Result<Post, Error> {
        let post = database::post(database, id).await?.ok_or(Error::NotFound)?;
        if post.author_id == self.user.id { Ok(post) } else { Err(Error::NotYours) }
    }
}
