//! Upstreams that we did not write behind `gannet proxy`, and curl before it: node, Python and nginx, over TCP, a Unix socket and TLS.

mod checks;
mod programs;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::curl::{self, Curl};
use super::server::Server;
use super::tls::{self, Authority};
use super::{Context, Outcome};
use crate::command;

use checks::{ALL, APPLICATION, Asked, Check, FILES, LIVE};
use programs::{Upstream, nginx, nginx_tls, node, node_unix, python_1_0, python_1_1};

/// How long until an upstream says where it listens, and the longest wait for anything else.
const PATIENCE: Duration = Duration::from_secs(20);
/// Of the large bodies.
const LARGE_BYTES: usize = 10 * 1024 * 1024;

/// One upstream: its name, the program it needs, how it is started, and what more it is asked.
struct Kind {
    name: &'static str,
    program: &'static str,
    start: fn(&Place) -> Result<Upstream, String>,
    checks: &'static [&'static [Check]],
}

const KINDS: &[Kind] = &[
    Kind { name: "node", program: "node", start: node, checks: &[ALL, APPLICATION, LIVE] },
    Kind {
        name: "node on a Unix socket",
        program: "node",
        start: node_unix,
        checks: &[ALL, APPLICATION, LIVE],
    },
    Kind { name: "python, HTTP/1.0", program: "python3", start: python_1_0, checks: &[ALL, APPLICATION] },
    Kind { name: "python, HTTP/1.1", program: "python3", start: python_1_1, checks: &[ALL, APPLICATION] },
    Kind { name: "nginx", program: "nginx", start: nginx, checks: &[ALL, FILES] },
    Kind { name: "nginx over TLS", program: "nginx", start: nginx_tls, checks: &[ALL, FILES] },
];

/// Where upstreams have their files, and certificates for those that need one.
struct Place {
    folder: PathBuf,
    authority: Authority,
}

/// Starts each upstream and a proxy before it, runs its checks, stops both.
pub fn run(context: &Context) -> Outcome {
    if let Some(left_out) = curl::missing().or_else(tls::missing) {
        return left_out;
    }
    let place = match place(context) {
        Ok(place) => place,
        Err(why) => return Outcome::Failed(why),
    };
    let (mut ran, mut left_out, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    for kind in KINDS {
        if !command::is_there(kind.program) {
            left_out.push(kind.name);
            continue;
        }
        for backend in ["epoll", "uring"] {
            match check(context, kind, &place, backend) {
                Outcome::Ran(seen) => ran.push(seen),
                Outcome::LeftOut(_) => left_out.push(kind.name),
                Outcome::Failed(why) => wrong.push(format!("{} on {backend}: {why}", kind.name)),
            }
        }
    }
    let without = match &left_out[..] {
        [] => String::new(),
        names => format!("; without {}", names.join(", ")),
    };
    match (&wrong[..], &ran[..]) {
        ([], []) => Outcome::LeftOut("neither node, python3 nor nginx is installed".to_owned()),
        ([], _) => Outcome::Ran(ran.join(", ") + &without),
        _ => Outcome::Failed(wrong.join("; ")),
    }
}

fn place(context: &Context) -> Result<Place, String> {
    let authority = Authority::new(context, "upstreams")?;
    authority.sign("upstream", "IP:127.0.0.1,DNS:localhost")?;
    let folder = context.folder("ci/upstreams")?;
    context.folder("ci/upstreams/site")?;
    let files: [(&str, &[u8]); 4] = [
        ("node.js", programs::NODE.as_bytes()),
        ("server.py", programs::PYTHON.as_bytes()),
        ("site/hello", b"hello"),
        ("site/large", &[b'x'; LARGE_BYTES]),
    ];
    for (name, content) in files {
        fs::write(folder.join(name), content).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(Place { folder, authority })
}

fn check(context: &Context, kind: &Kind, place: &Place, backend: &str) -> Outcome {
    let upstream = match (kind.start)(place) {
        Ok(upstream) => upstream,
        Err(why) => return Outcome::Failed(format!("it did not start: {why}")),
    };
    let root = place.authority.root();
    let trusts = ["--upstream-ca", &*root];
    let trusts = if upstream.target.starts_with("https://") { &trusts[..] } else { &[] };
    let arguments = [&["proxy", &*upstream.target], trusts].concat();
    let server = match Server::start_as(context, backend, &arguments, &[]) {
        Ok(server) => server,
        Err(outcome) => return outcome,
    };
    let asked = Asked { curl: Curl::new(&server), large: place.folder.join("site/large") };
    let checks = kind.checks.iter().copied().flatten();
    let mut wrong: Vec<String> =
        checks.filter_map(|(name, check)| check(&asked).err().map(|why| format!("{name}: {why}"))).collect();
    wrong.extend(server.stop().err());
    if wrong.is_empty() {
        Outcome::Ran(format!("{} on {backend}", kind.name))
    } else {
        Outcome::Failed(wrong.join("; "))
    }
}
