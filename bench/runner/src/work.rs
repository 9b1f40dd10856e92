//! What a server is asked for: which file, in which way, and what must come back.

use std::path::PathBuf;

use crate::site::HELLO;

/// One kind of request, and the answer it must have.
#[derive(Clone, Debug)]
pub struct Work {
    /// What the row says was asked for, where a scenario asks for several things.
    pub label: &'static str,
    /// What is asked for.
    pub target: Target,
    /// What it holds.
    pub content: Content,
    /// In which way it is asked for.
    pub ask: Ask,
    /// The length of the answer's body; where only the server knows it, that of the null servers' answer.
    pub body_bytes: u64,
    /// Requests sent at once: the null servers answer as many with one constant.
    pub depth: u32,
    /// The folder that is served, if it is not the site's own.
    pub root: Option<PathBuf>,
    /// Whether each request has a connection of its own.
    pub is_short: bool,
    /// Whether the servers that write a log or keep metrics take part, each beside itself without.
    pub observed: bool,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Target {
    /// The 13 bytes that every server knows.
    Hello,
    /// A file of the folder that is served.
    File(&'static str),
    /// A user by its number: a path with a parameter, answered with JSON.
    User,
}

/// The user's numbers: all have as many digits.
pub const USERS: std::ops::Range<u32> = 1000..2000;

/// What a server must answer for a user.
pub fn user(id: u32) -> String {
    format!(r#"{{"id":{id},"name":"User {id}","email":"user{id}@example.org","active":true}}"#)
}

/// What a file holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Content {
    /// So many bytes, written.
    Filled(u64),
    /// So many bytes, none of them on the disk.
    Sparse(u64),
    /// So many bytes of words, which compress as prose does.
    Prose(u64),
}

/// In which way a file is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ask {
    /// All of it.
    Whole,
    /// Only if it is not what the ETag of a first response says (RFC 9110, 13.1.2). The answer is 304.
    IfNoneMatch,
    /// These bytes, both ends included (RFC 9110, 14.1.2). The answer is 206.
    Range(u64, u64),
    /// In a compressed form, if there is one.
    Compressed,
}

impl Work {
    /// The 13 bytes, asked for `depth` at once.
    pub fn hello(depth: u32) -> Work {
        Work {
            label: "13 bytes",
            target: Target::Hello,
            content: Content::Filled(HELLO.len() as u64),
            ask: Ask::Whole,
            body_bytes: HELLO.len() as u64,
            depth,
            root: None,
            is_short: false,
            observed: false,
        }
    }

    /// A whole file of so many KiB.
    pub fn file(label: &'static str, file: &'static str, kibibytes: u64) -> Work {
        let bytes = kibibytes * 1024;
        let content = Content::Filled(bytes);
        Work { label, target: Target::File(file), content, body_bytes: bytes, ..Work::hello(1) }
    }

    /// A user, by a path with a parameter, as JSON.
    pub fn user() -> Work {
        let bytes = user(USERS.start).len() as u64;
        Work {
            label: "JSON",
            target: Target::User,
            content: Content::Filled(bytes),
            body_bytes: bytes,
            ..Work::hello(1)
        }
    }

    /// The same file, asked for in another way.
    pub fn asked(self, label: &'static str, ask: Ask, body_bytes: u64) -> Work {
        Work { label, ask, body_bytes, ..self }
    }

    /// Whether the null servers' one constant answers it: they look at nothing, so they know no ranges.
    pub fn suits_null(&self) -> bool {
        matches!(self.ask, Ask::Whole | Ask::Compressed)
    }

    /// For a table: what is asked for, and in which way.
    pub fn describe(&self) -> String {
        let bytes = match self.content {
            Content::Filled(bytes) => format!("{bytes} bytes"),
            Content::Sparse(bytes) => format!("{} GiB, sparse", bytes >> 30),
            Content::Prose(bytes) => format!("{bytes} bytes of prose"),
        };
        let what = match self.target {
            Target::Hello => "body",
            Target::File(_) => "file",
            Target::User => return format!("`GET /users/:id`, answered with {bytes} of JSON"),
        };
        let way = match self.ask {
            Ask::Whole => String::new(),
            Ask::IfNoneMatch => ", asked for if its ETag is another".to_owned(),
            Ask::Range(first, last) => format!(", of which bytes {first}-{last}"),
            Ask::Compressed => ", asked for with `Accept-Encoding: br, gzip`".to_owned(),
        };
        format!("a {what} of {bytes}{way}")
    }
}
