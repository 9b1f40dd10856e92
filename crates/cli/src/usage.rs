//! What is wrong with a command line, in one line with the way out.

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::arguments::Command;
use crate::options::Stop;

/// Flags that other servers have, with what is meant here.
const ELSEWHERE: &[(&[&str], &str)] = &[
    (&["--port", "-p"], "the port is part of the address: --listen 127.0.0.1:8080"),
    (&["--host", "--bind", "--address", "--addr", "-b", "-a"], "the address is --listen 127.0.0.1:8080"),
    (&["--threads", "-t", "-j"], "threads are --workers 2"),
    (&["--root", "--dir", "--directory", "-d"], "the folder is named without a flag: gannet ./public"),
    (&["--metrics"], "health and metrics are told by --admin 127.0.0.1:9000"),
    (
        &["--cert", "--key", "--certificate", "--https", "--ssl"],
        "TLS is --tls-cert FILE --tls-key FILE, or --tls self-signed",
    ),
    (
        &["--upstream", "--backend-server", "--proxy-pass"],
        "upstreams are named without a flag: gannet proxy :3000",
    ),
    (
        &["--gzip", "--brotli", "--compress", "--compression"],
        "files are compressed for those who take it, without a flag",
    ),
    (&["--no-listing", "--no-index", "--no-autoindex"], "folders are not listed with --listing off"),
];

/// What to do about what the parser says.
pub fn explain(error: &Error, command: Command) -> Stop {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Stop::Told(error.to_string()),
        ErrorKind::UnknownArgument => Stop::Misused(unknown(error, command)),
        ErrorKind::InvalidValue => Stop::Misused(no_value(error, command)),
        ErrorKind::TooManyValues => {
            Stop::Misused(format!("{} takes no value; see {}", named(error), command.help()))
        }
        ErrorKind::MissingRequiredArgument => Stop::Misused(
            "there is no upstream to pass requests on to; name one: gannet proxy :3000".to_owned(),
        ),
        _ => Stop::Misused(first_paragraph(&error.to_string(), command)),
    }
}

fn unknown(error: &Error, command: Command) -> String {
    let name = named(error);
    if !name.starts_with('-') {
        return format!("one folder can be served, and {name} is a second; see gannet --help");
    }
    let meant = ELSEWHERE.iter().find(|(flags, _)| flags.contains(&name)).map(|(_, meant)| *meant);
    if meant.is_none()
        && name
            .strip_prefix("--")
            .is_some_and(|flag| command.other().flags().iter().any(|other| other == flag))
    {
        return match command {
            Command::Files => {
                format!("{name} is for gannet proxy, and a folder has no upstreams; leave it out")
            }
            Command::Proxy => format!("{name} is for folders, and gannet proxy serves none; leave it out"),
        };
    }
    match (meant, text(error, ContextKind::SuggestedArg)) {
        (Some(meant), _) => format!("there is no flag {name}; {meant}"),
        (None, Some(similar)) => format!("there is no flag {name}; did you mean {similar}?"),
        (None, None) => format!("there is no flag {name}; see {}", command.help()),
    }
}

fn no_value(error: &Error, command: Command) -> String {
    match named(error) {
        "[DIR]" => "the folder's name is empty; name one, or none for the current folder".to_owned(),
        flag => format!("{flag} lacks its value; see {}", command.help()),
    }
}

/// The argument that it is about.
fn named(error: &Error) -> &str {
    text(error, ContextKind::InvalidArg).unwrap_or_default()
}

fn text(error: &Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text),
        Some(ContextValue::Strings(texts)) => texts.first().map(String::as_str),
        _ => None,
    }
}

/// The parser's own words, without its usage.
fn first_paragraph(message: &str, command: Command) -> String {
    let lines = message.lines().take_while(|line| !line.is_empty()).map(str::trim);
    let paragraph = lines.collect::<Vec<_>>().join(" ");
    format!("{}; see {}", paragraph.trim_start_matches("error: "), command.help())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use crate::options::Options;

    use super::*;

    fn told(arguments: &[&str]) -> String {
        match Options::read(["gannet"].iter().chain(arguments).map(OsString::from), |_| None) {
            Err(Stop::Told(text)) => text,
            Err(Stop::Misused(complaint)) => format!("error: {complaint}"),
            Ok(_) => panic!("{arguments:?} is taken"),
        }
    }

    #[test]
    fn every_misuse_is_one_line_that_names_it_and_the_way_out() {
        for (arguments, expected) in [
            (
                &["--port", "80"][..],
                "there is no flag --port; the port is part of the address: --listen 127.0.0.1:8080",
            ),
            (&["-p80"], "there is no flag -p; the port is part of the address: --listen 127.0.0.1:8080"),
            (&["--lisen", "80"], "there is no flag --lisen; did you mean --listen?"),
            (&["--no-such-flag"], "there is no flag --no-such-flag; see gannet --help"),
            (&["-x"], "there is no flag -x; see gannet --help"),
            (
                &["--cert", "a.pem"],
                "there is no flag --cert; TLS is --tls-cert FILE --tls-key FILE, or --tls self-signed",
            ),
            (&["--host", "::"], "there is no flag --host; the address is --listen 127.0.0.1:8080"),
            (
                &["--balance", "x"],
                "--balance is for gannet proxy, and a folder has no upstreams; leave it out",
            ),
            (&["proxy", ":1", "--spa"], "--spa is for folders, and gannet proxy serves none; leave it out"),
            (
                &["proxy", ":1", "--nothing-like-it"],
                "there is no flag --nothing-like-it; see gannet proxy --help",
            ),
            (&["proxy", ":1", "--listen"], "--listen <ADDR> lacks its value; see gannet proxy --help"),
            (&["proxy"], "there is no upstream to pass requests on to; name one: gannet proxy :3000"),
            (&["proxy", ""], "an upstream's name is empty; name one, such as :3000"),
            (
                &["-q", "proxy", ":3000"],
                "the command proxy comes first: gannet proxy [OPTIONS] UPSTREAM...; a folder of this name is ./proxy",
            ),
            (
                &["--listen", "80", "proxy"],
                "the command proxy comes first: gannet proxy [OPTIONS] UPSTREAM...; a folder of this name is ./proxy",
            ),
            (
                &["--gzip"],
                "there is no flag --gzip; files are compressed for those who take it, without a flag",
            ),
            (&["a", "b"], "one folder can be served, and b is a second; see gannet --help"),
            (&["--listen"], "--listen <ADDR> lacks its value; see gannet --help"),
            (&["--quiet=yes"], "--quiet takes no value; see gannet --help"),
            (&[""], "the folder's name is empty; name one, or none for the current folder"),
        ] {
            assert_eq!(told(arguments), format!("error: {expected}"));
        }
    }

    #[test]
    fn the_version_is_told() {
        assert_eq!(told(&["--version"]), "gannet 0.1.0\n");
        assert_eq!(told(&["-V"]), told(&["--version"]));
    }
}
