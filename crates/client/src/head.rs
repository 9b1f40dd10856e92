//! A response's head, as it is handed on: of whatever protocol, its spans lead into a text.

use gannet_core::{Fields, Method, Status};
use gannet_proto::{ResponseBody, ResponseHead};

/// How long the body is, where that is known, for whom it is passed to.
#[inline]
pub(crate) fn length(head: &ResponseHead, method: Method) -> Option<u64> {
    match head.body {
        // A response without content may say how long it would have been (RFC 9110, 8.6).
        ResponseBody::None if method == Method::Head || head.status == Status::NOT_MODIFIED => {
            head.content_length
        }
        ResponseBody::None => Some(0),
        ResponseBody::Known(length) => Some(length),
        ResponseBody::Chunked | ResponseBody::UntilClose => None,
    }
}

/// What of a head is for others than us: fields of this hop, and those that `Connection` names, are not (RFC 9110, 7.6.1).
pub(crate) fn fields(head: &ResponseHead, text: &[u8]) -> Fields {
    let mut fields = Fields::new();
    let names_fields = head.connection_options(text).any(names_field);
    for field in &head.fields {
        let (name, value) = (field.name.of(text), field.value.of(text));
        let named = || head.connection_options(text).any(|option| option.eq_ignore_ascii_case(name));
        let Some(name) = std::str::from_utf8(name).ok().filter(|_| !names_fields || !named()) else {
            continue;
        };
        fields.forward(name, value);
    }
    if matches!(head.status, Status::SWITCHING_PROTOCOLS | Status::UPGRADE_REQUIRED)
        && let Some(protocol) = head.field(text, "upgrade")
    {
        // What was parsed is sound.
        let _ = fields.append("Upgrade", protocol);
    }
    fields
}

/// Whether a connection option is more than one of the two that most responses have.
#[inline]
fn names_field(option: &[u8]) -> bool {
    !option.eq_ignore_ascii_case(b"keep-alive") && !option.eq_ignore_ascii_case(b"close")
}

/// The trailers, which are read into a head's fields.
pub(crate) fn trailers(head: &ResponseHead, text: &[u8]) -> Option<Fields> {
    if head.fields.is_empty() {
        return None;
    }
    let mut trailers = Fields::new();
    for field in &head.fields {
        trailers.forward(std::str::from_utf8(field.name.of(text)).unwrap_or_default(), field.value.of(text));
    }
    Some(trailers)
}
