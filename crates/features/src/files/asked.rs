//! Which of the fields that matter for a file a request has, found out in one pass.

use gannet_core::Request;

/// Presence of fields.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Asked {
    pub(super) accept_encoding: bool,
    pub(super) if_match: bool,
    pub(super) if_none_match: bool,
    pub(super) if_modified_since: bool,
    pub(super) if_unmodified_since: bool,
    pub(super) if_range: bool,
    pub(super) range: bool,
}

impl Asked {
    pub(super) fn of(request: &Request) -> Asked {
        let mut asked = Asked::default();
        for (name, _) in request.fields() {
            let is = |other: &str| name.eq_ignore_ascii_case(other);
            // Most fields are told by their length alone.
            match name.len() {
                5 if is("range") => asked.range = true,
                8 if is("if-match") => asked.if_match = true,
                8 if is("if-range") => asked.if_range = true,
                13 if is("if-none-match") => asked.if_none_match = true,
                15 if is("accept-encoding") => asked.accept_encoding = true,
                17 if is("if-modified-since") => asked.if_modified_since = true,
                19 if is("if-unmodified-since") => asked.if_unmodified_since = true,
                _ => {}
            }
        }
        asked
    }

    /// Whether the request is for the whole file, whatever the client has of it.
    pub(super) fn is_plain(self) -> bool {
        Asked { accept_encoding: false, ..self } == Asked::default()
    }
}
