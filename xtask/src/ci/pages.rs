//! Pages of examples in a real browser, as somebody uses them: the blog, the page to try the API of `tasks`, and GraphiQL of `graphql`. What is done there a
//! script says, of `webdriver.py`'s browser. Pictures are kept to be looked at.

use std::process::Command;
use std::time::Duration;

use super::server::Server;
use super::{Context, Outcome, packages};
use crate::command;

const LIMIT: Duration = Duration::from_secs(180);

/// The page to try an API: requests are filled in, sent, and their answers read.
pub fn openapi(context: &Context) -> Outcome {
    run(context, "tasks", &["pages.py", "openapi"], "an API was tried on its page")
}

/// GraphiQL: a schema is read, a query sent.
pub fn graphiql(context: &Context) -> Outcome {
    run(context, "graphql", &["pages.py", "graphiql"], "a query was sent by GraphiQL")
}

/// The blog: somebody joins, writes, is attacked and leaves.
pub fn blog(context: &Context) -> Outcome {
    run(context, "blog", &["blog.py"], "a visitor joined, wrote, was not attacked, and left")
}

fn run(context: &Context, example: &str, script: &[&str], seen: &str) -> Outcome {
    for program in ["chromedriver", "python3"] {
        if !command::is_there(program) {
            return Outcome::LeftOut(format!("{program} is not installed"));
        }
    }
    match Server::start_example(context, example, &[], &[]) {
        Ok(server) => {
            let visited = visit(context, &server, script);
            Outcome::from(visited.and_then(|pictures| server.stop().map(|()| format!("{seen}; {pictures}"))))
        }
        Err(outcome) => outcome,
    }
}

fn visit(context: &Context, server: &Server, script: &[&str]) -> Result<String, String> {
    let pictures = context.folder("screenshots")?;
    let user = if packages::is_root() { "root" } else { "user" };
    let mut visitor = Command::new("python3");
    visitor.arg("-B"); // nothing compiled is left beside the scripts
    visitor.current_dir(context.root.join("xtask/src/ci")).args(script).arg(&server.address);
    command::run(visitor.arg(&pictures).arg(user), LIMIT)?.succeeded()?;
    Ok(format!("pictures in {}", pictures.display()))
}
