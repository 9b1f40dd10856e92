//! WebSockets by clients that we did not write, Python's `websockets` and npm's `ws`, with the example `conversations`: in clear text and over TLS.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::server::Server;
use super::tls::{self, Authority};
use super::{Context, Outcome, npm, python};
use crate::command;

const WEBSOCKETS: &str = "17.4";
const WS: &str = "8.23.0";
const LIMIT: Duration = Duration::from_secs(180);

/// Both clients of both servers. Python's comes last: it ends the server.
pub fn run(context: &Context) -> Outcome {
    check(context).unwrap_or_else(|outcome| outcome)
}

fn check(context: &Context) -> Result<Outcome, Outcome> {
    let websockets = python::installed(context, "websockets", WEBSOCKETS)?.with_file_name("python");
    let ws = npm::installed(context, "ws", WS)?;
    let clear = start(context, None)?;
    let mut seen = converse(context, clear, None, &websockets, &ws).map_err(Outcome::Failed)?;
    if let Some(Outcome::LeftOut(why)) = tls::missing() {
        return Ok(Outcome::Ran(format!("{seen}; not over TLS: {why}")));
    }
    let authority = authority(context).map_err(Outcome::Failed)?;
    let secure = start(context, Some(&authority))?;
    seen += "; over TLS ";
    seen += &converse(context, secure, Some(&authority), &websockets, &ws).map_err(Outcome::Failed)?;
    Ok(Outcome::Ran(seen))
}

/// An authority that has signed for this machine.
pub fn authority(context: &Context) -> Result<Authority, String> {
    let authority = Authority::new(context, "conversations")?;
    authority.sign("here", "IP:127.0.0.1,DNS:localhost")?;
    Ok(authority)
}

/// The example, over TLS where there is an authority for it.
pub fn start(context: &Context, authority: Option<&Authority>) -> Result<Server, Outcome> {
    let files = authority.map(|authority| [authority.file("here", "pem"), authority.file("here", "key")]);
    let files: Vec<&str> = files.iter().flatten().map(String::as_str).collect();
    Server::start_example(context, "conversations", &files, &[])
}

fn converse(
    context: &Context,
    server: Server,
    authority: Option<&Authority>,
    websockets: &Path,
    ws: &Path,
) -> Result<String, String> {
    let url = server.address.replacen("http", "ws", 1);
    let root = authority.map(Authority::root);
    let scripts = context.root.join("xtask/src/ci");
    let mut node = Command::new("node");
    node.arg(scripts.join("conversations.js")).arg(ws).arg(&url).args(&root);
    let by_node = command::run(&mut node, LIMIT)?.succeeded().map_err(|why| format!("ws: {why}"))?;
    let mut python = Command::new(websockets);
    python.arg("-B").arg(scripts.join("conversations.py"));
    python.arg(&url).arg(server.process().to_string()).args(&root);
    let by_python =
        command::run(&mut python, LIMIT)?.succeeded().map_err(|why| format!("websockets: {why}"))?;
    server.stop()?;
    let (by_node, by_python) = (by_node.text(), by_python.text());
    Ok(format!("ws {WS}, {}, websockets {WEBSOCKETS}, {}", by_node.trim(), by_python.trim()))
}
