//! WebSockets and server-sent events of the example `conversations` in a real browser: by HTTP/1.1, and over TLS by HTTP/2 (RFC 8441).

use std::process::Command;
use std::time::Duration;

use super::{Context, Outcome, packages, tls, websocket_clients};
use crate::command;

const LIMIT: Duration = Duration::from_secs(180);

/// Two servers, each of which is another origin to the other's pages.
pub fn run(context: &Context) -> Outcome {
    for program in ["chromedriver", "python3"] {
        if !command::is_there(program) {
            return Outcome::LeftOut(format!("{program} is not installed"));
        }
    }
    tls::missing().unwrap_or_else(|| check(context).unwrap_or_else(|outcome| outcome))
}

fn check(context: &Context) -> Result<Outcome, Outcome> {
    let authority = websocket_clients::authority(context).map_err(Outcome::Failed)?;
    let clear = websocket_clients::start(context, None)?;
    let secure = websocket_clients::start(context, Some(&authority))?;
    let user = if packages::is_root() { "root" } else { "user" };
    let mut visitor = Command::new("python3");
    visitor.arg("-B"); // nothing compiled is left beside the scripts
    visitor.arg(context.root.join("xtask/src/ci/conversations_page.py"));
    visitor.args([&clear.address, &secure.address, &clear.process().to_string(), user]);
    let visited = command::run(&mut visitor, LIMIT).and_then(command::Ended::succeeded);
    let stopped = visited.and_then(|_| clear.stop()).and_then(|()| secure.stop());
    let seen = "WebSockets by HTTP/1.1 and HTTP/2, a page of another origin refused, events by EventSource";
    Ok(Outcome::from(stopped.map(|()| seen.to_owned())))
}
