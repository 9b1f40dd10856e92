//! The opening handshake: whether a request asks for a WebSocket, and may have one.

use gannet_core::ws::Refusal;
use gannet_core::ws::handshake::{RequestFields, check_request, check_version, choose_protocol};
use gannet_core::{Fields, IntoResponse, Method, Rejection, Request, Response, Status, Version};

use super::WebSocketOptions;
use super::options::Origins;

/// Lines of one name that are looked at: a client has one, or some few.
const MOST_LINES: usize = 16;

/// What a request and the server agree on.
#[derive(Debug)]
pub(super) struct Agreement {
    /// What the response says of it.
    pub(super) fields: Fields,
    /// Which of the options' protocols, of which more than 255 nobody speaks.
    pub(super) protocol: Option<u8>,
    #[cfg(feature = "compression")]
    pub(super) compression: Option<super::deflate::Agreed>,
}

/// Agrees to what a request asks for.
///
/// # Errors
/// 426 where it is no WebSocket, or of another version; 400 where it is not asked for as it has to be; 403 where the page may not have one.
pub(super) fn agree(request: &Request, options: &WebSocketOptions) -> Result<Agreement, Response> {
    let mut fields = Fields::new();
    match accept(request) {
        Ok(Some(accept)) => {
            let told = fields.append("Upgrade", "websocket");
            debug_assert!(told.is_ok(), "its letters can be sent");
            fields.forward("Sec-WebSocket-Accept", &accept);
        }
        Ok(None) => {}
        Err(refusal) => return Err(refused(refusal)),
    }
    if !may_come_from(request, &options.origins) {
        let what = "pages of this origin may not open a WebSocket here";
        return Err(Rejection::new(Status::FORBIDDEN, what).into_response());
    }
    let protocol =
        lines(request, "sec-websocket-protocol", |asked| choose_protocol(asked, &options.protocols));
    if let Some(protocol) = protocol {
        fields.forward("Sec-WebSocket-Protocol", protocol.as_bytes());
    }
    #[cfg(feature = "compression")]
    let compression = super::deflate::agree(request, options.compression, &mut fields)?;
    let number = protocol.and_then(|name| options.protocols.iter().position(|known| *known == name));
    Ok(Agreement {
        fields,
        protocol: number.and_then(|number| u8::try_from(number).ok()),
        #[cfg(feature = "compression")]
        compression,
    })
}

/// What proves that a request of HTTP/1.1 was understood; by HTTP/2 nothing has to (RFC 8441, 5).
fn accept(request: &Request) -> Result<Option<[u8; 28]>, Refusal> {
    let version = |version: &[&[u8]]| check_version(version);
    match request.protocol() {
        Some(protocol) if protocol.eq_ignore_ascii_case("websocket") => {
            lines(request, "sec-websocket-version", version).map(|()| None)
        }
        None if request.version() == Version::Http11 && request.method() == Method::Get => {
            lines(request, "connection", |connection| {
                lines(request, "upgrade", |upgrade| {
                    lines(request, "sec-websocket-version", |version| {
                        lines(request, "sec-websocket-key", |key| {
                            check_request(RequestFields { connection, upgrade, version, key }).map(Some)
                        })
                    })
                })
            })
        }
        _ => Err(Refusal::NotWebSocket),
    }
}

fn refused(refusal: Refusal) -> Response {
    let rejection = |status| Rejection::new(status, refusal.message()).into_response();
    match refusal {
        Refusal::NotWebSocket => rejection(Status::UPGRADE_REQUIRED).with("Upgrade", "websocket"),
        Refusal::UnsupportedVersion => rejection(Status::UPGRADE_REQUIRED)
            .with("Upgrade", "websocket")
            .with("Sec-WebSocket-Version", gannet_core::ws::handshake::VERSION),
        Refusal::InvalidKey => rejection(Status::BAD_REQUEST),
    }
}

/// Hands over the values of all lines of a name.
pub(super) fn lines<T>(request: &Request, name: &str, with: impl FnOnce(&[&[u8]]) -> T) -> T {
    let mut found = [&b""[..]; MOST_LINES];
    let mut count = 0;
    for (_, value) in request.fields().filter(|(known, _)| known.eq_ignore_ascii_case(name)).take(MOST_LINES)
    {
        found[count] = value;
        count += 1;
    }
    with(&found[..count])
}

/// Whether a page that says where it is from may have a WebSocket. Who says nothing is no browser.
fn may_come_from(request: &Request, origins: &Origins) -> bool {
    let Some(origin) = request.field("origin") else { return true };
    match origins {
        Origins::Any => true,
        Origins::These(patterns) => patterns.iter().any(|pattern| pattern.matches(origin)),
        Origins::Same => is_same(origin, request.authority().unwrap_or_default()),
    }
}

/// Whether an origin is of this authority. The scheme is left out of it: a proxy before us may have spoken TLS in our place, and the port that a scheme has
/// anyway is not written in either.
fn is_same(origin: &[u8], authority: &str) -> bool {
    let Ok(origin) = std::str::from_utf8(origin) else { return false };
    let Some((scheme, host)) = origin.split_once("://") else { return false };
    let default = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    let bare = |name: &'_ str| name.strip_suffix(default).unwrap_or(name).to_ascii_lowercase();
    !host.is_empty() && bare(host) == bare(authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_the_same_where_host_and_port_are() {
        for (origin, authority, same) in [
            ("https://a.example", "a.example", true),
            ("https://a.example", "a.example:443", true),
            ("https://A.example", "a.EXAMPLE", true),
            ("http://a.example", "a.example:80", true),
            ("http://localhost:8080", "localhost:8080", true),
            ("http://[::1]:8080", "[::1]:8080", true),
            ("http://localhost:8080", "localhost:8081", false),
            ("https://a.example", "a.example:80", false),
            ("https://a.example", "a.example:8443", false),
            ("https://evil.test", "a.example", false),
            ("https://a.example.evil.test", "a.example", false),
            ("null", "a.example", false),
            ("null", "null", false),
            ("https://", "", false),
        ] {
            assert_eq!(is_same(origin.as_bytes(), authority), same, "{origin} {authority}");
        }
    }
}
