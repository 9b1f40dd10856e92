//! An application as it may have been before: it knows axum, and nothing of Gannet.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Greeting {
    greeting: Option<String>,
}

#[derive(Deserialize)]
struct NewUser {
    name: String,
}

#[derive(Serialize)]
struct User {
    id: u64,
    name: String,
}

/// How many users there are.
type Users = Arc<AtomicU64>;

pub fn router() -> Router {
    Router::new()
        .route("/users/{id}", get(show))
        .route("/users", post(create))
        .fallback(async || (StatusCode::NOT_FOUND, "axum has no such thing\n"))
        .with_state(Users::default())
}

async fn show(Path(id): Path<u64>, Query(query): Query<Greeting>) -> String {
    format!("{}, user {id}, by axum\n", query.greeting.as_deref().unwrap_or("welcome"))
}

async fn create(State(users): State<Users>, Json(user): Json<NewUser>) -> (StatusCode, Json<User>) {
    let id = users.fetch_add(1, Ordering::Relaxed) + 1;
    (StatusCode::CREATED, Json(User { id, name: user.name }))
}
