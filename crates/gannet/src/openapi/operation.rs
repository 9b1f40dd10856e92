//! One operation of a document, while it is described.

use std::collections::BTreeMap;

use gannet_core::Status;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::schemas::Schemas;

/// An argument of a handler that says what it takes of a request. Extractors that implement it can be arguments of what is given to [`api`](super::api).
///
/// ```
/// # use gannet::openapi::{DescribeArgument, Operation};
/// struct Tenant(String); // an extractor
///
/// impl DescribeArgument for Tenant {
///     fn describe_argument(operation: &mut Operation<'_>) {
///         operation.header::<String>("X-Tenant", true);
///         operation.problem(400);
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what it takes of a request",
    note = "extractors of the library do, if what is within derives `schemars::JsonSchema`; for others implement `DescribeArgument`"
)]
pub trait DescribeArgument {
    /// Says what it takes, and what is answered where that is not there.
    fn describe_argument(operation: &mut Operation<'_>);
}

/// A result of a handler that says what it answers.
///
/// ```
/// # use gannet::openapi::{DescribeResponse, Operation};
/// struct NoSuchTask; // an error that is `IntoResponse`
///
/// impl DescribeResponse for NoSuchTask {
///     fn describe_response(operation: &mut Operation<'_>) {
///         operation.problem(404);
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what it answers",
    note = "`Json<T>` does, if `T` derives `schemars::JsonSchema`, and text, bytes, `Status`, `Rejection`, `(Status, R)` and `Result`s of these; for others implement `DescribeResponse`"
)]
pub trait DescribeResponse {
    /// Says what it answers.
    fn describe_response(operation: &mut Operation<'_>);
}

/// An operation, as it is being described.
pub struct Operation<'a> {
    method: &'static str,
    schemas: &'a mut Schemas,
    /// The names of the path's parameters, from left to right.
    names: &'a [String],
    path: BTreeMap<String, Value>,
    parameters: Vec<Value>,
    body: Map<String, Value>,
    body_is_required: bool,
    responses: BTreeMap<String, Value>,
    /// The status where all went well.
    status: Option<u16>,
}

impl<'a> Operation<'a> {
    pub(super) fn new(method: &'static str, schemas: &'a mut Schemas, names: &'a [String]) -> Operation<'a> {
        Operation {
            method,
            schemas,
            names,
            path: BTreeMap::new(),
            parameters: Vec::new(),
            body: Map::new(),
            body_is_required: false,
            responses: BTreeMap::new(),
            status: None,
        }
    }

    /// Whether its requests may have a body that means something (RFC 9110, 9.3.1).
    pub fn has_content(&self) -> bool {
        !matches!(self.method, "get" | "head")
    }

    /// The path's parameters are a `T`: a struct that has them by their names, a tuple from left to right, or a value if there is one.
    pub fn path<T: JsonSchema>(&mut self) {
        let schema = inline::<T>(self.schemas.input());
        let (fields, places) = (schema.get("properties"), schema.get("prefixItems"));
        let described = self.names.iter().enumerate().filter_map(|(place, name)| {
            let schema = match (fields, places) {
                (Some(fields), _) => fields.get(name)?,
                (None, Some(places)) => places.get(place)?,
                (None, None) => &schema,
            };
            Some((name.clone(), without_null(schema.clone())))
        });
        self.path.extend(described);
    }

    /// The query is a `T`: a struct with a field for each of its parameters, or a map.
    pub fn query<T: JsonSchema>(&mut self) {
        let schema = inline::<T>(self.schemas.input());
        if schema.get("properties").is_none() {
            // A map: all its members are parameters.
            self.parameters.push(json!({ "name": "query", "in": "query", "schema": schema }));
        }
        self.members("query", &schema);
    }

    /// Each field of a struct is a parameter.
    fn members(&mut self, place: &str, schema: &Value) {
        let required = schema.get("required").and_then(Value::as_array);
        for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let is_required = required.is_some_and(|names| names.iter().any(|other| other == name));
            let name = if place == "header" { name.replace('_', "-") } else { name.clone() };
            let written = without_null(schema.clone());
            let is_optional = written != *schema;
            let mut parameter = parameter(place, &name, is_required, written);
            if is_optional && place == "query" {
                // An optional value that is empty is not there: a form sends also what was not filled in.
                parameter["allowEmptyValue"] = true.into();
            }
            self.parameters.push(parameter);
        }
    }

    /// Fields of the head are a `T`: a struct with a field for each, called as it is, in lower case and with `_` for `-`.
    pub fn headers<T: JsonSchema>(&mut self) {
        let schema = inline::<T>(self.schemas.input());
        self.members("header", &schema);
    }

    /// A field of the head is a `T`.
    pub fn header<T: JsonSchema>(&mut self, name: &str, is_required: bool) {
        let schema = without_null(inline::<T>(self.schemas.input()));
        self.parameters.push(parameter("header", name, is_required, schema));
    }

    /// The body is a `T`, written in a media type that has such things (`application/json`). Several media types are alternatives.
    pub fn body<T: JsonSchema>(&mut self, media_type: &str) {
        let schema = self.schemas.input().subschema_for::<T>();
        self.body.insert(media_type.to_owned(), json!({ "schema": schema }));
        self.body_is_required = true;
    }

    /// The body is of a media type of which there is no more to say.
    pub fn opaque_body(&mut self, media_type: &str) {
        self.body.insert(media_type.to_owned(), json!({}));
    }

    /// What `describe` says of the query, the head and the body may as well be missing.
    pub fn optional(&mut self, describe: impl FnOnce(&mut Operation<'a>)) {
        let (parameters, body_is_required) = (self.parameters.len(), self.body_is_required);
        describe(self);
        self.body_is_required = body_is_required;
        for parameter in &mut self.parameters[parameters..] {
            parameter["required"] = false.into();
        }
    }

    /// A status that is answered with a `T` in a media type that has such things. The first one below 400 is that where all goes well.
    pub fn response<T: JsonSchema>(&mut self, status: u16, media_type: &str) {
        let schema = self.schemas.output().subschema_for::<T>();
        self.answer(status, Some((media_type, json!({ "schema": schema }))));
    }

    /// A status that is answered with a media type of which there is no more to say.
    pub fn opaque_response(&mut self, status: u16, media_type: &str) {
        self.answer(status, Some((media_type, json!({}))));
    }

    /// A status of whose content there is nothing to say.
    pub fn plain_response(&mut self, status: u16) {
        self.answer(status, None);
    }

    /// A status that is answered with problem details (RFC 9457).
    pub fn problem(&mut self, status: u16) {
        let content = self.problem_content();
        self.answer(status, Some(content));
    }

    /// Any other status is answered with problem details (RFC 9457).
    pub fn other_problems(&mut self) {
        let (media_type, content) = self.problem_content();
        let response = json!({ "description": "What went wrong", "content": { media_type: content } });
        self.responses.insert("default".to_owned(), response);
    }

    fn problem_content(&mut self) -> (&'static str, Value) {
        let schema = self.schemas.output().subschema_for::<super::responses::ProblemDetails>();
        ("application/problem+json", json!({ "schema": schema }))
    }

    fn answer(&mut self, status: u16, content: Option<(&str, Value)>) {
        if status < 400 && self.status.is_none() {
            self.status = Some(status);
        }
        let reason = Status::new(status).map_or("", Status::reason);
        let described = if reason.is_empty() { "Answered" } else { reason };
        let response =
            self.responses.entry(status.to_string()).or_insert_with(|| json!({ "description": described }));
        if let Some((media_type, content)) = content {
            response["content"][media_type] = content;
        }
    }

    /// The status where all goes well is this one.
    pub(super) fn set_status(&mut self, status: u16) {
        let response = self.status.and_then(|old| self.responses.remove(&old.to_string()));
        let content = response.and_then(|mut response| response.get_mut("content").map(Value::take));
        self.status = Some(status);
        self.answer(status, None);
        if let (Some(content), Some(response)) = (content, self.responses.get_mut(&status.to_string())) {
            response["content"] = content;
        }
    }

    /// What was described.
    pub(super) fn finish(mut self) -> Map<String, Value> {
        let path = self.names.iter().map(|name| {
            let schema = self.path.remove(name).unwrap_or_else(|| json!({ "type": "string" }));
            parameter("path", name, true, schema)
        });
        let parameters: Vec<Value> = path.chain(self.parameters).collect();
        if self.responses.is_empty() {
            self.responses.insert("default".to_owned(), json!({ "description": "Whatever it answers" }));
        }
        let mut operation = Map::new();
        if !parameters.is_empty() {
            operation.insert("parameters".to_owned(), parameters.into());
        }
        if !self.body.is_empty() {
            let body = json!({ "content": self.body, "required": self.body_is_required });
            operation.insert("requestBody".to_owned(), body);
        }
        operation.insert("responses".to_owned(), json!(self.responses));
        operation
    }
}

/// The schema itself, where it is taken apart, and not a reference to it.
fn inline<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    let mut schema: Schema = T::json_schema(generator);
    // Neither says more of a parameter than its name does.
    schema.remove("title");
    schema.to_value()
}

/// A parameter; what its schema says of it in words is said of it.
fn parameter(place: &str, name: &str, is_required: bool, mut schema: Value) -> Value {
    let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
    let mut parameter = json!({ "name": name, "in": place, "required": is_required, "schema": schema });
    if let Some(description) = description {
        parameter["description"] = description;
    }
    parameter
}

/// A parameter that is not there is left away: there is no way to write null.
fn without_null(mut schema: Value) -> Value {
    let is_null = |kind: &Value| kind == "null" || kind.get("type").is_some_and(|kind| kind == "null");
    for (word, single) in [("type", true), ("anyOf", false)] {
        let Some(kinds) = schema.get_mut(word).and_then(Value::as_array_mut) else { continue };
        kinds.retain(|kind| !is_null(kind));
        let [only] = &mut kinds[..] else { continue };
        let only = only.take();
        if single {
            schema[word] = only;
        } else if let (Some(schema), Value::Object(only)) = (schema.as_object_mut(), only) {
            schema.remove(word);
            for (word, value) in only {
                schema.entry(word).or_insert(value);
            }
        }
    }
    let is_default_null = schema.get("default").is_some_and(Value::is_null);
    if let Some(schema) = schema.as_object_mut().filter(|_| is_default_null) {
        schema.remove("default");
    }
    schema
}
