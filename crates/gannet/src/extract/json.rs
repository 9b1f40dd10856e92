//! `Json`: a body of JSON, received or sent.

use std::borrow::Cow;
use std::ops::{Deref, DerefMut};

use gannet_core::{Data, FromRequest, Needs, OptionalFromRequest, Place, Rejection, Request, Status};
use serde_core::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use super::fault::told;
use super::media_type::{essence, unsupported};
use super::objects::Objects;
use super::wording::{broken, plain};

/// A body of JSON: as an argument the request's, as what a handler returns the response's.
///
/// ```
/// # use gannet::prelude::*;
/// #[derive(serde::Deserialize)]
/// struct NewUser {
///     name: String,
/// }
///
/// #[derive(serde::Serialize)]
/// struct User {
///     id: u64,
///     name: String,
/// }
///
/// App::new().post("/users", async |user: Json<NewUser>| (Status::CREATED, Json(User { id: 7, name: user.0.name })));
/// ```
///
/// As an argument: another type than `application/json` or `application/...+json` is refused with 415; a body of more than 2 MiB, or of what a
/// filter says, with 413; what is no JSON, or nested deeper than 127, with 400, which says line and column; JSON of another shape than `T`'s with 422,
/// which names the field by a JSON Pointer; a struct is an object, and no array of its fields. `Option<Json<T>>` is `None` where there is no body.
///
/// As a response: one that cannot be written (a map whose keys are no texts) is 500, and said in the log.
#[derive(Clone, Copy, Default, Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    async fn from_request(request: &mut Request) -> Result<Json<T>, Rejection> {
        read(&body(request).await?).map(Json)
    }

    fn needs(needs: &mut Needs) {
        needs.body("Json");
    }
}

impl<T: DeserializeOwned + 'static> OptionalFromRequest for Json<T> {
    fn is_there(request: &Request) -> bool {
        request.has_body()
    }
}

/// A body that says that it is JSON.
pub(crate) async fn body(request: &mut Request) -> Result<Data, Rejection> {
    if !essence(request).is_some_and(is_json) {
        return Err(unsupported(request, "application/json"));
    }
    request.whole_body().await
}

/// What JSON says.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Rejection> {
    let mut source = serde_json::Deserializer::from_slice(body);
    let value = T::deserialize(Objects(&mut source)).and_then(|value| source.end().map(|()| value));
    value.map_err(|error| refused::<T>(body, error))
}

/// `application/json`, and what is JSON besides being something else (RFC 6839, 3.1).
fn is_json(essence: &str) -> bool {
    let Some((kind, subtype)) = essence.split_once('/') else { return false };
    let suffix = subtype.len().checked_sub(5).and_then(|at| subtype.get(at..)).unwrap_or_default();
    kind.eq_ignore_ascii_case("application")
        && (subtype.eq_ignore_ascii_case("json") || suffix.eq_ignore_ascii_case("+json"))
}

/// What is wrong, and where. The place costs as much again as reading did, so it is looked for only here.
#[cold]
fn refused<T: DeserializeOwned>(body: &[u8], error: serde_json::Error) -> Rejection {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Rejection::new(Status::BAD_REQUEST, "the body is empty; JSON was expected");
    }
    let (line, column, what) = (error.line(), error.column(), said(&error));
    let is_of_another_shape = matches!(error.classify(), Category::Data);
    drop(error);
    if !is_of_another_shape {
        return Rejection::new(
            Status::BAD_REQUEST,
            format!("the body is not valid JSON: {} (line {line}, column {column})", broken(&what)),
        );
    }
    let mut source = serde_json::Deserializer::from_slice(body);
    let pointer = match serde_path_to_error::deserialize::<_, T>(Objects(&mut source)) {
        Ok(_) => String::new(),
        Err(error) => pointer(error.path(), error.inner()),
    };
    // What is missing is nowhere, and where all of the body is meant nobody has to look for it.
    let has_place = column > 0 && !pointer.is_empty() && !what.starts_with(MISSING);
    let told = plain(what);
    Rejection::new(Status::UNPROCESSABLE_CONTENT, "the body is JSON, but not as expected").with_error(
        Place::pointer(pointer),
        if has_place { format!("{told} (line {line}, column {column})") } else { told },
    )
}

/// What is wrong, without the place, which is said otherwise.
fn said(error: &serde_json::Error) -> String {
    let mut what = told(error);
    if let Some(at) = what.rfind(" at line ") {
        what.truncate(at);
    }
    what
}

/// How serde begins what it says of a field that is not there.
const MISSING: &str = "missing field `";

/// The place as a JSON Pointer (RFC 6901). A field that is missing or unknown is part of it.
fn pointer(path: &Path, error: &serde_json::Error) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => push(&mut pointer, key),
            // A variant is written as a key; one that is not known is a value.
            Segment::Enum { variant } => push(&mut pointer, variant),
            Segment::Unknown => break,
        }
    }
    let what = told(error);
    let named =
        [MISSING, "unknown field `", "duplicate field `"].iter().find_map(|begin| what.strip_prefix(begin));
    if let Some((name, _)) = named.and_then(|rest| rest.split_once('`')) {
        let last = pointer.rsplit('/').next().unwrap_or_default();
        if last != escaped(name) || what.starts_with("missing") {
            push(&mut pointer, name);
        }
    }
    pointer
}

fn push(pointer: &mut String, name: &str) {
    pointer.push('/');
    pointer.push_str(&escaped(name));
}

fn escaped(name: &str) -> Cow<'_, str> {
    if name.contains(['~', '/']) { name.replace('~', "~0").replace('/', "~1").into() } else { name.into() }
}

impl<T> Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Json<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Debug)]
    #[expect(dead_code, reason = "read only")]
    struct Order {
        #[serde(rename = "a/b~c")]
        odd: Option<u8>,
        items: Vec<Item>,
        by_name: HashMap<String, Item>,
    }

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read only")]
    struct Item {
        count: u8,
    }

    fn said_of<T: DeserializeOwned>(body: &str) -> (u16, String) {
        let rejection = read::<T>(body.as_bytes()).err().expect("this is refused");
        (rejection.status().code(), rejection.to_string())
    }

    #[test]
    fn what_is_of_another_shape_is_named_by_a_pointer() {
        for (body, place, what) in [
            ("{}", "/items", "is missing"),
            // What serde derives would take the fields in their order.
            ("[null,[],{}]", "", "expected an object, found an array"),
            ("7", "", "expected an object, found 7"),
            (r#"{"items": 1}"#, "/items", "expected an array, found 1 (line 1, column 11)"),
            (r#"{"items":[{"count":1},{}]}"#, "/items/1/count", "is missing"),
            (
                r#"{"items":[{"count":256}]}"#,
                "/items/0/count",
                "is too large: 255 is the largest that is taken (line 1",
            ),
            (r#"{"items":[{"count":1,"x":1}]}"#, "/items/0/x", "is not known; known: count (line 1"),
            (r#"{"a/b~c":"1"}"#, "/a~1b~0c", "expected a whole number, found \"1\""),
            (
                r#"{"by_name":{"k":{"count":-1}}}"#,
                "/by_name/k/count",
                "is too small: 0 is the smallest that is taken",
            ),
        ] {
            let (status, said) = said_of::<Order>(body);
            assert!(said.contains(&format!("; {place}: {what}")), "{body}: {said}");
            let says_where = !what.starts_with("is missing") && !place.is_empty();
            assert_eq!(said.contains("(line"), says_where, "{body}: {said}");
            assert_eq!(status, 422, "{body}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused_with_line_and_column() {
        let deep = "[".repeat(200);
        for (body, what) in [
            ("", "the body is empty"),
            (" \n", "the body is empty"),
            ("{", "it ends within an object (line 1, column 1)"),
            ("{\n \"a\": tru }", "true, false or null was expected (line 2, column 10)"),
            ("{} x", "there is something behind its end (line 1, column 4)"),
            (&deep, "it is nested deeper than 127 (line 1, column 128)"),
        ] {
            let (status, said) = said_of::<serde_json::Value>(body);
            assert!(said.contains(what), "{body}: {said}");
            assert_eq!(status, 400, "{body}");
        }
        let error = serde_json::from_slice::<String>(b"\"a\xff\"").unwrap_err();
        let said = refused::<String>(b"\"a\xff\"", error).to_string();
        assert!(said.contains("a string is not UTF-8 (line 1, column 3)"), "{said}");
    }

    #[test]
    fn a_type_is_json_when_it_says_so() {
        for json in ["application/json", "Application/JSON", "application/problem+json", "application/a+JSON"]
        {
            assert!(is_json(json), "{json}");
        }
        for other in ["", "json", "text/json", "application/jsonx", "application/xml", "application/json+xml"]
        {
            assert!(!is_json(other), "{other}");
        }
    }
}
