//! The formats of the access log: a record becomes a line.

use std::net::IpAddr;

use gannet_core::Version;

use super::escape::{decimal, json, quoted};
use super::record::Record;

/// How a line is written. `docs/logging.md` has each field.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LogFormat {
    /// The combined format of Apache and nginx.
    #[default]
    Combined,
    /// A JSON object.
    Json,
}

/// Writes lines: knows the site's routes, and what the time is.
pub(crate) struct Lines {
    format: LogFormat,
    routes: Vec<String>,
    /// The Unix time of the engine's clock's beginning, in nanoseconds.
    clock_began_nanoseconds: u64,
    calendar: Calendar,
}

impl Lines {
    pub(crate) fn new(format: LogFormat, routes: Vec<String>) -> Lines {
        Lines { format, routes, clock_began_nanoseconds: 0, calendar: Calendar::default() }
    }

    /// Takes note of when the engine's clock began: before each batch, since the system's may have been set.
    pub(crate) fn set_clock(&mut self, began_nanoseconds: u64) {
        self.clock_began_nanoseconds = began_nanoseconds;
    }

    /// Appends a line.
    pub(crate) fn write(&mut self, record: &Record<'_>, out: &mut Vec<u8>) {
        let time = self.clock_began_nanoseconds.wrapping_add(record.outcome.begun_nanoseconds);
        self.calendar.turn_to(time / 1_000_000_000);
        match self.format {
            LogFormat::Combined => self.combined(record, out),
            LogFormat::Json => self.json(record, time / 1_000_000 % 1000, out),
        }
    }

    /// `address - - [time] "request line" status bytes "referer" "user agent"`.
    fn combined(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        let (said, outcome) = (&record.said, &record.outcome);
        address(said.client.or(said.peer), out);
        out.extend_from_slice(b" - - [");
        out.extend_from_slice(&self.calendar.common);
        out.extend_from_slice(b"] \"");
        if record.is_unread() {
            out.push(b'-');
        } else {
            quoted(said.method, out);
            out.push(b' ');
            quoted(said.target, out);
            out.push(b' ');
            out.extend_from_slice(version(said.version).as_bytes());
        }
        out.extend_from_slice(b"\" ");
        decimal(u64::from(outcome.status), 3, out);
        out.push(b' ');
        decimal(outcome.bytes, 1, out);
        for field in [said.referer, said.user_agent] {
            out.extend_from_slice(b" \"");
            quoted(field.unwrap_or(b"-"), out);
            out.push(b'"');
        }
        out.push(b'\n');
    }

    fn json(&self, record: &Record<'_>, milliseconds: u64, out: &mut Vec<u8>) {
        let (said, outcome) = (&record.said, &record.outcome);
        out.extend_from_slice(b"{\"time\":\"");
        out.extend_from_slice(&self.calendar.rfc3339);
        decimal(milliseconds, 3, out);
        out.extend_from_slice(b"Z\"");
        if said.peer.is_some() {
            out.extend_from_slice(b",\"remote_address\":\"");
            address(said.client.or(said.peer), out);
            out.push(b'"');
        }
        if said.client.is_some() {
            out.extend_from_slice(b",\"proxy_address\":\"");
            address(said.peer, out);
            out.push(b'"');
        }
        if !record.is_unread() {
            text(b",\"method\":\"", Some(said.method), out);
            text(b",\"target\":\"", Some(said.target), out);
            text(b",\"version\":\"", Some(version(said.version).as_bytes()), out);
        }
        text(b",\"tls\":\"", said.tls.map(str::as_bytes), out);
        number(b",\"status\":", u64::from(outcome.status), out);
        number(b",\"bytes\":", outcome.bytes, out);
        number(b",\"duration_us\":", outcome.duration_nanoseconds / 1000, out);
        text(b",\"host\":\"", said.host, out);
        text(b",\"referer\":\"", said.referer, out);
        text(b",\"user_agent\":\"", said.user_agent, out);
        text(
            b",\"route\":\"",
            self.routes.get(usize::from(outcome.route)).map(|route| route.as_bytes()),
            out,
        );
        if outcome.cut {
            out.extend_from_slice(b",\"cut\":true");
        }
        out.extend_from_slice(b"}\n");
    }
}

/// A member of the object; `key` with the comma before it and the quote behind it.
fn text(key: &[u8], text: Option<&[u8]>, out: &mut Vec<u8>) {
    let Some(text) = text else { return };
    out.extend_from_slice(key);
    json(text, out);
    out.push(b'"');
}

fn number(key: &[u8], number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(key);
    decimal(number, 1, out);
}

fn version(version: Version) -> &'static str {
    match version {
        Version::Http10 => "HTTP/1.0",
        Version::Http11 => "HTTP/1.1",
        Version::Http2 => "HTTP/2.0",
    }
}

/// A peer without an address is at the other end of a Unix socket; nginx calls it so.
fn address(peer: Option<IpAddr>, out: &mut Vec<u8>) {
    match peer {
        Some(IpAddr::V4(address)) => {
            for (index, octet) in address.octets().into_iter().enumerate() {
                if index > 0 {
                    out.push(b'.');
                }
                decimal(u64::from(octet), 1, out);
            }
        }
        Some(address) => out.extend_from_slice(address.to_string().as_bytes()),
        None => out.extend_from_slice(b"unix:"),
    }
}

/// One second, as both formats write it: most lines are of the second of the line before.
#[derive(Default)]
struct Calendar {
    second: Option<u64>,
    /// `24/Nov/2026:22:26:10 +0000`.
    common: [u8; 26],
    /// `2026-11-24T22:26:10.`.
    rfc3339: [u8; 20],
}

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

impl Calendar {
    fn turn_to(&mut self, second: u64) {
        if self.second == Some(second) {
            return;
        }
        self.second = Some(second);
        let mut date = [0; 29];
        gannet_proto::h1::date(second, &mut date);
        // "Tue, 24 Nov 2026 22:26:10 GMT"
        let (day, month, year, time) = (&date[5..7], &date[8..11], &date[12..16], &date[17..25]);
        let number = MONTHS.iter().position(|name| name[..] == *month).unwrap_or_default() as u8 + 1;
        let number = [b'0' + number / 10, b'0' + number % 10];
        let common = [day, b"/", month, b"/", year, b":", time, b" +0000"].concat();
        self.common.copy_from_slice(&common);
        self.rfc3339.copy_from_slice(&[year, b"-", &number, b"-", day, b"T", time, b"."].concat());
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::{recorded, said};
    use super::super::record::{Outcome, Said};
    use super::*;

    fn line(format: LogFormat, said: &Said<'_>, outcome: &Outcome) -> String {
        let records = recorded(said, outcome);
        let (record, _) = Record::read(&records).expect("one");
        let mut lines = Lines::new(format, vec!["/a".to_owned()]);
        lines.set_clock(1_795_559_170_000_000_000);
        let mut out = Vec::new();
        lines.write(&record, &mut out);
        String::from_utf8(out).expect("lines are UTF-8")
    }

    fn outcome() -> Outcome {
        Outcome {
            begun_nanoseconds: 7_000_000,
            duration_nanoseconds: 1_234_567,
            bytes: 42,
            status: 200,
            route: 0,
            cut: false,
        }
    }

    #[test]
    fn the_combined_format_is_apache_s_and_nginx_s() {
        assert_eq!(
            line(LogFormat::Combined, &said(), &outcome()),
            "192.0.2.7 - - [24/Nov/2026:22:26:10 +0000] \"GET /a?b=c HTTP/1.1\" 200 42 \"http://b.example/\" \"test/1.0\"\n"
        );
        let unread = Said { method: b"", target: b"", referer: None, user_agent: None, peer: None, ..said() };
        assert_eq!(
            line(LogFormat::Combined, &unread, &Outcome { status: 0, bytes: 0, ..outcome() }),
            "unix: - - [24/Nov/2026:22:26:10 +0000] \"-\" 000 0 \"-\" \"-\"\n"
        );
    }

    #[test]
    fn a_json_line_names_what_is_known_and_leaves_out_what_is_not() {
        assert_eq!(
            line(LogFormat::Json, &said(), &outcome()),
            concat!(
                r#"{"time":"2026-11-24T22:26:10.007Z","remote_address":"192.0.2.7","method":"GET","target":"/a?b=c","#,
                r#""version":"HTTP/1.1","status":200,"bytes":42,"duration_us":1234,"host":"a.example","#,
                r#""referer":"http://b.example/","user_agent":"test/1.0","route":"/a"}"#,
                "\n"
            )
        );
        let unread = Said { method: b"", target: b"", host: None, referer: None, user_agent: None, ..said() };
        let peer = Some(IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]));
        assert_eq!(
            line(LogFormat::Json, &Said { peer, ..unread }, &Outcome { route: 9, cut: true, ..outcome() }),
            "{\"time\":\"2026-11-24T22:26:10.007Z\",\"remote_address\":\"2001:db8::1\",\"status\":200,\"bytes\":42,\"duration_us\":1234,\"cut\":true}\n"
        );
    }

    #[test]
    fn whom_a_trusted_proxy_asks_for_stands_in_its_place_and_json_has_both() {
        let said = Said { client: Some(IpAddr::from([203, 0, 113, 9])), ..said() };
        assert!(line(LogFormat::Combined, &said, &outcome()).starts_with("203.0.113.9 - - ["));
        let json = line(LogFormat::Json, &said, &outcome());
        assert!(
            json.contains(r#","remote_address":"203.0.113.9","proxy_address":"192.0.2.7","method":"#),
            "{json}"
        );
    }

    #[test]
    fn what_came_by_tls_says_so_in_json() {
        let json = line(LogFormat::Json, &Said { tls: Some("TLSv1.3"), ..said() }, &outcome());
        assert!(json.contains(r#""version":"HTTP/1.1","tls":"TLSv1.3","status":200"#), "{json}");
    }

    #[test]
    fn no_text_of_a_client_forges_a_line_or_a_field() {
        let hostile = b"\" 200 0 \"-\" \"-\"\n127.0.0.1 - - [\\\x1b[2J\xff";
        let said = Said {
            target: hostile,
            referer: Some(hostile),
            user_agent: Some(hostile),
            host: Some(hostile),
            ..said()
        };
        let combined = line(LogFormat::Combined, &said, &outcome());
        assert_eq!((combined.matches('"').count(), combined.matches('\n').count()), (6, 1), "{combined}");
        let json = line(LogFormat::Json, &said, &outcome());
        assert!(json.matches('\n').count() == 1 && !json.contains('\x1b'), "{json}");
        assert_eq!(json.matches(r#"\" 200 0 \"-\" \"-\"\u000A"#).count(), 4, "{json}");
    }
}
