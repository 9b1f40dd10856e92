//! Pages of examples in a real browser, as somebody uses them: the blog, the page to try the API of `tasks`, and GraphiQL of `graphql`, the chat, the ticker, the live page. What is done there a
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

/// GraphiQL: a schema is read, a query sent, a subscription begun.
pub fn graphiql(context: &Context) -> Outcome {
    run(
        context,
        "graphql",
        &["pages.py", "graphiql"],
        "a query was sent by GraphiQL, and a subscription begun",
    )
}

/// The blog: somebody joins, writes, is attacked and leaves.
pub fn blog(context: &Context) -> Outcome {
    run(context, "blog", &["blog.py"], "a visitor joined, wrote, was not attacked, and left")
}

/// The chat: two browsers talk, and come again when the connection is lost.
pub fn chat(context: &Context) -> Outcome {
    run(context, "chat", &["chat.py"], "two browsers talked, and came again when they were lost")
}

/// The ticker: prices come as events.
pub fn ticker(context: &Context) -> Outcome {
    run(context, "ticker", &["pages.py", "ticker"], "prices came as events")
}

/// The live page: what is typed in one browser is seen in another.
pub fn live(context: &Context) -> Outcome {
    run(context, "live", &["pages.py", "live"], "what was typed in one browser was seen in another")
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
