//! What a document says of the whole.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// What an API is called, and what else is said of the whole of it.
#[derive(Clone, Debug)]
pub struct Info {
    pub(super) page: Option<String>,
    info: Value,
    servers: Vec<String>,
    tags: Vec<(String, Option<String>)>,
    security: BTreeMap<String, Value>,
}

impl Info {
    /// Its title, and the version of what it offers: `"1.0"`.
    pub fn new(title: impl Into<String>, version: impl Into<String>) -> Info {
        let info = json!({ "title": title.into(), "version": version.into() });
        Info { page: None, info, servers: Vec::new(), tags: Vec::new(), security: BTreeMap::new() }
    }

    /// Serves a page, too, on which people read what there is and try it: its path. It comes from the program itself, and needs nothing from elsewhere.
    #[must_use]
    pub fn try_page(mut self, path: impl Into<String>) -> Info {
        self.page = Some(path.into());
        self
    }

    /// What it is for, in CommonMark.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Info {
        self.info["description"] = description.into().into();
        self
    }

    /// A licence: its name, and its SPDX identifier.
    #[must_use]
    pub fn license(mut self, name: impl Into<String>, identifier: impl Into<String>) -> Info {
        self.info["license"] = json!({ "name": name.into(), "identifier": identifier.into() });
        self
    }

    /// Where it is to be had; by default where the document is. Several calls add up.
    #[must_use]
    pub fn server(mut self, url: impl Into<String>) -> Info {
        self.servers.push(url.into());
        self
    }

    /// What is meant by a tag, by which operations are grouped. Tags are shown in the order in which they are described; those that are not come after them.
    #[must_use]
    pub fn tag(mut self, name: impl Into<String>, description: impl Into<String>) -> Info {
        self.tags.push((name.into(), Some(description.into())));
        self
    }

    /// A way to say who one is, by a token: `Authorization: Bearer TOKEN`. [`Api::security`](super::Api::security) names it.
    #[must_use]
    pub fn bearer(self, name: impl Into<String>) -> Info {
        self.scheme(name, json!({ "type": "http", "scheme": "bearer" }))
    }

    /// A way to say who one is, by a name and a password.
    #[must_use]
    pub fn basic(self, name: impl Into<String>) -> Info {
        self.scheme(name, json!({ "type": "http", "scheme": "basic" }))
    }

    /// A way to say who one is, by a key in a field of the request.
    #[must_use]
    pub fn api_key(self, name: impl Into<String>, field: impl Into<String>) -> Info {
        self.scheme(name, json!({ "type": "apiKey", "in": "header", "name": field.into() }))
    }

    fn scheme(mut self, name: impl Into<String>, scheme: Value) -> Info {
        self.security.insert(name.into(), scheme);
        self
    }

    /// Where it is to be had.
    pub(super) fn server_urls(&self) -> impl Iterator<Item = &str> {
        self.servers.iter().map(String::as_str)
    }

    /// Whether there is a way of this name to say who one is.
    pub(super) fn has_scheme(&self, name: &str) -> bool {
        self.security.contains_key(name)
    }

    /// The document, without what it offers; `tags` are those that operations have.
    pub(super) fn frame(&self, tags: impl Iterator<Item = String>) -> Value {
        let mut document = json!({ "openapi": "3.1.0", "info": self.info, "paths": {}, "components": {} });
        if !self.servers.is_empty() {
            document["servers"] = self.servers.iter().map(|url| json!({ "url": url })).collect();
        }
        let mut all = self.tags.clone();
        for tag in tags {
            if !all.iter().any(|(name, _)| *name == tag) {
                all.push((tag, None));
            }
        }
        if !all.is_empty() {
            document["tags"] = all.iter().map(told).collect();
        }
        if !self.security.is_empty() {
            document["components"]["securitySchemes"] = json!(self.security);
        }
        document
    }
}

fn told((name, description): &(String, Option<String>)) -> Value {
    match description {
        Some(description) => json!({ "name": name, "description": description }),
        None => json!({ "name": name }),
    }
}
