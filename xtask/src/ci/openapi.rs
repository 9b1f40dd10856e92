//! The OpenAPI document of the example `tasks`, held against the specification by another program: openapi-spec-validator.

use std::fs;
use std::process::Command;
use std::time::Duration;

use super::server::Server;
use super::{Context, Outcome, python};
use crate::command;

/// The version that is known to be content with what we say; another may ask for more.
const VERSION: &str = "0.9.0";
const LIMIT: Duration = Duration::from_secs(60);

/// Fetches it, and has it read.
pub fn run(context: &Context) -> Outcome {
    let program = match python::installed(context, "openapi-spec-validator", VERSION) {
        Ok(program) => program,
        Err(outcome) => return outcome,
    };
    match Server::start_example(context, "tasks", &[], &[]) {
        Ok(server) => {
            let document = fetch(context, &server);
            let checked = document.and_then(|(document, operations)| {
                let mut validator = Command::new(program);
                command::run(validator.args(["--schema", "3.1"]).arg(document), LIMIT)?.succeeded()?;
                Ok(format!("OpenAPI 3.1 by openapi-spec-validator {VERSION}, {operations} operations"))
            });
            Outcome::from(checked.and_then(|seen| server.stop().map(|()| seen)))
        }
        Err(outcome) => outcome,
    }
}

/// The document as a file, and how many operations it has.
fn fetch(context: &Context, server: &Server) -> Result<(std::path::PathBuf, usize), String> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--fail"]).arg(format!("{}/openapi.json", server.address));
    let text = command::run(&mut curl, LIMIT)?.succeeded()?.text();
    let operations = text.matches("\"operationId\"").count();
    if operations == 0 {
        return Err("the document of the example tasks has no operation".to_owned());
    }
    let file = context.folder("ci")?.join("openapi.json");
    fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok((file, operations))
}
