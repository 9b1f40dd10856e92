//! Scanners of TLS that we did not write: no old version, no weak cipher, no vulnerability that they know.

use std::fs;
use std::process::Command;
use std::time::Duration;

use super::server::Server;
use super::tls::{self, Authority};
use super::{Context, Outcome};
use crate::command;

/// How long one scanner may take.
const LIMIT: Duration = Duration::from_secs(240);
/// What testssl.sh finds that is none of ours to mend, and why.
const ACCEPTED: &[(&str, &str)] = &[
    ("BREACH", "compression is worth it, and what is secret in a page is its application's to mask"),
    ("engine_problem", "it is about the openssl that scans"),
];

/// Runs whichever scanner there is.
pub fn run(context: &Context) -> Outcome {
    if let Some(left_out) = tls::missing() {
        return left_out;
    }
    let scanners: [(&str, Scanner); 2] = [("sslscan", sslscan), ("testssl", testssl)];
    let (there, missing): (Vec<_>, Vec<_>) =
        scanners.into_iter().partition(|(program, _)| command::is_there(program));
    if there.is_empty() {
        return Outcome::LeftOut("neither sslscan nor testssl is installed".to_owned());
    }
    let (server, authority) = match serve(context) {
        Ok(server) => server,
        Err(outcome) => return outcome,
    };
    let found: Result<Vec<String>, String> = there
        .iter()
        .map(|(_, scan)| scan(server.address.trim_start_matches("https://"), &authority))
        .collect();
    let stopped = server.stop();
    let missing: Vec<&str> = missing.iter().map(|(program, _)| *program).collect();
    let without =
        if missing.is_empty() { String::new() } else { format!("; without {}", missing.join(", ")) };
    Outcome::from(found.and_then(|found| stopped.map(|()| found.join("; ") + &without)))
}

/// Scans an address, and says what it saw; what is weak is an error.
type Scanner = fn(&str, &Authority) -> Result<String, String>;

fn serve(context: &Context) -> Result<(Server, Authority), Outcome> {
    let authority = Authority::new(context, "scanned").map_err(Outcome::Failed)?;
    authority.sign("local", "IP:127.0.0.1,DNS:localhost").map_err(Outcome::Failed)?;
    let (certificate, key) = (authority.file("local", "pem"), authority.file("local", "key"));
    let flags = ["--tls-cert", &*certificate, "--tls-key", &*key];
    let server = Server::start_with(context, &context.site(), "epoll", &flags)?;
    Ok((server, authority))
}

fn sslscan(address: &str, _: &Authority) -> Result<String, String> {
    let mut scan = Command::new("sslscan");
    scan.args(["--no-colour", address]);
    judge_sslscan(&command::run(&mut scan, LIMIT)?.succeeded()?.text())
}

/// Judges what sslscan printed.
fn judge_sslscan(text: &str) -> Result<String, String> {
    for protocol in ["SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1"] {
        if !text.lines().any(|line| is_state(line, protocol, "disabled")) {
            return Err(format!("sslscan does not find {protocol} disabled"));
        }
    }
    for protocol in ["TLSv1.2", "TLSv1.3"] {
        if !text.lines().any(|line| is_state(line, protocol, "enabled")) {
            return Err(format!("sslscan does not find {protocol} enabled"));
        }
    }
    let is_cipher = |line: &&str| line.starts_with("Preferred") || line.starts_with("Accepted");
    let ciphers: Vec<&str> = text.lines().filter(is_cipher).collect();
    let weak = ciphers.iter().find(|line| {
        let is_strong = line.contains("GCM") || line.contains("CHACHA20");
        !is_strong || !(line.contains("128 bits") || line.contains("256 bits"))
    });
    let vulnerable =
        text.lines().find(|line| line.contains("vulnerable") && !line.contains("not vulnerable"));
    match weak.copied().or(vulnerable) {
        Some(line) => Err(format!("sslscan: {}", line.trim())),
        None if ciphers.len() < 4 => Err(format!("sslscan saw {} ciphers only", ciphers.len())),
        None => Ok(format!("sslscan: {} ciphers, all strong", ciphers.len())),
    }
}

fn is_state(line: &str, protocol: &str, state: &str) -> bool {
    line.split_whitespace().eq([protocol, state])
}

fn testssl(address: &str, authority: &Authority) -> Result<String, String> {
    let report = authority.folder().join("testssl.csv");
    // It writes beside what is there, or refuses to.
    let _ = fs::remove_file(&report);
    let mut scan = Command::new("testssl");
    scan.args(["--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "-p", "-s", "-f", "-U"]);
    scan.args(["--csvfile", &report.to_string_lossy(), address]);
    command::run(&mut scan, LIMIT)?;
    let report = fs::read_to_string(&report).map_err(|error| format!("testssl left no report: {error}"))?;
    judge_testssl(&report)
}

/// Judges testssl.sh's table: its first, fourth and fifth columns are what was looked at, how bad it is, and what was found.
fn judge_testssl(report: &str) -> Result<String, String> {
    let rows: Vec<Vec<&str>> =
        report.lines().skip(1).map(|line| line.trim_matches('"').split("\",\"").collect()).collect();
    let findings = rows.iter().filter(|row| row.len() >= 5);
    let is_bad = |row: &&Vec<&str>| {
        let accepted = ACCEPTED.iter().any(|(id, _)| row[0] == *id);
        !accepted && !["OK", "INFO", "DEBUG"].contains(&row[3])
    };
    let count = findings.clone().count();
    let bad: Vec<String> =
        findings.filter(is_bad).map(|row| format!("{} {}: {}", row[3], row[0], row[4])).collect();
    if !bad.is_empty() {
        return Err(format!("testssl: {}", bad.join("; ")));
    }
    let looked = ["heartbleed", "ROBOT", "TLS1", "SSLv3"];
    match looked.iter().find(|id| !rows.iter().any(|row| row[0] == **id)) {
        Some(id) => Err(format!("testssl did not look for {id}")),
        None => Ok(format!("testssl: {count} findings, none bad")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "SSLv2     disabled\nSSLv3     disabled\nTLSv1.0   disabled\nTLSv1.1   disabled\n\
        TLSv1.2   enabled\nTLSv1.3   enabled\nTLSv1.3 not vulnerable to heartbleed\n\
        Preferred TLSv1.3  256 bits  TLS_AES_256_GCM_SHA384  Curve 25519 DHE 253\n\
        Accepted  TLSv1.3  128 bits  TLS_AES_128_GCM_SHA256  Curve 25519 DHE 253\n\
        Preferred TLSv1.2  256 bits  ECDHE-ECDSA-AES256-GCM-SHA384\n\
        Accepted  TLSv1.2  256 bits  ECDHE-ECDSA-CHACHA20-POLY1305\n";

    #[test]
    fn what_is_weak_is_found_in_what_sslscan_says() {
        assert!(judge_sslscan(SOUND).is_ok());
        let weak = [
            ("TLSv1.0   disabled", "TLSv1.0   enabled"),
            ("AES256-GCM-SHA384", "AES256-SHA"),
            ("not vulnerable", "vulnerable"),
            ("TLSv1.3   enabled", "TLSv1.3   disabled"),
        ];
        for (sound, weak) in weak {
            assert!(judge_sslscan(&SOUND.replace(sound, weak)).is_err(), "{weak}");
        }
        assert!(judge_sslscan("").is_err());
    }

    #[test]
    fn what_is_bad_is_found_in_testssls_table() {
        let row = |id: &str, severity: &str| {
            format!("\"{id}\",\"127.0.0.1\",\"1\",\"{severity}\",\"found\",\"\",\"\"\n")
        };
        let sound: String = ["heartbleed", "ROBOT", "TLS1", "SSLv3"].iter().map(|id| row(id, "OK")).collect();
        let head = "\"id\",\"fqdn/ip\",\"port\",\"severity\",\"finding\",\"cve\",\"cwe\"\n";
        assert!(judge_testssl(&format!("{head}{sound}")).is_ok());
        assert!(judge_testssl(&format!("{head}{sound}{}", row("BREACH", "MEDIUM"))).is_ok(), "accepted");
        assert!(judge_testssl(&format!("{head}{sound}{}", row("LUCKY13", "LOW"))).is_err());
        assert!(judge_testssl(head).is_err(), "nothing was looked at");
    }
}
