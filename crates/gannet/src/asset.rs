//! Contents that are part of the program: documents and pages that are made once, and compared by clients with what they have.

use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use gannet_core::{Body, Bytes, Fields, Method, Request, Response, Status};

use crate::App;
use crate::unlisted::Unlisted;

/// A content with its fields.
#[derive(Debug)]
pub(crate) struct Asset {
    content: Bytes,
    entity_tag: String,
    fields: Bytes,
}

impl Asset {
    /// A document of JSON.
    #[cfg(feature = "openapi")]
    pub(crate) fn json(text: String) -> Asset {
        Asset::new("application/json", text.into(), &[])
    }

    /// A content of a media type, with more fields. A client may keep it, and asks each time whether it is still so.
    pub(crate) fn new(media_type: &str, content: Bytes, more: &[(&str, &str)]) -> Asset {
        let mut hasher = DefaultHasher::new();
        hasher.write(&content);
        let entity_tag = format!("\"{:016x}\"", hasher.finish());
        let mut fields = Fields::new();
        let own = [("Content-Type", media_type), ("Cache-Control", "no-cache"), ("ETag", &entity_tag)];
        for (name, value) in own.iter().chain(more) {
            fields.append(name, value).expect("names and values are ours");
        }
        Asset { content, entity_tag, fields: fields.prepare() }
    }

    /// Answers GET on `path` with it.
    #[track_caller]
    pub(crate) fn serve(self, app: App, path: &str) -> App {
        let asset = Arc::new(self);
        app.get(path, Unlisted(move |request: Request| asset.answer(&request)))
    }

    /// It, or 304 (Not Modified) where the client has it (RFC 9110, 13.1.2).
    pub(crate) fn answer(&self, request: &Request) -> Response {
        let fields = Fields::with_prepared(self.fields.clone());
        let is_read = matches!(request.method(), Method::Get | Method::Head);
        if is_read && request.field_str("If-None-Match").is_some_and(|tags| self.is_among(tags)) {
            return Response::new(Status::NOT_MODIFIED).with_fields(fields);
        }
        Response::new(Status::OK).with_fields(fields).with_body(Body::Bytes(self.content.clone()))
    }

    fn is_among(&self, tags: &str) -> bool {
        tags.split(',')
            .map(str::trim)
            .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == self.entity_tag)
    }
}
