//! The document: what was registered, as OpenAPI 3.1 says it.

use std::collections::BTreeMap;
use std::panic::Location;

use gannet_core::Method;
use gannet_server::Registered;
use serde_json::{Map, Value, json};

use super::api::{Note, Said};
use super::schemas::Schemas;
use super::{Info, Operation};
use crate::unlisted::Hidden;

type Place = &'static Location<'static>;

/// What is offered, or what is wrong with what was said of it.
pub(super) fn document(info: &Info, registered: &[Registered]) -> Result<Value, Vec<String>> {
    let mut schemas = Schemas::new();
    let mut paths: Map<String, Value> = Map::new();
    let mut tags: Vec<String> = Vec::new();
    let mut checks = Checks { info, ids: BTreeMap::new(), mistakes: Vec::new() };
    for route in registered.iter().filter(|route| route.needs.notes::<Hidden>().next().is_none()) {
        let Some(method) = route.method.and_then(member) else { continue };
        let Some((template, names)) = gannet_router::uri_template(&route.pattern) else { continue };
        let note = route.needs.notes::<Note>().next();
        let mut operation = Operation::new(method, &mut schemas, &names);
        if let Some(note) = note {
            note.describe(&mut operation);
        }
        let mut operation = operation.finish();
        let said = note.map(|note| &note.said);
        let id = said.and_then(|said| said.id.clone()).unwrap_or_else(|| made_id(method, &template));
        if let Some(said) = said {
            checks.security(said, route.place);
            tags.extend(said.tags.iter().cloned());
            add_words(&mut operation, said);
        }
        checks.id(&id, &format!("{} {}", method.to_uppercase(), route.pattern), route.place);
        operation.insert("operationId".to_owned(), id.into());
        paths.entry(template).or_insert_with(|| json!({}))[method] = operation.into();
    }
    if !checks.mistakes.is_empty() {
        return Err(checks.mistakes);
    }
    let mut document = info.frame(tags.into_iter());
    document["paths"] = paths.into();
    schemas.finish(&mut document);
    Ok(document)
}

/// What of all operations has to fit together.
struct Checks<'a> {
    info: &'a Info,
    ids: BTreeMap<String, (String, Place)>,
    mistakes: Vec<String>,
}

impl Checks<'_> {
    fn id(&mut self, id: &str, operation: &str, place: Place) {
        match self.ids.get(id) {
            Some((first, first_place)) => self.mistakes.push(format!(
                "{place}: {operation} has the id {id:?} in the OpenAPI document, which {first} has, too (at {first_place}): give one of them another by api(..).id(..)"
            )),
            None => {
                self.ids.insert(id.to_owned(), (operation.to_owned(), place));
            }
        }
    }

    fn security(&mut self, said: &Said, place: Place) {
        let unknown = said.security.iter().filter(|name| !self.info.has_scheme(name));
        self.mistakes.extend(unknown.map(|name| {
            format!("{place}: nothing in the OpenAPI document's Info is called {name:?}: add it by Info::bearer, basic or api_key")
        }));
    }
}

/// The member of a path that stands for a method; none for those that OpenAPI 3.1 does not know.
fn member(method: Method) -> Option<&'static str> {
    Some(match method {
        Method::Get => "get",
        Method::Head => "head",
        Method::Post => "post",
        Method::Put => "put",
        Method::Patch => "patch",
        Method::Delete => "delete",
        Method::Options => "options",
        Method::Trace => "trace",
        _ => return None,
    })
}

fn add_words(operation: &mut Map<String, Value>, said: &Said) {
    let texts = [("summary", &said.summary), ("description", &said.description)];
    for (name, text) in texts {
        if let Some(text) = text {
            operation.insert(name.to_owned(), text.as_str().into());
        }
    }
    if !said.tags.is_empty() {
        operation.insert("tags".to_owned(), json!(said.tags));
    }
    if said.is_deprecated {
        operation.insert("deprecated".to_owned(), true.into());
    }
    if !said.security.is_empty() {
        let ways = said.security.iter().map(|name| json!({ name.as_str(): [] }));
        operation.insert("security".to_owned(), ways.collect());
    }
}

/// `getTasksById` of GET on `/tasks/{id}`.
fn made_id(method: &str, template: &str) -> String {
    let mut id = method.to_owned();
    for segment in template.split('/').filter(|segment| !segment.is_empty()) {
        let name = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
        if name.is_some() {
            id.push_str("By");
        }
        for word in name.unwrap_or(segment).split(|character: char| !character.is_ascii_alphanumeric()) {
            let mut characters = word.chars();
            id.extend(characters.next().map(|first| first.to_ascii_uppercase()));
            id.push_str(characters.as_str());
        }
    }
    id
}
