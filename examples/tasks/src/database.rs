//! The tasks in SQLite.

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow};
use sqlx::{FromRow, Row, SqlSafeStr, Sqlite, SqliteExecutor, SqlitePool, Transaction};

use crate::error::Error;
use crate::page::{Page, Selection};
use crate::precondition::IfMatch;
use crate::task::{Day, Id, NewTask, Progress, Task};

/// How long a request waits for a connection, and one that writes for another that does; then it is told that the database is busy.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections: SQLite has one writer at a time, and readers beside it.
const CONNECTIONS: u32 = 4;

/// What makes the tables, in order. It is part of the program.
fn migrations() -> Migrator {
    let tasks = include_str!("../migrations/1_tasks.sql").into_sql_str();
    Migrator::with_migrations(vec![Migration::new(1, "tasks".into(), MigrationType::Simple, tasks, false)])
}

/// The database in a file, which is made if need be; without one in memory.
pub async fn open(file: Option<&Path>) -> Result<SqlitePool, sqlx::Error> {
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
    migrations().run(&pool).await?;
    Ok(pool)
}

/// A statement about the tasks that a selection means.
macro_rules! about_selected {
    ($what:literal, $then:literal) => {
        concat!(
            "SELECT ",
            $what,
            " FROM tasks WHERE (?1 IS NULL OR progress = ?1) AND (?2 IS NULL OR instr(lower(title), lower(?2)))",
            " AND (?3 IS NULL OR due < ?3) ",
            $then
        )
    };
}

/// Those that are meant, as far as they are on one page.
pub async fn list(database: &SqlitePool, selection: Selection) -> Result<Page, sqlx::Error> {
    let progress = selection.progress.map(Progress::as_str);
    let due_before = selection.due_before.map(String::from);
    let limit = selection.limit();
    // In one transaction, so that both see the same tasks.
    let mut transaction = database.begin().await?;
    let total = sqlx::query_scalar(about_selected!("count(*)", ""))
        .bind(progress)
        .bind(&selection.search)
        .bind(&due_before)
        .fetch_one(&mut *transaction)
        .await?;
    // One more than is wanted: then there is a next page.
    let mut tasks: Vec<Task> = sqlx::query_as(about_selected!("*", "AND id > ?4 ORDER BY id LIMIT ?5"))
        .bind(progress)
        .bind(&selection.search)
        .bind(&due_before)
        .bind(selection.after.map_or(0, |id| id.0))
        .bind(limit + 1)
        .fetch_all(&mut *transaction)
        .await?;
    let has_next = tasks.len() > limit as usize;
    tasks.truncate(limit as usize);
    let next = tasks.last().filter(|_| has_next).map(|last| selection.behind(last.id));
    Ok(Page { tasks, total, next })
}

/// A new one.
pub async fn insert(database: &SqlitePool, task: &NewTask) -> Result<Task, sqlx::Error> {
    sqlx::query_as("INSERT INTO tasks (title, notes, progress, due) VALUES (?, ?, ?, ?) RETURNING *")
        .bind(&task.title)
        .bind(&task.notes)
        .bind(task.progress.as_str())
        .bind(task.due.map(String::from))
        .fetch_one(database)
        .await
}

/// The one of this number.
pub async fn find<'a>(database: impl SqliteExecutor<'a>, id: Id) -> Result<Option<Task>, sqlx::Error> {
    sqlx::query_as("SELECT * FROM tasks WHERE id = ?").bind(id.0).fetch_optional(database).await
}

/// Changes one, if it is the version that is meant.
pub async fn update(
    database: &SqlitePool,
    id: Id,
    condition: &IfMatch,
    change: impl FnOnce(&mut Task),
) -> Result<Task, Error> {
    let (mut transaction, mut task) = meant(database, id, condition).await?;
    change(&mut task);
    let task = sqlx::query_as(
        "UPDATE tasks SET title = ?, notes = ?, progress = ?, due = ?, version = version + 1 WHERE id = ? RETURNING *",
    )
    .bind(&task.title)
    .bind(&task.notes)
    .bind(task.progress.as_str())
    .bind(task.due.map(String::from))
    .bind(id.0)
    .fetch_one(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(task)
}

/// Removes one, if it is the version that is meant.
pub async fn delete(database: &SqlitePool, id: Id, condition: &IfMatch) -> Result<(), Error> {
    let (mut transaction, _) = meant(database, id, condition).await?;
    sqlx::query("DELETE FROM tasks WHERE id = ?").bind(id.0).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
}

/// The task of this number, if it is the version that is meant, and the transaction within which it stays that. A request that is given up
/// drops it, and nothing was changed.
async fn meant(
    database: &SqlitePool,
    id: Id,
    condition: &IfMatch,
) -> Result<(Transaction<'static, Sqlite>, Task), Error> {
    // Who reads in order to write takes the right to write first: two that want it later would wait for each other.
    let mut transaction = database.begin_with("BEGIN IMMEDIATE").await?;
    let task = find(&mut *transaction, id).await?.ok_or(Error::NoSuchTask)?;
    if condition.allows(task.version) { Ok((transaction, task)) } else { Err(Error::Changed) }
}

impl FromRow<'_, SqliteRow> for Task {
    fn from_row(row: &SqliteRow) -> Result<Task, sqlx::Error> {
        let undecodable = |error: String| sqlx::Error::Decode(error.into());
        let progress: &str = row.try_get("progress")?;
        let due: Option<String> = row.try_get("due")?;
        Ok(Task {
            id: Id(row.try_get("id")?),
            title: row.try_get("title")?,
            notes: row.try_get("notes")?,
            progress: progress.parse().map_err(undecodable)?,
            due: due.map(Day::try_from).transpose().map_err(undecodable)?,
            created_at: row.try_get("created_at")?,
            version: row.try_get("version")?,
        })
    }
}
