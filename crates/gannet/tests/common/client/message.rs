//! What HTTP/1.1's notation says, for those who send it as another protocol does.

use http::{Method, Request, Uri};

/// A request's head, and how its body is written.
pub struct Message {
    pub request: Request<()>,
    pub body: Written,
}

/// How the bytes behind a head say a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It has none.
    Nothing,
    /// So many bytes are the rest of it.
    Bytes(usize),
    Chunks,
}

/// Fields that say something about a connection of HTTP/1.1 (RFC 9113, 8.2.2).
const OF_THE_CONNECTION: [&str; 5] =
    ["connection", "transfer-encoding", "keep-alive", "upgrade", "proxy-connection"];

impl Message {
    /// Reads a head, without the empty line. What no other protocol can say is a mistake of the test.
    pub fn read(head: &str, scheme: &str) -> Message {
        let (line, lines) = head.split_once("\r\n").unwrap_or((head, ""));
        let mut words = line.split(' ');
        let mut word = || words.next().expect("a request line");
        let (method, target) = (word(), word());
        assert_eq!(word(), "HTTP/1.1", "only HTTP/1.1 can be said otherwise");
        let fields: Vec<(&str, &str)> = lines.lines().filter_map(|line| line.split_once(": ")).collect();
        let find = |wanted: &str| {
            let found = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| *value)
        };
        let mut body = match (find("transfer-encoding"), find("content-length")) {
            (Some(_), _) => Written::Chunks,
            (None, None | Some("0")) => Written::Nothing,
            (None, Some(length)) => Written::Bytes(length.parse().expect("a length")),
        };
        let options = find("connection").unwrap_or_default();
        let mut request = Request::new(());
        *request.uri_mut() = uri(method, target, scheme, find("host").unwrap_or_default());
        *request.method_mut() = method.parse().expect("a method");
        if let Some(protocol) = find("upgrade").filter(|_| options.eq_ignore_ascii_case("upgrade")) {
            *request.method_mut() = Method::CONNECT;
            request.extensions_mut().insert(h2::ext::Protocol::from(protocol));
            // All that follows is the conversation's.
            body = Written::Bytes(usize::MAX);
        }
        for (name, value) in &fields {
            let name = name.to_ascii_lowercase();
            let is_left_out = options.split(", ").any(|option| option.eq_ignore_ascii_case(&name));
            // A key is what HTTP/1.1 makes sure with that it was understood (RFC 8441, 5).
            let is_left_out = is_left_out || name == "sec-websocket-key";
            if name != "host" && !OF_THE_CONNECTION.contains(&&*name) && !is_left_out {
                let name = http::HeaderName::try_from(name).expect("a name");
                request.headers_mut().append(name, value.parse().expect("a value"));
            }
        }
        Message { request, body }
    }
}

fn uri(method: &str, target: &str, scheme: &str, host: &str) -> Uri {
    if method == "CONNECT" || target.starts_with("http") {
        return target.parse().expect("a target");
    }
    let uri = Uri::builder().scheme(scheme).authority(host).path_and_query(target);
    uri.build().unwrap_or_else(|error| panic!("{target} of {host}: {error}"))
}
