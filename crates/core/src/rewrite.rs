//! A request's head, written anew with other fields or another target.

use std::borrow::Cow;

use gannet_proto::{Field, Head, Span, TargetForm};

use crate::InvalidField;
use crate::fields::{is_framing, is_token, is_value};

/// What the new head says.
pub(crate) struct Rewrite<'a> {
    head: &'a Head,
    text: &'a [u8],
    target: Option<String>,
    authority: Option<Cow<'a, [u8]>>,
    fields: Vec<(Cow<'a, str>, Cow<'a, [u8]>)>,
}

impl<'a> Rewrite<'a> {
    /// What the head says now.
    pub(crate) fn new(head: &'a Head, text: &'a [u8]) -> Rewrite<'a> {
        let field = |field: &Field| {
            let name = std::str::from_utf8(field.name.of(text)).expect("names are tokens");
            (Cow::Borrowed(name), Cow::Borrowed(field.value.of(text)))
        };
        let fields = head.fields.iter().map(field).collect();
        let authority = head.authority.map(|span| Cow::Borrowed(span.of(text)));
        Rewrite { head, text, target: None, authority, fields }
    }

    pub(crate) fn set_field(&mut self, name: &str, value: &[u8]) -> Result<(), InvalidField> {
        self.remove_field(name)?;
        if !is_value(value) {
            return Err(InvalidField::Value);
        }
        if name.eq_ignore_ascii_case("host") {
            self.authority = Some(value.to_vec().into());
        }
        self.fields.push((name.to_owned().into(), value.to_vec().into()));
        Ok(())
    }

    pub(crate) fn remove_field(&mut self, name: &str) -> Result<(), InvalidField> {
        if !is_token(name) {
            return Err(InvalidField::Name);
        }
        // `Date` of a request is not ours to keep, as that of a response is; all else that frames it is.
        if is_framing(name) && !name.eq_ignore_ascii_case("date") || name.eq_ignore_ascii_case("upgrade") {
            return Err(InvalidField::Framing);
        }
        self.fields.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        Ok(())
    }

    pub(crate) fn set_target(&mut self, target: &str) -> Result<(), InvalidField> {
        let is_target =
            target.starts_with('/') && target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        if !is_target {
            return Err(InvalidField::Value);
        }
        self.target = Some(target.to_owned());
        Ok(())
    }

    /// The new text, and the head with its offsets there. What kind of message it is stays.
    pub(crate) fn write(self) -> Result<(Vec<u8>, Head), InvalidField> {
        let (old, text) = (self.head, self.text);
        let mut writer = Writer(Vec::with_capacity(text.len() + 64));
        let mut head = Head { fields: Vec::with_capacity(self.fields.len()), ..old.clone() };
        head.method_text = writer.put(old.method_text.of(text))?;
        head.protocol = old.protocol.map(|span| writer.put(span.of(text))).transpose()?;
        head.authority = self.authority.map(|authority| writer.put(&authority)).transpose()?;
        match &self.target {
            None => {
                head.target = writer.put(old.target.of(text))?;
                head.path = writer.put(old.path.of(text))?;
                head.query = old.query.map(|span| writer.put(span.of(text))).transpose()?;
            }
            Some(target) => {
                head.form = TargetForm::Origin;
                head.target = writer.put(target.as_bytes())?;
                let path_bytes = target.find('?').unwrap_or(target.len()) as u16; // `put` has looked at its length
                head.path = Span { end: head.target.start + path_bytes, ..head.target };
                let has_query = usize::from(path_bytes) < target.len();
                head.query = has_query.then_some(Span { start: head.path.end + 1, ..head.target });
            }
        }
        for (name, value) in &self.fields {
            head.fields.push(Field { name: writer.put(name.as_bytes())?, value: writer.put(value)? });
        }
        head.length = writer.end()?;
        Ok((writer.0, head))
    }
}

/// Text, of which offsets are taken.
struct Writer(Vec<u8>);

impl Writer {
    fn put(&mut self, bytes: &[u8]) -> Result<Span, InvalidField> {
        let start = self.end()?;
        self.0.extend_from_slice(bytes);
        Ok(Span { start, end: self.end()? })
    }

    fn end(&self) -> Result<u16, InvalidField> {
        u16::try_from(self.0.len()).map_err(|_| InvalidField::Value)
    }
}

#[cfg(test)]
mod tests {
    use crate::InvalidField;
    use crate::request::tests::request;

    #[test]
    fn fields_are_set_and_removed_and_the_rest_stays() {
        let mut request = request("GET", "/a/b?c=d");
        request.set_field("X-New", "1").unwrap();
        request.set_field("x-a", "3").unwrap();
        let fields: Vec<_> =
            request.fields().map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
        let expected = [("Host", "a.example"), ("X-New", "1"), ("x-a", "3")];
        assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())));
        request.remove_field("X-A").unwrap();
        assert_eq!((request.field("x-a"), request.field("x-new")), (None, Some(&b"1"[..])));
        assert_eq!((request.method_name(), request.target()), ("GET", "/a/b?c=d"));
        assert_eq!(
            (request.path(), request.query(), request.authority()),
            ("/a/b", Some("c=d"), Some("a.example"))
        );
    }

    #[test]
    fn a_new_host_is_a_new_authority_and_a_new_target_a_new_path_and_query() {
        let mut request = request("GET", "/a?b");
        request.set_field("host", "b.example").unwrap();
        request.set_target("/c/d?").unwrap();
        assert_eq!(
            (request.authority(), request.path(), request.query()),
            (Some("b.example"), "/c/d", Some(""))
        );
        request.set_target("/e").unwrap();
        assert_eq!((request.target(), request.path(), request.query()), ("/e", "/e", None));
    }

    #[test]
    fn what_frames_a_message_or_could_not_have_been_received_is_refused() {
        let mut request = request("GET", "/a");
        for name in ["content-length", "Transfer-Encoding", "connection", "upgrade"] {
            assert_eq!(request.set_field(name, "1"), Err(InvalidField::Framing), "{name}");
            assert_eq!(request.remove_field(name), Err(InvalidField::Framing), "{name}");
        }
        assert_eq!(request.set_field("x a", "1"), Err(InvalidField::Name));
        assert_eq!(request.set_field("x-a", "1\r\n"), Err(InvalidField::Value));
        for target in ["", "a", "/a b", "/a#b", "/\u{e9}", "http://a/"] {
            assert_eq!(request.set_target(target), Err(InvalidField::Value), "{target}");
        }
        assert_eq!(request.set_field("x-a", "b".repeat(70_000)), Err(InvalidField::Value));
        assert_eq!(request.field("x-a"), Some(&b"1"[..]), "nothing of it was done");
    }
}
