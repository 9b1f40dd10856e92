//! What is answered, in the form that a client accepts: GraphQL over HTTP, "Response".

use async_graphql::{BatchResponse, PathSegment, Response as GraphQlResponse, Value};
use gannet_core::{Body, Fields, IntoResponse, Rejection, Response, Status};
use serde_json::json;

/// The media type of an answer, and with it what its status means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// `application/graphql-response+json`: the status says whether there is a result.
    GraphQl,
    /// `application/json`: 200 says that the content is an answer to a request of GraphQL, whatever it is.
    Json,
}

impl Form {
    /// Those that there are, the favourite first.
    pub(super) const ALL: [Form; 2] = [Form::GraphQl, Form::Json];
    /// Their media types.
    pub(super) const MEDIA_TYPES: &[&str] = &["application/graphql-response+json", "application/json"];

    fn content_type(self) -> &'static str {
        match self {
            Form::GraphQl => "application/graphql-response+json; charset=utf-8",
            Form::Json => "application/json; charset=utf-8",
        }
    }

    /// The results of a batch, or of one request.
    pub(super) fn result(self, results: BatchResponse) -> Response {
        let status = match &results {
            BatchResponse::Single(result) if is_refused(result) && self == Form::GraphQl => {
                Status::BAD_REQUEST
            }
            _ => Status::OK,
        };
        let cache_control = results.cache_control().value();
        let own = results.http_headers();
        let content = match results {
            BatchResponse::Single(result) => told(&result),
            BatchResponse::Batch(results) => results.iter().map(told).collect(),
        };
        let mut response = self.response(status, &content);
        let own = own.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let cache_control = cache_control.as_deref().map(|value| ("Cache-Control", value.as_bytes()));
        for (name, value) in cache_control.into_iter().chain(own) {
            if response.fields_mut().append(name, value).is_err() {
                tracing::warn!("a resolver's field {name:?} cannot be sent; it is left out");
            }
        }
        response
    }

    /// Why a request is none.
    pub(super) fn refusal(self, rejection: &Rejection) -> Response {
        let mut message = rejection.detail().to_owned();
        for error in rejection.errors() {
            let place = match &error.place {
                gannet_core::Place::Pointer(name)
                | gannet_core::Place::Parameter(name)
                | gannet_core::Place::Field(name) => name,
            };
            message.push_str(&format!("; {place}: {}", error.detail));
        }
        // What is JSON of another shape is no request of GraphQL, which is 400.
        let status = match rejection.status() {
            Status::UNPROCESSABLE_CONTENT => Status::BAD_REQUEST,
            status => status,
        };
        self.response(status, &json!({ "errors": [{ "message": message }] }))
    }

    /// A GET changes nothing (GraphQL over HTTP, "GET").
    pub(super) fn mutation_by_get(self) -> Response {
        let message = "mutations are asked for by POST";
        let response =
            self.response(Status::METHOD_NOT_ALLOWED, &json!({ "errors": [{ "message": message }] }));
        response.with("Allow", "POST")
    }

    fn response(self, status: Status, content: &serde_json::Value) -> Response {
        let mut fields = Fields::new();
        for (name, value) in [("Content-Type", self.content_type()), ("Vary", "Accept")] {
            fields.append(name, value).expect("names and values are ours");
        }
        Response::new(status).with_fields(fields).with_body(Body::Bytes(content.to_string().into()))
    }
}

/// Neither of the forms is accepted.
pub(super) fn not_acceptable() -> Response {
    let offers = Form::MEDIA_TYPES.join(" and ");
    Rejection::new(Status::NOT_ACCEPTABLE, format!("what is accepted is not answered here; {offers} are"))
        .into_response()
}

/// Whether nothing was executed: then there is no data, and no error is of a field.
pub(super) fn is_refused(result: &GraphQlResponse) -> bool {
    let is_of_field = |path: &Vec<PathSegment>| !path.is_empty();
    result.data == Value::Null
        && !result.errors.is_empty()
        && !result.errors.iter().any(|error| is_of_field(&error.path))
}

/// A result as JSON. Where nothing was executed there is no `data` (GraphQL, 7.1.2).
pub(super) fn told(result: &GraphQlResponse) -> serde_json::Value {
    let is_refused = is_refused(result);
    match serde_json::to_value(result) {
        Ok(mut told) => {
            if let Some(members) = told.as_object_mut().filter(|_| is_refused) {
                members.remove("data");
            }
            told
        }
        Err(error) => {
            tracing::error!("a result of GraphQL cannot be written: {error}");
            json!({ "errors": [{ "message": "the result cannot be written" }] })
        }
    }
}
