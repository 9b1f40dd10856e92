//! The blog in a real browser, as a visitor uses it: `blog.py` joins, writes, is attacked and leaves. Pictures are kept to be looked at.

use std::process::Command;
use std::time::Duration;

use super::server::Server;
use super::{Context, Outcome, packages};
use crate::command;

const LIMIT: Duration = Duration::from_secs(180);

/// Starts the example and visits it.
pub fn run(context: &Context) -> Outcome {
    for program in ["chromedriver", "python3"] {
        if !command::is_there(program) {
            return Outcome::LeftOut(format!("{program} is not installed"));
        }
    }
    match Server::start_example(context, "blog", &[]) {
        Ok(server) => Outcome::from(visit(context, &server).and_then(|seen| server.stop().map(|()| seen))),
        Err(outcome) => outcome,
    }
}

fn visit(context: &Context, server: &Server) -> Result<String, String> {
    let pictures = context.folder("screenshots")?;
    let user = if packages::is_root() { "root" } else { "user" };
    let mut visitor = Command::new("python3");
    visitor.arg(context.root.join("xtask/src/ci/blog.py")).arg(&server.address).arg(&pictures).arg(user);
    command::run(&mut visitor, LIMIT)?.succeeded()?;
    Ok(format!("a visitor joined, wrote, was not attacked, and left; pictures in {}", pictures.display()))
}
