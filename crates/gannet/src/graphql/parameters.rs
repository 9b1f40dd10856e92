//! What a request asks: its parameters, from a body or from a query.

use async_graphql::parser::types::{DocumentOperations, OperationType};
use async_graphql::{BatchRequest, Request as GraphQlRequest, Value as GraphQlValue, Variables};
use gannet_core::{FromRequest, Place, Rejection, Request, Status};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::Query;
use crate::extract::json;

/// The parameters, as JSON has them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Parameters {
    query: String,
    operation_name: Option<String>,
    variables: Option<Map<String, Value>>,
    extensions: Option<Map<String, Value>>,
}

/// The parameters, as a query has them: two of them as JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueryParameters {
    query: String,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

impl From<Parameters> for GraphQlRequest {
    fn from(parameters: Parameters) -> GraphQlRequest {
        let mut request = GraphQlRequest::new(parameters.query);
        // An empty name is none.
        request.operation_name = parameters.operation_name.filter(|name| !name.is_empty());
        request.variables = Variables::from_json(parameters.variables.unwrap_or_default().into());
        let extensions = parameters.extensions.unwrap_or_default().into_iter();
        // What is JSON is a value.
        let values =
            extensions.filter_map(|(name, value)| Some((name, GraphQlValue::from_json(value).ok()?)));
        request.extensions.extend(values);
        request
    }
}

/// One request, or some in an array.
pub(super) async fn of_body(request: &mut Request, most: usize) -> Result<BatchRequest, Rejection> {
    let body = json::body(request).await?;
    if body.trim_ascii_start().first() != Some(&b'[') {
        return json::read::<Parameters>(&body).map(|one| BatchRequest::Single(one.into()));
    }
    let batch: Vec<Parameters> = json::read(&body)?;
    let refused = |why: String| Err(Rejection::new(Status::BAD_REQUEST, why));
    match batch.len() {
        0 => refused("the batch is empty".to_owned()),
        count if count > most => {
            refused(format!("the batch has {count} requests, and {most} are taken at a time"))
        }
        _ => Ok(BatchRequest::Batch(batch.into_iter().map(GraphQlRequest::from).collect())),
    }
}

/// One request.
pub(super) async fn of_query(request: &mut Request) -> Result<GraphQlRequest, Rejection> {
    let Query(QueryParameters { query, operation_name, variables, extensions }) =
        Query::from_request(request).await?;
    let variables = of_text(variables, "variables")?;
    let extensions = of_text(extensions, "extensions")?;
    Ok(Parameters { query, operation_name, variables, extensions }.into())
}

/// A parameter that is JSON itself.
fn of_text<T: DeserializeOwned>(text: Option<String>, name: &'static str) -> Result<Option<T>, Rejection> {
    let read = |text: String| serde_json::from_str(&text);
    text.map(read).transpose().map_err(|error| {
        Rejection::new(Status::BAD_REQUEST, "the query is not as expected")
            .with_error(Place::parameter(name), error.to_string())
    })
}

/// Whether it changes something. What cannot be parsed, or leaves open which operation is meant, does not: it is not executed.
pub(super) fn is_mutation(request: &mut GraphQlRequest) -> bool {
    let name = request.operation_name.clone();
    let Ok(document) = request.parsed_query() else { return false };
    let operation = match &document.operations {
        DocumentOperations::Single(operation) => Some(operation),
        DocumentOperations::Multiple(operations) => name.and_then(|name| operations.get(name.as_str())),
    };
    operation.is_some_and(|operation| operation.node.ty == OperationType::Mutation)
}
