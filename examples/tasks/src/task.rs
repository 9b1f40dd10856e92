//! Tasks, as they are written in JSON, and what may be said of them.

use std::fmt;
use std::str::FromStr;

use gannet::openapi::{DescribeResponse, JsonSchema, Operation, schemars};
use gannet::prelude::*;
use gannet::{Json, Place};
use serde::{Deserialize, Deserializer, Serialize};
use time::Date;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::precondition::entity_tag;

/// The longest title.
pub const TITLE_CHARACTERS: usize = 200;
/// The longest notes.
pub const NOTES_CHARACTERS: usize = 10_000;
/// The number of a task. All that there may be are numbers in JavaScript, too (RFC 8259, 6).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "i64")]
#[schemars(extend("minimum" = 1, "maximum" = Id::LAST))]
pub struct Id(pub i64);

/// A task.
#[derive(Clone, PartialEq, Debug, Serialize, JsonSchema)]
pub struct Task {
    pub id: Id,
    pub title: String,
    pub notes: String,
    pub progress: Progress,
    pub due: Option<Day>,
    /// When it was added.
    #[schemars(extend("format" = "date-time"))]
    pub created_at: String,
    /// How often it was written: its entity tag.
    #[serde(skip)]
    pub version: i64,
}

/// How far a task is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Progress {
    #[default]
    Open,
    Started,
    Done,
}

/// A task as it is to be.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTask {
    /// What is to be done. It begins with neither a blank nor a control character; no two tasks that are to be done have the same.
    #[schemars(length(max = TITLE_CHARACTERS), regex(pattern = r"^[^\x00-\x20\x7f]"))]
    pub title: String,
    #[serde(default)]
    #[schemars(length(max = NOTES_CHARACTERS))]
    pub notes: String,
    #[serde(default)]
    pub progress: Progress,
    pub due: Option<Day>,
}

/// What is to be changed of a task; what is not there stays as it is.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Change {
    #[schemars(length(max = TITLE_CHARACTERS), regex(pattern = r"^[^\x00-\x20\x7f]"))]
    pub title: Option<String>,
    #[schemars(length(max = NOTES_CHARACTERS))]
    pub notes: Option<String>,
    pub progress: Option<Progress>,
    /// `null` takes it away.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "Option<Day>")]
    pub due: Option<Option<Day>>,
}

/// A task that was not there before.
pub struct Created(pub Task);

/// A day, as `2026-11-26`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("format" = "date"))]
pub struct Day(Date);

const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

impl NewTask {
    /// What the types do not say.
    pub fn check(&self) -> Result<(), Rejection> {
        refuse(Status::UNPROCESSABLE_CONTENT, mistakes(Some(&self.title), Some(&self.notes)))
    }
}

impl Change {
    /// What the types do not say.
    pub fn check(&self) -> Result<(), Rejection> {
        refuse(Status::UNPROCESSABLE_CONTENT, mistakes(self.title.as_deref(), self.notes.as_deref()))
    }
}

/// Texts of a task that it cannot have.
fn mistakes(title: Option<&str>, notes: Option<&str>) -> Vec<(Place, String)> {
    let mut mistakes = Vec::new();
    let is_title = |title: &str| title.starts_with(|first: char| first > ' ' && first != '\x7f');
    if title.is_some_and(|title| !is_title(title)) {
        let mistake = "is empty, or begins with a blank or a control character";
        mistakes.push((Place::pointer("/title"), mistake.to_owned()));
    }
    for (pointer, text, most) in [("/title", title, TITLE_CHARACTERS), ("/notes", notes, NOTES_CHARACTERS)] {
        if text.is_some_and(|text| text.chars().count() > most) {
            mistakes.push((Place::pointer(pointer), format!("has more than {most} characters")));
        }
    }
    mistakes
}

/// All mistakes at once: nobody likes to be told of the second when the first is mended.
pub fn refuse(status: Status, mistakes: Vec<(Place, String)>) -> Result<(), Rejection> {
    if mistakes.is_empty() {
        return Ok(());
    }
    let rejection = Rejection::new(status, "some values cannot be taken");
    Err(mistakes
        .into_iter()
        .fold(rejection, |rejection, (place, detail)| rejection.with_error(place, detail)))
}

impl Task {
    /// Says all of it anew.
    pub fn replace(&mut self, new: NewTask) {
        (self.title, self.notes, self.progress, self.due) = (new.title, new.notes, new.progress, new.due);
    }

    /// Says some of it anew.
    pub fn apply(&mut self, change: Change) {
        let Change { title, notes, progress, due } = change;
        self.title = title.unwrap_or(std::mem::take(&mut self.title));
        self.notes = notes.unwrap_or(std::mem::take(&mut self.notes));
        self.progress = progress.unwrap_or(self.progress);
        self.due = due.unwrap_or(self.due);
    }
}

/// Whatever is there, `null` too, is given.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Day>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl Progress {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Progress::Open => "open",
            Progress::Started => "started",
            Progress::Done => "done",
        }
    }
}

/// As it is written.
impl FromStr for Progress {
    type Err = String;

    fn from_str(text: &str) -> Result<Progress, String> {
        let all = [Progress::Open, Progress::Started, Progress::Done];
        all.into_iter()
            .find(|progress| progress.as_str() == text)
            .ok_or_else(|| format!("{text:?} is no progress"))
    }
}

impl Id {
    const LAST: i64 = (1 << 53) - 1;
}

impl TryFrom<i64> for Id {
    type Error = String;

    fn try_from(number: i64) -> Result<Id, String> {
        match number {
            1..=Id::LAST => Ok(Id(number)),
            _ => Err(format!("is not from 1 to {}", Id::LAST)),
        }
    }
}

impl TryFrom<String> for Day {
    type Error = String;

    fn try_from(text: String) -> Result<Day, String> {
        let day = Date::parse(&text, DAY).map_err(|_| format!("{text:?} is no day as 2026-11-26"))?;
        Ok(Day(day))
    }
}

impl From<Day> for String {
    fn from(day: Day) -> String {
        day.to_string()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// With its entity tag.
impl IntoResponse for Task {
    fn into_response(self) -> Response {
        let tag = entity_tag(self.version);
        Json(self).into_response().with("ETag", tag)
    }
}

impl DescribeResponse for Task {
    fn describe_response(operation: &mut Operation<'_>) {
        operation.response::<Task>(200, "application/json");
    }
}

/// With where it is.
impl IntoResponse for Created {
    fn into_response(self) -> Response {
        let place = format!("/tasks/{}", self.0.id.0);
        self.0.into_response().with_status(Status::CREATED).with("Location", place)
    }
}

impl DescribeResponse for Created {
    fn describe_response(operation: &mut Operation<'_>) {
        operation.response::<Task>(201, "application/json");
    }
}
