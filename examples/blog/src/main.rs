//! A blog: pages of templates, forms, visitors who log in, and SQLite.
//!
//! ```text
//! cargo run -p example-blog             # then http://localhost:8080
//! ```
//! What is written is in memory, and gone when the program ends; `BLOG_DATABASE=blog.sqlite` keeps it in that file, and `BLOG_SECRET`, of 32 bytes at
//! least, keeps visitors logged in then.
//!
//! Watch for four things. All that visitors write is escaped by the templates, and the policy of the fields (`Content-Security-Policy`) would let no script run
//! that got past them: the page's own says a number that is another each time. A form that is wrong comes back as it was filled in, with each mistake beside its field. No form has a
//! secret in it: `same_origin` says what guards them instead. And what takes long, the hash of a password, is computed elsewhere, while the
//! worker serves others.

mod database;
mod error;
mod forms;
mod pages;
mod posts;
mod same_origin;
mod session;
#[cfg(test)]
mod tests;
mod users;

use std::path::Path;

use gannet::App;
use gannet::Key;
use gannet::filters::{ContentSecurityPolicy, SecurityHeaders, limit};
use gannet::templates::Templates;
use sqlx::SqlitePool;

#[gannet::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let file = std::env::var_os("BLOG_DATABASE");
    let database = database::open(file.as_deref().map(Path::new)).await?;
    let key = match std::env::var("BLOG_SECRET") {
        Ok(secret) => Key::derive_from(secret.as_bytes())?,
        Err(_) => Key::generate(),
    };
    app(database, key).listen("127.0.0.1:8080").environment().run().await?;
    Ok(())
}

/// The blog, on whatever database: the tests have one of their own.
fn app(database: SqlitePool, key: Key) -> App {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let policy = ContentSecurityPolicy::new().script_nonces();
    App::new()
        .with(SecurityHeaders::new().content_security_policy(policy))
        .with(error::error_pages)
        .with(same_origin::same_origin)
        .get("/", posts::index)
        .group("/posts", |group| {
            group
                .post("/", posts::create)
                .get("/new", posts::new)
                .get("/:id", posts::show)
                .post("/:id", posts::change)
                .get("/:id/edit", posts::edit)
                .post("/:id/delete", posts::remove)
                .post("/:id/comments", posts::comment)
        })
        .group("/login", |group| {
            group.get("/", users::login_form).post("/", users::login).with(limit("10/m").burst(5))
        })
        .get("/join", users::join_form)
        .post("/join", users::join)
        .post("/logout", users::logout)
        .files("/assets", folder.join("assets"))
        .templates(Templates::folder(folder.join("templates")))
        .state(database)
        .state(key)
}
