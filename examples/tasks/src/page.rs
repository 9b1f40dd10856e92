//! Lists of tasks: which are meant, and how many at once.

use gannet::Place;
use gannet::openapi::{DescribeResponse, JsonSchema, Operation, schemars};
use gannet::prelude::*;
use serde::{Deserialize, Serialize};

use crate::task::{Day, Id, Progress, TITLE_CHARACTERS, Task, refuse};

/// Tasks on a page, and how many there may be.
pub const PAGE_TASKS: u32 = 20;
pub const PAGE_TASKS_MOST: u32 = 100;

/// Which tasks are meant, and how many of them at once.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Those that are so far.
    pub progress: Option<Progress>,
    /// Those with this in their titles; upper and lower case of ASCII are the same.
    #[schemars(length(max = TITLE_CHARACTERS))]
    pub search: Option<String>,
    /// Those that are due before this day.
    pub due_before: Option<Day>,
    /// Those behind this one.
    pub after: Option<Id>,
    /// So many at most; 20 unless said.
    #[schemars(range(min = 1, max = PAGE_TASKS_MOST))]
    pub limit: Option<u32>,
}

/// Some of the tasks that are meant.
#[derive(Clone, PartialEq, Debug, Serialize, JsonSchema)]
pub struct Page {
    pub tasks: Vec<Task>,
    /// How many are meant in all.
    pub total: i64,
    /// Where the next page is, if there is one: relative to this.
    pub next: Option<String>,
}

impl Selection {
    /// What the types do not say.
    pub fn check(&self) -> Result<(), Rejection> {
        let mut mistakes = Vec::new();
        if self.search.as_ref().is_some_and(|search| search.chars().count() > TITLE_CHARACTERS) {
            mistakes
                .push((Place::parameter("search"), format!("has more than {TITLE_CHARACTERS} characters")));
        }
        if !(1..=PAGE_TASKS_MOST).contains(&self.limit()) {
            mistakes.push((Place::parameter("limit"), format!("is not from 1 to {PAGE_TASKS_MOST}")));
        }
        // As it is said of a query whose types are wrong.
        refuse(Status::BAD_REQUEST, mistakes)
    }

    /// How many tasks at once.
    pub fn limit(&self) -> u32 {
        self.limit.unwrap_or(PAGE_TASKS)
    }

    /// Where those of them are that are behind this one.
    pub fn behind(&self, id: Id) -> String {
        let next = Selection { after: Some(id), ..self.clone() };
        let query = serde_urlencoded::to_string(next).expect("a flat struct of texts and numbers is a query");
        format!("?{query}")
    }
}

/// With the way to the next one (RFC 8288).
impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let link = self.next.as_ref().map(|next| format!("<{next}>; rel=\"next\""));
        let response = Json(self).into_response();
        match link {
            Some(link) => response.with("Link", link),
            None => response,
        }
    }
}

impl DescribeResponse for Page {
    fn describe_response(operation: &mut Operation<'_>) {
        operation.response::<Page>(200, "application/json");
    }
}
