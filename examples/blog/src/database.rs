//! Users, posts and comments in SQLite.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow};
use sqlx::{Error, FromRow, Row, SqlSafeStr, SqlitePool};

use crate::forms::{CommentForm, PostForm};

/// How long a request waits for the database.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections: SQLite has one writer at a time, and readers beside it.
const CONNECTIONS: u32 = 4;
/// Posts on a page.
const PAGE_POSTS: u32 = 10;
/// Comments that a post's page shows: the latest.
const PAGE_COMMENTS: u32 = 200;

/// Somebody who may write.
#[derive(Clone, Debug, Serialize)]
pub struct User {
    pub id: i64,
    pub name: String,
}

/// What somebody wrote.
#[derive(Clone, Debug, Serialize)]
pub struct Post {
    pub id: i64,
    pub author_id: i64,
    pub author: String,
    pub title: String,
    pub text: String,
    pub written_at: String,
}

/// What somebody said to it.
#[derive(Clone, Debug, Serialize)]
pub struct Comment {
    pub id: i64,
    pub name: String,
    pub text: String,
    pub written_at: String,
}

/// The database in a file, which is made if need be; without one in memory.
pub async fn open(file: Option<&Path>) -> Result<SqlitePool, Error> {
    let options = SqliteConnectOptions::new().busy_timeout(PATIENCE).foreign_keys(true);
    let pool = SqlitePoolOptions::new().acquire_timeout(PATIENCE);
    let pool = match file {
        Some(file) => {
            let options = options.filename(file).create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
            pool.max_connections(CONNECTIONS).connect_with(options).await?
        }
        // Each connection would have a database of its own, and lose it when it is closed.
        None => {
            let pool = pool.max_connections(1).idle_timeout(None).max_lifetime(None);
            pool.connect_with(options.filename(":memory:")).await?
        }
    };
    let blog = include_str!("../migrations/1_blog.sql").into_sql_str();
    let migration = Migration::new(1, "blog".into(), MigrationType::Simple, blog, false);
    Migrator::with_migrations(vec![migration]).run(&pool).await?;
    Ok(pool)
}

/// Adds a user; none if there is one of this name.
pub async fn add_user(database: &SqlitePool, name: &str, hash: &str) -> Result<Option<i64>, Error> {
    sqlx::query_scalar("INSERT INTO users (name, password) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING id")
        .bind(name)
        .bind(hash)
        .fetch_optional(database)
        .await
}

/// A user, by his number.
pub async fn user(database: &SqlitePool, id: i64) -> Result<Option<User>, Error> {
    sqlx::query_as("SELECT id, name FROM users WHERE id = ?").bind(id).fetch_optional(database).await
}

/// The number of a user of this name, and the hash of his password.
pub async fn password(database: &SqlitePool, name: &str) -> Result<Option<(i64, String)>, Error> {
    sqlx::query_as("SELECT id, password FROM users WHERE name = ?").bind(name).fetch_optional(database).await
}

/// The posts of a page, the first of which is 1, latest first; and whether there are older ones.
pub async fn posts(database: &SqlitePool, page: u32) -> Result<(Vec<Post>, bool), Error> {
    let mut posts: Vec<Post> = sqlx::query_as(
        "SELECT posts.*, users.name FROM posts JOIN users ON users.id = author ORDER BY posts.id DESC LIMIT ? OFFSET ?",
    )
    .bind(PAGE_POSTS + 1)
    .bind(i64::from(PAGE_POSTS) * i64::from(page - 1))
    .fetch_all(database)
    .await?;
    let has_older = posts.len() > PAGE_POSTS as usize;
    posts.truncate(PAGE_POSTS as usize);
    Ok((posts, has_older))
}

/// A post.
pub async fn post(database: &SqlitePool, id: i64) -> Result<Option<Post>, Error> {
    sqlx::query_as("SELECT posts.*, users.name FROM posts JOIN users ON users.id = author WHERE posts.id = ?")
        .bind(id)
        .fetch_optional(database)
        .await
}

/// Adds a post; gives its number.
pub async fn add_post(database: &SqlitePool, author: i64, post: &PostForm) -> Result<i64, Error> {
    sqlx::query_scalar("INSERT INTO posts (author, title, text) VALUES (?, ?, ?) RETURNING id")
        .bind(author)
        .bind(&post.title)
        .bind(&post.text)
        .fetch_one(database)
        .await
}

/// Changes a post.
pub async fn change_post(database: &SqlitePool, id: i64, post: &PostForm) -> Result<(), Error> {
    let change = sqlx::query("UPDATE posts SET title = ?, text = ? WHERE id = ?");
    change.bind(&post.title).bind(&post.text).bind(id).execute(database).await.map(|_| ())
}

/// Removes a post, and what was said to it.
pub async fn remove_post(database: &SqlitePool, id: i64) -> Result<(), Error> {
    sqlx::query("DELETE FROM posts WHERE id = ?").bind(id).execute(database).await.map(|_| ())
}

/// What was said to a post, in the order in which it was said.
pub async fn comments(database: &SqlitePool, post: i64) -> Result<Vec<Comment>, Error> {
    let latest = sqlx::query_as("SELECT * FROM comments WHERE post = ? ORDER BY id DESC LIMIT ?");
    let mut comments: Vec<Comment> = latest.bind(post).bind(PAGE_COMMENTS).fetch_all(database).await?;
    comments.reverse();
    Ok(comments)
}

/// Adds a comment; gives its number.
pub async fn add_comment(database: &SqlitePool, post: i64, comment: &CommentForm) -> Result<i64, Error> {
    sqlx::query_scalar("INSERT INTO comments (post, name, text) VALUES (?, ?, ?) RETURNING id")
        .bind(post)
        .bind(&comment.name)
        .bind(&comment.text)
        .fetch_one(database)
        .await
}

impl FromRow<'_, SqliteRow> for User {
    fn from_row(row: &SqliteRow) -> Result<User, Error> {
        Ok(User { id: row.try_get("id")?, name: row.try_get("name")? })
    }
}

impl FromRow<'_, SqliteRow> for Post {
    fn from_row(row: &SqliteRow) -> Result<Post, Error> {
        Ok(Post {
            id: row.try_get("id")?,
            author_id: row.try_get("author")?,
            author: row.try_get("name")?,
            title: row.try_get("title")?,
            text: row.try_get("text")?,
            written_at: row.try_get("written_at")?,
        })
    }
}

impl FromRow<'_, SqliteRow> for Comment {
    fn from_row(row: &SqliteRow) -> Result<Comment, Error> {
        Ok(Comment {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            text: row.try_get("text")?,
            written_at: row.try_get("written_at")?,
        })
    }
}
