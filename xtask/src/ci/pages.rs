//! The pages that applications make of what they offer, in a real browser, as somebody uses them: the page to try an API, of the example `tasks`, and
//! GraphiQL, of the example `graphql`. Pictures are kept to be looked at.

use std::process::Command;
use std::time::Duration;

use super::server::Server;
use super::{Context, Outcome, packages};
use crate::command;

const LIMIT: Duration = Duration::from_secs(180);

/// The page to try an API: requests are filled in, sent, and their answers read.
pub fn openapi(context: &Context) -> Outcome {
    run(context, "tasks", "openapi", "an API was tried on its page")
}

/// GraphiQL: a schema is read, a query sent.
pub fn graphiql(context: &Context) -> Outcome {
    run(context, "graphql", "graphiql", "a query was sent by GraphiQL")
}

fn run(context: &Context, example: &str, what: &str, seen: &str) -> Outcome {
    for program in ["chromedriver", "python3"] {
        if !command::is_there(program) {
            return Outcome::LeftOut(format!("{program} is not installed"));
        }
    }
    match Server::start_example(context, example, &[]) {
        Ok(server) => {
            let visited = visit(context, &server, what);
            Outcome::from(visited.and_then(|pictures| server.stop().map(|()| format!("{seen}; {pictures}"))))
        }
        Err(outcome) => outcome,
    }
}

fn visit(context: &Context, server: &Server, what: &str) -> Result<String, String> {
    let pictures = context.folder("screenshots")?;
    let user = if packages::is_root() { "root" } else { "user" };
    let mut visitor = Command::new("python3");
    visitor.arg(context.root.join("xtask/src/ci/pages.py")).args([what, &server.address]);
    command::run(visitor.arg(&pictures).arg(user), LIMIT)?.succeeded()?;
    Ok(format!("pictures in {}", pictures.display()))
}
