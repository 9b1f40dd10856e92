//! HTTP/2 by programs that we did not write: curl, nghttp, h2load, node, Python's httpx, h2spec; in clear text and over TLS.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::server::Server;
use super::{Context, Outcome};
use crate::command;

/// How long one run of a program may take.
const LIMIT: Duration = Duration::from_secs(120);
/// Of the file that takes many windows.
const LARGE_BYTES: usize = 8 * 1024 * 1024;
/// Resources of the page.
pub const RESOURCES: usize = 60;

/// What is served, and where: in clear text, or over TLS by the authority in a file.
struct Served<'a> {
    address: &'a str,
    authority: Option<&'a str>,
    folder: &'a Path,
}

/// One program: what it has to see.
type Check = fn(&Served<'_>) -> Result<(), String>;

const PROGRAMS: &[(&str, Check)] = &[
    ("curl", curl),
    ("nghttp", nghttp),
    ("h2load", h2load),
    ("node", node),
    ("python3 with httpx and h2", httpx),
    ("h2spec", h2spec),
];

/// Starts the server, in clear text and over TLS, and has each program that is there ask it.
pub fn run(context: &Context) -> Outcome {
    match check(context) {
        Ok(seen) => Outcome::Ran(seen),
        Err(outcome) => outcome,
    }
}

fn check(context: &Context) -> Result<String, Outcome> {
    let folder = site(context).map_err(Outcome::Failed)?;
    let (there, missing): (Vec<_>, Vec<_>) = PROGRAMS.iter().partition(|(name, _)| is_there(name));
    if there.is_empty() {
        return Err(Outcome::LeftOut("none of its programs is installed".to_owned()));
    }
    let mut wrong = Vec::new();
    for is_secure in [false, true] {
        let (server, authority) = start(context, &folder, is_secure)?;
        let authority = authority.to_string_lossy();
        let served =
            Served { address: &server.address, authority: is_secure.then_some(&*authority), folder: &folder };
        let place = if is_secure { "over TLS" } else { "in clear text" };
        let failed =
            |(name, check): &&(&str, Check)| check(&served).err().map(|why| format!("{name} {place}: {why}"));
        wrong.extend(there.iter().filter_map(failed));
        wrong.extend(server.stop().err());
    }
    let names =
        |programs: &[&(&str, Check)]| programs.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    match wrong.is_empty() {
        true if missing.is_empty() => Ok(names(&there)),
        true => Ok(format!("{}; not installed: {}", names(&there), names(&missing))),
        false => Err(Outcome::Failed(wrong.join("; "))),
    }
}

/// The server, and where the authority that it made for itself is.
pub fn start(context: &Context, folder: &Path, is_secure: bool) -> Result<(Server, PathBuf), Outcome> {
    let data = context.folder("ci/data").map_err(Outcome::Failed)?;
    let folder = folder.to_string_lossy();
    let flags: &[&str] = if is_secure { &["--tls", "self-signed"] } else { &[] };
    let server =
        Server::start_as(context, "auto", &[&[&*folder], flags].concat(), &[("XDG_DATA_HOME", &data)])?;
    Ok((server, data.join("gannet/authority.pem")))
}

/// A page with many pictures, which says by what protocol it and they came, and a large file.
pub fn site(context: &Context) -> Result<PathBuf, String> {
    let folder = context.folder("ci/http2-site")?;
    let write = |name: &str, content: &[u8]| {
        fs::write(folder.join(name), content).map_err(|error| format!("{name} cannot be written: {error}"))
    };
    let large: Vec<u8> = (0..LARGE_BYTES).map(|index| (index % 251) as u8 ^ (index >> 12) as u8).collect();
    write("large.bin", &large)?;
    let mut pictures = String::new();
    for number in 0..RESOURCES {
        let hue = number * 360 / RESOURCES;
        let picture = format!(
            "<svg xmlns='http://www.w3.org/2000/svg' width='80' height='80'>\
             <circle cx='40' cy='40' r='36' fill='hsl({hue} 70% 50%)'/></svg>"
        );
        write(&format!("{number}.svg"), picture.as_bytes())?;
        pictures += &format!("<img src='{number}.svg' width='80' height='80' alt=''>");
    }
    let page = format!(
        "<!doctype html><meta charset='utf-8'><title>loading</title><style>body{{font:20px sans-serif}}</style>\
         <h1 id='said'>loading</h1>{pictures}<script>addEventListener('load', () => {{\
         const by = kind => performance.getEntriesByType(kind).map(entry => entry.nextHopProtocol);\
         const pictures = by('resource');\
         document.title = 'page ' + by('navigation')[0] + ', ' + pictures.filter(one => one == 'h2').length + ' by h2';\
         document.getElementById('said').textContent = document.title;}})</script>"
    );
    write("index.html", page.as_bytes())?;
    Ok(folder)
}

fn is_there(name: &str) -> bool {
    match name.strip_prefix("python3") {
        Some(_) => command::run(Command::new("python3").args(["-c", "import httpx, h2"]), LIMIT)
            .is_ok_and(|ended| ended.succeeded().is_ok()),
        None => command::is_there(name),
    }
}

/// What a program printed that succeeded.
fn output(command: &mut Command) -> Result<String, String> {
    Ok(command::run(command, LIMIT)?.succeeded()?.text())
}

fn curl(served: &Served<'_>) -> Result<(), String> {
    let ask = |options: &[&str], path: &str| {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--noproxy", "*"]).args(options);
        if let Some(authority) = served.authority {
            curl.args(["--cacert", authority]);
        }
        output(curl.arg(format!("{}{path}", served.address)))
    };
    let written = ["--output", "/dev/null", "--write-out", "%{http_version} %{http_code} %{size_download}"];
    // Over TLS it is what curl asks for, and prior knowledge needs no other.
    let ways: &[&[&str]] = match served.authority {
        Some(_) => &[&[], &["--http2"], &["--http2-prior-knowledge"]],
        None => &[&["--http2"], &["--http2-prior-knowledge"]],
    };
    for way in ways {
        let is_upgrade = served.authority.is_none() && *way == ["--http2"];
        let head = [*way, &["--head"][..], &written].concat();
        let post = [*way, &["--data", "a=b"][..], &written].concat();
        // A body is not posted to what has not said that it speaks HTTP/2: curl goes on by HTTP/1.1 then, as it may.
        let posted = if is_upgrade { "1.1 405 23" } else { "2 405 23" };
        let large = format!("2 200 {LARGE_BYTES}");
        let asked = [
            (head, "/large.bin", "2 200 0"),
            (post, "/", posted),
            ([*way, &["--range", "10-19"], &written].concat(), "/large.bin", "2 206 10"),
            ([*way, &written].concat(), "/none", "2 404 14"),
            ([*way, &written].concat(), "/large.bin", &*large),
        ];
        // The curl of Debian 12 has no room for a large answer right behind an upgrade: it ends with 16.
        let asked = if is_upgrade { &asked[..4] } else { &asked[..] };
        for (options, path, expected) in asked {
            let seen = ask(options, path)?;
            if seen != *expected {
                return Err(format!("{path} with {options:?} is `{seen}`, not `{expected}`"));
            }
        }
    }
    let kept = served.folder.with_file_name("http2-large.bin");
    ask(&["--http2-prior-knowledge", "--output", &kept.to_string_lossy()], "/large.bin")?;
    let read = |path: &Path| fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    match read(&kept)? == read(&served.folder.join("large.bin"))? {
        true => Ok(()),
        false => Err("a large file comes back with other bytes".to_owned()),
    }
}

/// The page and all it names, with priorities; and by an upgrade.
fn nghttp(served: &Served<'_>) -> Result<(), String> {
    let url = format!("{}/", served.address);
    let seen = output(Command::new("nghttp").args(["--no-verify-peer", "-ans", &url]))?;
    let found = seen.lines().filter(|line| line.split_whitespace().any(|word| word == "200")).count();
    if found != RESOURCES + 1 {
        return Err(format!("{found} answers, not {}", RESOURCES + 1));
    }
    if served.authority.is_some() {
        return Ok(());
    }
    let seen = output(Command::new("nghttp").args(["-vnu", &url]))?;
    let is_upgraded = seen.contains("HTTP Upgrade success") && seen.contains(":status: 200");
    if is_upgraded { Ok(()) } else { Err("the upgrade did not succeed".to_owned()) }
}

fn h2load(served: &Served<'_>) -> Result<(), String> {
    let url = format!("{}/0.svg", served.address);
    let seen = output(Command::new("h2load").args(["-n", "20000", "-c", "8", "-m", "32", &url]))?;
    let wanted = ["20000 succeeded, 0 failed, 0 errored, 0 timeout", "20000 2xx, 0 3xx, 0 4xx, 0 5xx"];
    match wanted.into_iter().find(|wanted| !seen.contains(wanted)) {
        None => Ok(()),
        Some(missing) => Err(format!("no `{missing}` in {}", command::complaint(&seen))),
    }
}

/// Two hundred requests at once on one session, each read to its end.
fn node(served: &Served<'_>) -> Result<(), String> {
    let script = "
        const [address, authority] = process.argv.slice(1);
        const ca = authority && require('fs').readFileSync(authority);
        const session = require('http2').connect(address, { ca });
        const ask = path => new Promise((resolve, reject) => {
            const stream = session.request({ ':path': path });
            let status, length = 0;
            stream.on('response', headers => status = headers[':status']);
            stream.on('data', piece => length += piece.length);
            stream.on('end', () => resolve(status + ' ' + length)).on('error', reject);
        });
        const paths = Array.from({ length: 200 }, (_, number) => number % 50 == 0 ? '/large.bin' : '/none');
        session.on('error', error => { console.error(error); process.exit(1); });
        Promise.all(paths.map(ask)).then(seen => {
            console.log([...new Set(seen)].sort().join(', '));
            session.close();
        });";
    let mut node = Command::new("node");
    node.args(["-e", script, served.address]).args(served.authority);
    let (seen, expected) = (output(&mut node)?, format!("200 {LARGE_BYTES}, 404 14"));
    if seen.trim() == expected { Ok(()) } else { Err(format!("`{}`, not `{expected}`", seen.trim())) }
}

fn httpx(served: &Served<'_>) -> Result<(), String> {
    let script = "
import sys, httpx
address, authority = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else True
import ssl
verify = ssl.create_default_context(cafile=authority) if authority is not True else True
with httpx.Client(http1=False, http2=True, verify=verify) as client:
    seen = [client.get(address + path) for path in ['/', '/large.bin', '/none']]
    print([(one.http_version, one.status_code, len(one.content)) for one in seen][1:])";
    let mut python = Command::new("python3");
    python.args(["-c", script, served.address]).args(served.authority);
    let seen = output(&mut python)?;
    let expected = format!("[('HTTP/2', 200, {LARGE_BYTES}), ('HTTP/2', 404, 14)]");
    if seen.trim() == expected { Ok(()) } else { Err(format!("`{}`, not `{expected}`", seen.trim())) }
}

/// What it has to fail on a server of files, and one that speaks HTTP/1.1 on the same port: what answers, or ends a stream, before the second frame of a
/// case comes has not to judge it (RFC 9113, 5.1, 8.1), and what begins with another preface is no HTTP/2.
const H2SPEC_FAILURES: [&str; 5] = [
    "Sends invalid connection preface",
    "Sends a second HEADERS frame without the END_STREAM flag",
    "Sends a HEADERS frame that contains a pseudo-header field as trailers",
    "does not equal the DATA frame payload length",
    "does not equal the sum of the multiple DATA frames payload length",
];

fn h2spec(served: &Served<'_>) -> Result<(), String> {
    let (_, port) = served.address.rsplit_once(':').ok_or("no port")?;
    let mut h2spec = Command::new("h2spec");
    h2spec.args(["-h", "127.0.0.1", "-p", port, "-P", "/large.bin", "-o", "2"]);
    if served.authority.is_some() {
        h2spec.args(["-t", "-k"]);
    }
    let seen = command::run(&mut h2spec, LIMIT)?.text();
    let failures = seen.split("Failures:").nth(1).unwrap_or_default();
    let failed = failures.lines().filter_map(|line| line.split_once('\u{d7}'));
    let unknown = failed
        .map(|(_, case)| case.trim())
        .find(|case| !H2SPEC_FAILURES.iter().any(|one| case.contains(one)));
    match unknown {
        Some(case) => Err(format!("it fails: {case}")),
        None if seen.contains("146 tests") => Ok(()),
        None => Err(format!("it did not run: {}", command::complaint(&seen))),
    }
}
