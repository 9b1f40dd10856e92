//! Transformation of what is asked and what is answered: fields, the path, bodies.

mod body;
#[cfg(test)]
mod tests;

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use gannet_core::{Body, Fields, Filter, Fs, IntoFilter, Request, Response, Status, around};

use body::Mapped;

/// A filter that changes requests before handlers see them, and responses after; each change in the order in which it is named.
///
/// ```
/// # use gannet_features::transform::Transform;
/// Transform::new()
///     .set_request_field("X-Tenant", "acme")
///     .remove_request_field("Cookie")
///     .rewrite_path("/v1", "/api/v1")
///     .set_field("Cache-Control", "no-store")
///     .remove_field("Server")
///     .map_body(|| |piece| piece.map(<[u8]>::to_ascii_uppercase).unwrap_or_default());
/// ```
#[derive(Clone, Default)]
pub struct Transform {
    requests: Vec<Arc<EditRequest>>,
    responses: Vec<Arc<EditResponse>>,
    map_body: Option<Arc<MakeMap>>,
}

type EditRequest = dyn Fn(&mut Request) + Send + Sync;
type EditResponse = dyn Fn(&mut Response) + Send + Sync;
/// Makes of a piece of a body, or of its end, what is sent in its place.
type Map = dyn FnMut(Option<&[u8]>) -> Vec<u8>;
type MakeMap = dyn Fn() -> Box<Map> + Send + Sync;

/// What a handler would answer by with a part, or in another form, of what is to be changed as a whole.
const OF_PARTS_AND_FORMS: [&str; 3] = ["Range", "If-Range", "Accept-Encoding"];

/// What is said of a body's bytes, and is not true of others.
const OF_THE_BYTES: [&str; 6] =
    ["ETag", "Last-Modified", "Accept-Ranges", "Content-MD5", "Content-Digest", "Repr-Digest"];

impl Transform {
    /// Nothing is changed.
    pub fn new() -> Transform {
        Transform::default()
    }

    /// Puts a field of the request in the place of all of its name.
    ///
    /// # Panics
    /// When it could not have been received, or frames the message, which is not to be changed.
    #[must_use]
    #[track_caller]
    pub fn set_request_field(self, name: &str, value: &str) -> Transform {
        check(name, value);
        let (name, value) = (name.to_owned(), value.to_owned());
        // Beyond 64 KiB of head there is no room: then it stays as it is.
        self.request(move |request| _ = request.set_field(&name, &value))
    }

    /// Takes all fields of a name out of the request.
    ///
    /// # Panics
    /// When no field is called so, or it frames the message.
    #[must_use]
    #[track_caller]
    pub fn remove_request_field(self, name: &str) -> Transform {
        check(name, "");
        let name = name.to_owned();
        self.request(move |request| remove(request, &name))
    }

    /// Exchanges what the request's path begins with: whole segments (`/v1` is not in `/v10`). The query stays. The request has its route already: handlers and the
    /// proxy see another path, and no other route is taken.
    ///
    /// # Panics
    /// When one does not begin with a slash, or has what no path has in it.
    #[must_use]
    #[track_caller]
    pub fn rewrite_path(self, from: &str, to: &str) -> Transform {
        for path in [from, to] {
            let fits = path.starts_with('/')
                && path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte));
            assert!(
                fits,
                "{path:?} is no beginning of a path: it begins with a slash, and is percent-encoded"
            );
        }
        let (from, to) = (from.trim_end_matches('/').to_owned(), to.trim_end_matches('/').to_owned());
        self.request(move |request| {
            if let Some(target) = rewritten(request.path(), request.query(), &from, &to) {
                _ = request.set_target(&target); // beyond 64 KiB of head it stays as it is
            }
        })
    }

    /// Changes the request by a function.
    #[must_use]
    pub fn request(mut self, edit: impl Fn(&mut Request) + Send + Sync + 'static) -> Transform {
        self.requests.push(Arc::new(edit));
        self
    }

    /// Puts a field of the response in the place of all of its name.
    ///
    /// # Panics
    /// When it cannot be sent ([`InvalidField`](gannet_core::InvalidField)).
    #[must_use]
    #[track_caller]
    pub fn set_field(self, name: &str, value: &str) -> Transform {
        check(name, value);
        let (name, value) = (name.to_owned(), value.to_owned());
        self.response(move |response| {
            response.fields_mut().insert(&name, &value).expect("it was tried when it was named");
        })
    }

    /// Adds a field to the response, behind those of its name.
    ///
    /// # Panics
    /// As [`set_field`](Transform::set_field).
    #[must_use]
    #[track_caller]
    pub fn add_field(self, name: &str, value: &str) -> Transform {
        check(name, value);
        let (name, value) = (name.to_owned(), value.to_owned());
        self.response(move |response| {
            response.fields_mut().append(&name, &value).expect("it was tried when it was named");
        })
    }

    /// Takes all fields of a name out of the response. Those that frame it are the server's, and stay.
    #[must_use]
    pub fn remove_field(self, name: &str) -> Transform {
        let name = name.to_owned();
        self.response(move |response| _ = response.fields_mut().remove(&name))
    }

    /// Changes the response by a function: its fields, its status.
    #[must_use]
    pub fn response(mut self, edit: impl Fn(&mut Response) + Send + Sync + 'static) -> Transform {
        self.responses.push(Arc::new(edit));
        self
    }

    /// Changes bodies as they are sent: for each response `make` gives a function that gets its pieces, as large or small as they come, and then `None` for its end, and gives
    /// what is sent instead; nothing for what it keeps. The last one that is named counts.
    ///
    /// So that it gets all bytes, as they are, handlers see neither `Range` nor `Accept-Encoding`; what is coded all the same, and parts (206), pass
    /// unchanged. The length is not known beforehand. What was said of the old bytes (`ETag`, `Last-Modified`, `Accept-Ranges`, digests) is taken out.
    #[must_use]
    pub fn map_body<M>(mut self, make: impl Fn() -> M + Send + Sync + 'static) -> Transform
    where
        M: FnMut(Option<&[u8]>) -> Vec<u8> + 'static,
    {
        self.map_body = Some(Arc::new(move || Box::new(make())));
        self
    }

    fn change_request(&self, request: &mut Request) -> Option<Rc<dyn Fs>> {
        self.requests.iter().for_each(|edit| edit(request));
        self.map_body.as_ref().map(|_| {
            OF_PARTS_AND_FORMS.iter().for_each(|name| remove(request, name));
            request.ports().fs.clone()
        })
    }

    fn change_response(&self, mut response: Response, fs: Option<Rc<dyn Fs>>) -> Response {
        if let (Some(make), Some(fs)) = (&self.map_body, fs)
            && is_whole(&response)
        {
            let (status, mut fields, body) = response.into_parts();
            OF_THE_BYTES.iter().for_each(|name| _ = fields.remove(name));
            let body = Body::stream(Mapped::new(body, make(), fs));
            response = Response::new(status).with_fields(fields).with_body(body);
        }
        self.responses.iter().for_each(|edit| edit(&mut response));
        response
    }
}

impl IntoFilter<Transform> for Transform {
    fn into_filter(self) -> Rc<dyn Filter> {
        let transform = Rc::new(self);
        let after = transform.clone();
        around(
            move |request| Ok(transform.change_request(request)),
            move |fs, response| after.change_response(response, fs),
        )
    }
}

/// Whether a response's body is all of something, in its own bytes.
fn is_whole(response: &Response) -> bool {
    let has_bytes = !matches!(response.body(), Body::Empty | Body::Upgrade(_));
    has_bytes
        && response.status() != Status::PARTIAL_CONTENT
        && response.fields().get("Content-Encoding").is_none()
}

/// A field that is not there costs nothing to take out.
fn remove(request: &mut Request, name: &str) {
    if request.field(name).is_some() {
        let removed = request.remove_field(name);
        debug_assert!(removed.is_ok(), "its name was looked at");
    }
}

#[track_caller]
fn check(name: &str, value: &str) {
    if let Err(error) = Fields::new().append(name, value) {
        panic!("the field {name:?} cannot be changed so: {error}");
    }
}

/// The target that a rewritten path makes; none if it does not begin so.
fn rewritten(path: &str, query: Option<&str>, from: &str, to: &str) -> Option<String> {
    let rest = path.strip_prefix(from).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
    let mut target = format!("{to}{rest}");
    if target.is_empty() {
        target.push('/');
    }
    if let Some(query) = query {
        target.push('?');
        target.push_str(query);
    }
    Some(target)
}

impl fmt::Debug for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transform")
            .field("requests", &self.requests.len())
            .field("responses", &self.responses.len())
            .field("map_body", &self.map_body.is_some())
            .finish()
    }
}
