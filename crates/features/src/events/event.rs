//! One event, as it is written (the HTML standard, 9.2.5).

use std::time::Duration;

use bytes::Bytes;

/// An event: data, and what else the client is to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// The fields, each a line.
    text: String,
}

impl Event {
    /// An event of this data, which may have several lines.
    pub fn new(data: impl AsRef<str>) -> Event {
        let mut event = Event { text: String::new() };
        for line in lines(data.as_ref()) {
            event.field("data", line);
        }
        event
    }

    /// An event whose data is JSON.
    ///
    /// # Errors
    /// The value is one that JSON cannot say.
    #[cfg(feature = "json")]
    pub fn json<T: serde_core::Serialize + ?Sized>(value: &T) -> Result<Event, serde_json::Error> {
        serde_json::to_string(value).map(Event::new)
    }

    /// A comment: clients pass over it.
    pub fn comment(text: impl AsRef<str>) -> Event {
        let mut event = Event { text: String::new() };
        for line in lines(text.as_ref()) {
            event.field("", line);
        }
        event
    }

    /// Gives it an id, which the client says when it comes again ([`Events::last_id`](super::Events::last_id)). Line ends and NUL, which none can have, are left out.
    #[must_use]
    pub fn id(mut self, id: &str) -> Event {
        self.field("id", &one_line(id));
        self
    }

    /// Gives it a name: what a page listens for, `message` without one. Line ends are left out.
    #[must_use]
    pub fn name(mut self, name: &str) -> Event {
        self.field("event", &one_line(name));
        self
    }

    /// Tells the client how long to wait before it comes again, once the stream has ended: by default some three seconds.
    #[must_use]
    pub fn retry(mut self, wait: Duration) -> Event {
        self.field("retry", &wait.as_millis().to_string());
        self
    }

    /// As it is sent.
    pub fn into_bytes(mut self) -> Bytes {
        self.text.push('\n');
        self.text.into()
    }

    fn field(&mut self, name: &str, value: &str) {
        self.text.push_str(name);
        self.text.push_str(": ");
        self.text.push_str(value);
        self.text.push('\n');
    }
}

/// Lines end in LF, CR or both.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\n', '\r']) else { return rest.take() };
        let behind = &text[end..];
        rest = Some(behind.strip_prefix("\r\n").unwrap_or(&behind[1..]));
        Some(&text[..end])
    })
}

fn one_line(text: &str) -> String {
    text.chars().filter(|letter| !matches!(letter, '\n' | '\r' | '\0')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_written_line_by_line_whatever_ends_its_lines() {
        for (event, written) in [
            (Event::new("a"), "data: a\n\n"),
            (Event::new(""), "data: \n\n"),
            (Event::new("a\nb\r\nc\rd\n"), "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"),
            (Event::new(" a:b"), "data:  a:b\n\n"),
            (Event::new("a").id("7").name("tick"), "data: a\nid: 7\nevent: tick\n\n"),
            (Event::new("a").id("7\n\0data: b").name("x\r\ny"), "data: a\nid: 7data: b\nevent: xy\n\n"),
            (Event::new("a").retry(Duration::from_millis(1500)), "data: a\nretry: 1500\n\n"),
            (Event::comment("still\nhere"), ": still\n: here\n\n"),
        ] {
            assert_eq!(event.into_bytes(), written);
        }
    }
}
