//! `openssl s_client`: a client of TLS that we did not write, which says all that it sees.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use super::server::Server;
use super::tls::{self, Authority};
use super::{Context, Outcome};
use crate::command;

const LIMIT: Duration = Duration::from_secs(20);
/// What is asked for over TLS, as the shell's printf takes it.
const REQUEST: &str = r"GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n";

/// What the checks know.
struct Served {
    /// With three certificates.
    plain: Server,
    /// That asks for certificates of clients.
    strict: Server,
    authority: Authority,
    /// One that nobody trusts.
    other: Authority,
}

type Check = (&'static str, fn(&Served) -> Result<(), String>);

const CHECKS: &[Check] = &[
    ("TLS 1.2 is spoken", |served| speaks(served, "-tls1_2", "TLSv1.2")),
    ("TLS 1.3 is spoken", |served| speaks(served, "-tls1_3", "TLSv1.3")),
    ("TLS 1.1 and 1.0 are refused", old),
    ("each host has its certificate, by wildcard too", names),
    ("h2 is chosen by ALPN where it is offered, else http/1.1", alpn),
    ("who offers no protocol of ours by ALPN is refused", foreign),
    ("a session of TLS 1.2 is resumed", resumed_1_2),
    ("a session of TLS 1.3 is resumed", resumed_1_3),
    ("who shows a certificate that is trusted is served", shown),
    ("who shows none, or another's, is refused", not_shown),
    ("plain HTTP on a port of TLS is told so", clear),
];

/// Makes certificates, starts two servers, runs every check.
pub fn run(context: &Context) -> Outcome {
    tls::missing().unwrap_or_else(|| check(context))
}

fn check(context: &Context) -> Outcome {
    let served = match serve(context) {
        Ok(served) => served,
        Err(outcome) => return outcome,
    };
    let wrong =
        CHECKS.iter().filter_map(|(name, check)| check(&served).err().map(|why| format!("{name}: {why}")));
    let mut wrong: Vec<String> = wrong.collect();
    wrong.extend([served.plain.stop(), served.strict.stop()].into_iter().filter_map(Result::err));
    if wrong.is_empty() {
        Outcome::Ran(format!("{} checks; no OCSP response, which no flag gives", CHECKS.len()))
    } else {
        Outcome::Failed(wrong.join("; "))
    }
}

fn serve(context: &Context) -> Result<Served, Outcome> {
    let make = || {
        let authority = Authority::new(context, "authority")?;
        let other = Authority::new(context, "another-authority")?;
        authority.sign("a", "DNS:a.example")?;
        authority.sign("b", "DNS:b.example")?;
        authority.sign("wild", "DNS:*.wild.example")?;
        authority.sign("client", "DNS:client.example")?;
        other.sign("stranger", "DNS:client.example")?;
        Ok((authority, other))
    };
    let (authority, other) = make().map_err(Outcome::Failed)?;
    let pair = |name: &str| {
        [
            "--tls-cert".to_owned(),
            authority.file(name, "pem"),
            "--tls-key".to_owned(),
            authority.file(name, "key"),
        ]
    };
    let flags: Vec<String> = ["a", "b", "wild"].into_iter().flat_map(pair).collect();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let root = authority.root();
    let strict = [&flags[..4], &["--tls-client-ca", &root]].concat();
    let plain = Server::start_with(context, &context.site(), "epoll", &flags)?;
    let strict = Server::start_with(context, &context.site(), "epoll", &strict)?;
    Ok(Served { plain, strict, authority, other })
}

/// The port, as an address.
fn place(server: &Server) -> &str {
    server.address.trim_start_matches("https://")
}

/// All that s_client says, of a handshake and one request; and whether it was content.
fn said(served: &Served, server: &Server, options: &str) -> Result<(bool, String), String> {
    let name = if options.contains("servername") { "" } else { "-servername a.example" };
    let script = format!(
        "printf '{REQUEST}' | openssl s_client -ign_eof -connect {} -CAfile '{}' -verify_return_error {name} {options} 2>&1",
        place(server),
        served.authority.root(),
    );
    let ended = command::run(Command::new("sh").args(["-c", &script]), LIMIT)?;
    Ok((ended.code == Some(0), ended.text()))
}

/// It succeeds, is answered, and says all of this.
fn sees(served: &Served, server: &Server, options: &str, expected: &[&str]) -> Result<(), String> {
    let (succeeded, text) = said(served, server, options)?;
    let lacks = expected.iter().chain(&["HTTP/1.1 200 OK"]).find(|expected| !text.contains(**expected));
    match lacks {
        None if succeeded => Ok(()),
        None => Err(format!("`{options}` fails, though it is answered")),
        Some(lacks) => Err(format!("`{options}` sees no `{lacks}`: {}", command::complaint(&text))),
    }
}

/// It is not answered.
fn is_refused(served: &Served, server: &Server, options: &str) -> Result<(), String> {
    let (succeeded, text) = said(served, server, options)?;
    if succeeded && text.contains("HTTP/1.1 ") || !text.contains("alert") {
        Err(format!("`{options}` is not refused: {}", command::complaint(&text)))
    } else {
        Ok(())
    }
}

fn speaks(served: &Served, option: &str, version: &str) -> Result<(), String> {
    sees(served, &served.plain, option, &[&format!("New, {version}"), "Verify return code: 0 (ok)"])
}

fn old(served: &Served) -> Result<(), String> {
    ["-tls1_1", "-tls1"]
        .into_iter()
        .try_for_each(|old| is_refused(served, &served.plain, &format!("{old} -cipher ALL:@SECLEVEL=0")))
}

fn names(served: &Served) -> Result<(), String> {
    let cases = [
        ("-servername a.example", "a"),
        ("-servername b.example", "b"),
        ("-servername x.wild.example -verify_hostname x.wild.example", "wild"),
        ("-servername unknown.example", "a"),
        ("-noservername", "a"),
    ];
    cases.into_iter().try_for_each(|(option, name)| {
        sees(served, &served.plain, option, &[&format!("subject=CN = {name}\n")])
    })
}

fn alpn(served: &Served) -> Result<(), String> {
    sees(served, &served.plain, "-alpn http/1.1", &["ALPN protocol: http/1.1"])?;
    // What is said then is no HTTP/2, and is not answered.
    let (_, text) = said(served, &served.plain, "-alpn http/1.1,h2")?;
    match text.contains("ALPN protocol: h2\n") {
        true => Ok(()),
        false => Err(format!("HTTP/2 is not chosen: {}", command::complaint(&text))),
    }
}

fn foreign(served: &Served) -> Result<(), String> {
    is_refused(served, &served.plain, "-alpn imap")
}

fn resumed_1_2(served: &Served) -> Result<(), String> {
    resumed(served, "-tls1_2", "Reused, TLSv1.2")
}

fn resumed_1_3(served: &Served) -> Result<(), String> {
    resumed(served, "-tls1_3", "Reused, TLSv1.3")
}

fn resumed(served: &Served, version: &str, expected: &str) -> Result<(), String> {
    let session = served.authority.path(&format!("session{version}.pem"));
    let session = session.display();
    sees(served, &served.plain, &format!("{version} -sess_out {session}"), &["New, TLSv1."])?;
    sees(served, &served.plain, &format!("{version} -sess_in {session}"), &[expected])
}

fn certificate(authority: &Authority, name: &str) -> String {
    format!("-cert {} -key {}", authority.file(name, "pem"), authority.file(name, "key"))
}

fn shown(served: &Served) -> Result<(), String> {
    let client = certificate(&served.authority, "client");
    ["-tls1_2", "-tls1_3"]
        .into_iter()
        .try_for_each(|version| sees(served, &served.strict, &format!("{version} {client}"), &[]))
}

fn not_shown(served: &Served) -> Result<(), String> {
    let stranger = certificate(&served.other, "stranger");
    for version in ["-tls1_2", "-tls1_3"] {
        is_refused(served, &served.strict, version)?;
        is_refused(served, &served.strict, &format!("{version} {stranger}"))?;
    }
    Ok(())
}

fn clear(served: &Served) -> Result<(), String> {
    let mut answer = String::new();
    let mut stream = TcpStream::connect(place(&served.plain)).map_err(|error| error.to_string())?;
    let asked = stream
        .set_read_timeout(Some(LIMIT))
        .and_then(|()| stream.write_all(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"))
        .and_then(|()| stream.read_to_string(&mut answer));
    asked.map_err(|error| error.to_string())?;
    if answer.starts_with("HTTP/1.1 400 ") && answer.to_ascii_lowercase().contains("https") {
        Ok(())
    } else {
        Err(format!("it is told {answer:?}"))
    }
}
