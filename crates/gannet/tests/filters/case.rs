//! A row of the table: an application behind a filter, what it is asked, and what it answers.

use gannet::App;

use crate::client::{Answer, Speaks};

/// An application, and what is asked of it, on one connection.
pub struct Row {
    pub name: &'static str,
    pub app: fn() -> App,
    pub cases: Vec<Case>,
}

/// What is to hold of a body.
type Holds = Box<dyn Fn(&[u8]) -> bool>;

/// One request, and its response.
pub struct Case {
    /// As HTTP/1.1 writes it, whatever is spoken.
    pub request: Vec<u8>,
    /// It is answered by a head alone.
    pub has_no_body: bool,
    /// The connection may end behind it.
    pub ends: bool,
    name: String,
    status: u16,
    fields: Vec<(&'static str, Field)>,
    body: Option<Holds>,
}

/// What is said of a field.
enum Field {
    Is(String),
    IsNot,
    /// Over TLS this, and nothing in clear text.
    IsOverTls(&'static str),
    Fits(fn(&str) -> bool),
}

/// A request without a body.
pub fn asks(line: &str, fields: &[&str]) -> Case {
    sends(line, fields, b"")
}

/// A request with a body; one without bytes says no length.
pub fn sends(line: &str, fields: &[&str], body: &[u8]) -> Case {
    let mut head = format!("{line} HTTP/1.1\r\nHost: a.example\r\n");
    for field in fields {
        head += field;
        head += "\r\n";
    }
    if !body.is_empty() {
        head += &format!("Content-Length: {}\r\n", body.len());
    }
    head += "\r\n";
    Case {
        request: [head.as_bytes(), body].concat(),
        has_no_body: line.starts_with("HEAD "),
        ends: false,
        name: format!("{line} {fields:?}"),
        status: 200,
        fields: Vec::new(),
        body: None,
    }
}

/// A request whose body comes in chunks: its length is not said beforehand.
pub fn sends_in_chunks(line: &str, fields: &[&str], chunks: &[&[u8]]) -> Case {
    let mut case = asks(line, &[fields, &["Transfer-Encoding: chunked"]].concat());
    for chunk in chunks {
        case.request.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        case.request.extend_from_slice(chunk);
        case.request.extend_from_slice(b"\r\n");
    }
    case.request.extend_from_slice(b"0\r\n\r\n");
    case
}

impl Case {
    /// It is answered with this status; without, with 200.
    pub fn is(mut self, status: u16) -> Case {
        self.status = status;
        // Neither has a body (RFC 9110, 15.3.5, 15.4.5).
        self.has_no_body |= matches!(status, 204 | 304);
        self
    }

    /// The first field of this name is so.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Case {
        self.fields.push((name, Field::Is(value.into())));
        self
    }

    /// There is no field of this name.
    pub fn without(mut self, name: &'static str) -> Case {
        self.fields.push((name, Field::IsNot));
        self
    }

    /// Over TLS the field is so, and in clear text there is none.
    pub fn with_over_tls(mut self, name: &'static str, value: &'static str) -> Case {
        self.fields.push((name, Field::IsOverTls(value)));
        self
    }

    /// There is a field of this name that fits.
    pub fn fits(mut self, name: &'static str, fits: fn(&str) -> bool) -> Case {
        self.fields.push((name, Field::Fits(fits)));
        self
    }

    /// The body is this text.
    pub fn says(self, text: &'static str) -> Case {
        self.says_bytes(move |body| body == text.as_bytes())
    }

    /// The body has this text in it.
    pub fn tells(self, text: &'static str) -> Case {
        self.says_bytes(move |body| String::from_utf8_lossy(body).contains(text))
    }

    /// The body is as `is` has it.
    pub fn says_bytes(mut self, is: impl Fn(&[u8]) -> bool + 'static) -> Case {
        self.body = Some(Box::new(is));
        self
    }

    /// The connection may end behind it.
    pub fn that_ends(mut self) -> Case {
        self.ends = true;
        self
    }

    pub fn check(&self, answer: &Answer, speaks: Speaks, row: &str) {
        let here = format!("{row}: {} over {speaks:?}", self.name);
        let body = String::from_utf8_lossy(&answer.body);
        assert_eq!(answer.status, self.status, "{here}: {}\n{body}", answer.head);
        for (name, field) in &self.fields {
            let said = answer.field(name);
            let is_so = match field {
                Field::Is(value) => said == Some(value),
                Field::IsNot => said.is_none(),
                Field::IsOverTls(value) => said == speaks.tls.map(|_| *value),
                Field::Fits(fits) => said.is_some_and(fits),
            };
            assert!(is_so, "{here}: {name} is {said:?}\n{}", answer.head);
        }
        if let Some(is) = &self.body {
            assert!(is(&answer.body), "{here}: {}\n{body:?}", answer.head);
        }
    }
}
