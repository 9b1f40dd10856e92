//! curl: a client we did not write.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use super::Outcome;
use super::server::Server;
use crate::command::{self, Ended};

/// How long one run of it may take; it may move gigabytes.
const LIMIT: Duration = Duration::from_secs(120);

/// What is said where it is not installed.
pub fn missing() -> Option<Outcome> {
    (!command::is_there("curl")).then(|| Outcome::LeftOut("curl is not installed".to_owned()))
}

/// curl, pointed at a server.
pub struct Curl {
    address: String,
}

/// An answer as curl shows it.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Names in lower case.
    pub fields: BTreeMap<String, String>,
    /// What came behind the head.
    pub body: Vec<u8>,
}

impl Answer {
    /// A field's value, empty where there is none.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// Itself, if that is its status.
    pub fn expect_status(self, status: u16) -> Result<Answer, String> {
        if self.status == status { Ok(self) } else { Err(format!("status {}, not {status}", self.status)) }
    }
}

impl Curl {
    /// For this server.
    pub fn new(server: &Server) -> Curl {
        Curl { address: server.address.clone() }
    }

    /// A path's URL.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// curl, with the options that every run has: it says what fails, and takes paths as they are.
    pub fn command(&self) -> Command {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--max-time", "100", "--noproxy", "*", "--globoff"]);
        curl
    }

    /// Runs it with these options on these paths; how it ended.
    pub fn ended(&self, options: &[&str], paths: &[&str]) -> Result<Ended, String> {
        let mut curl = self.command();
        curl.args(options).args(paths.iter().map(|path| self.url(path)));
        command::run(&mut curl, LIMIT)
    }

    /// What it printed; it must succeed.
    pub fn run(&self, options: &[&str], paths: &[&str]) -> Result<Vec<u8>, String> {
        Ok(self.ended(options, paths)?.succeeded()?.stdout)
    }

    /// One request, its answer taken apart.
    pub fn ask(&self, options: &[&str], path: &str) -> Result<Answer, String> {
        parse(&self.run(&[&["--include"], options].concat(), &[path])?)
    }
}

/// Parses what `curl --include` prints: a head, a blank line, a body.
fn parse(bytes: &[u8]) -> Result<Answer, String> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or("the answer has no end of head")?;
    let head = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let fields = lines.filter_map(|line| line.split_once(':'));
    Ok(Answer {
        status: status.ok_or("the answer has no status")?,
        fields: fields.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect(),
        body: bytes[end + 4..].to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_apart() {
        let answer =
            parse(b"HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\nA: b:c\r\n\r\nno\r\n\r\n")
                .expect("whole");
        assert_eq!((answer.status, answer.field("allow"), answer.field("a")), (405, "GET, HEAD", "b:c"));
        assert_eq!(answer.body, b"no\r\n\r\n");
        assert_eq!(answer.field("date"), "");
        assert!(answer.expect_status(200).is_err());
    }

    #[test]
    fn half_an_answer_is_an_error() {
        assert!(parse(b"HTTP/1.1 200 OK\r\nA: b\r\n").is_err());
        assert!(parse(b"nonsense\r\n\r\n").is_err());
    }
}
