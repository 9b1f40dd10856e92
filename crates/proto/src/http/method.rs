//! Request methods (RFC 9110 section 9).

/// What a request asks to be done with its target.
///
/// The methods of RFC 9110, PATCH (RFC 5789) and QUERY have a name of their own; any other token is [`Method::Other`]
/// and its text is where the request said it ([`Head::method_text`](super::Head::method_text)). Methods are
/// case-sensitive: `get` is `Other`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
#[repr(u8)]
pub enum Method {
    /// Transfer a representation of the target.
    #[default]
    Get,
    /// As GET, without the content.
    Head,
    /// Process the content by the target's own rules.
    Post,
    /// Replace the target by the content.
    Put,
    /// Remove the target.
    Delete,
    /// Open a tunnel to the target.
    Connect,
    /// Describe how one can talk to the target.
    Options,
    /// Send the request back.
    Trace,
    /// Change the target by the content (RFC 5789).
    Patch,
    /// Process the content, and change nothing: a question that is too long for a target (draft-ietf-httpbis-safe-method-w-body).
    Query,
    /// Any other token.
    Other,
}

impl Method {
    /// All that have a name, in its order.
    pub const NAMED: [Method; 10] = [
        Method::Connect,
        Method::Delete,
        Method::Get,
        Method::Head,
        Method::Options,
        Method::Patch,
        Method::Post,
        Method::Put,
        Method::Query,
        Method::Trace,
    ];

    /// The method that these bytes name.
    #[inline]
    pub fn from_bytes(bytes: &[u8]) -> Method {
        match bytes {
            b"GET" => Method::Get,
            b"HEAD" => Method::Head,
            b"POST" => Method::Post,
            b"PUT" => Method::Put,
            b"DELETE" => Method::Delete,
            b"CONNECT" => Method::Connect,
            b"OPTIONS" => Method::Options,
            b"TRACE" => Method::Trace,
            b"PATCH" => Method::Patch,
            b"QUERY" => Method::Query,
            _ => Method::Other,
        }
    }

    /// The method's text; `None` for [`Method::Other`], whose text is in the request.
    pub const fn as_str(self) -> Option<&'static str> {
        match self {
            Method::Get => Some("GET"),
            Method::Head => Some("HEAD"),
            Method::Post => Some("POST"),
            Method::Put => Some("PUT"),
            Method::Delete => Some("DELETE"),
            Method::Connect => Some("CONNECT"),
            Method::Options => Some("OPTIONS"),
            Method::Trace => Some("TRACE"),
            Method::Patch => Some("PATCH"),
            Method::Query => Some("QUERY"),
            Method::Other => None,
        }
    }

    /// Whether the request asks for nothing but information (RFC 9110 section 9.2.1).
    pub const fn is_safe(self) -> bool {
        matches!(self, Method::Get | Method::Head | Method::Options | Method::Trace | Method::Query)
    }

    /// Whether sending the request twice means the same as sending it once (RFC 9110 section 9.2.2).
    pub const fn is_idempotent(self) -> bool {
        self.is_safe() || matches!(self, Method::Put | Method::Delete)
    }
}

#[cfg(test)]
mod tests {
    use super::Method;

    #[test]
    fn every_named_method_is_read_back_from_its_own_text() {
        for method in Method::NAMED {
            let text = method.as_str().expect("a named method has a text");
            assert_eq!(Method::from_bytes(text.as_bytes()), method);
        }
    }

    #[test]
    fn the_named_ones_are_all_but_one_in_the_order_of_their_names() {
        assert!(Method::NAMED.is_sorted_by_key(|method| method.as_str()));
        assert_eq!(Method::NAMED.len(), Method::Other as usize);
    }

    #[test]
    fn a_method_in_another_case_is_another_method() {
        assert_eq!(Method::from_bytes(b"get"), Method::Other);
        assert_eq!(Method::from_bytes(b"GETS"), Method::Other);
        assert_eq!(Method::from_bytes(b""), Method::Other);
        assert_eq!(Method::Other.as_str(), None);
    }

    #[test]
    fn safe_methods_are_idempotent_and_post_is_neither() {
        assert!(Method::NAMED.iter().all(|method| !method.is_safe() || method.is_idempotent()));
        assert!(Method::Query.is_safe() && Method::Put.is_idempotent() && Method::Delete.is_idempotent());
        assert!(!Method::Post.is_idempotent() && !Method::Patch.is_idempotent() && !Method::Other.is_safe());
    }
}
