//! The metrics as a collector reads them: by Prometheus' own parser, the Python package `prometheus_client`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::server::Server;
use super::{Context, Outcome};
use crate::command;

/// The package, and the version that this was written with.
const PACKAGE: &str = "prometheus_client==0.26.0";

/// How long the parser may take, and how long its installation.
const READS_WITHIN: Duration = Duration::from_secs(30);
const INSTALLS_WITHIN: Duration = Duration::from_secs(120);

/// Asks for both formats, reads each with its own parser, and holds them to the same requests.
const SCRIPT: &str = r#"
import sys, urllib.request
from prometheus_client import parser as text
from prometheus_client.openmetrics import parser as openmetrics

served, admin = sys.argv[1:]
for path in ("/", "/", "/none"):
    try: urllib.request.urlopen(served + path, timeout=10).read()
    except urllib.error.HTTPError: pass

def families(accept, parse):
    request = urllib.request.Request(admin + "/metrics", headers={"Accept": accept})
    answer = urllib.request.urlopen(request, timeout=10)
    found = list(parse(answer.read().decode("utf-8")))
    return {family.name: family for family in found}, answer.headers["Content-Type"]

known, kind = families("application/openmetrics-text;version=1.0.0", openmetrics.text_string_to_metric_families)
assert kind == "application/openmetrics-text; version=1.0.0; charset=utf-8", kind
plain, kind = families("text/plain;version=0.0.4", text.text_string_to_metric_families)
assert kind == "text/plain; version=0.0.4; charset=utf-8", kind
for name, family in (("requests", known["gannet_requests"]), ("requests", plain["gannet_requests"])):
    counts = {(s.labels["route"], s.labels["method"], s.labels["status"]): s.value for s in family.samples}
    assert counts[("/*", "GET", "2xx")] == 2 and sum(counts.values()) == 3, counts
assert known["gannet_request_duration_seconds"].type == "histogram"
assert known["gannet_request_duration_seconds"].unit == "seconds"
assert known["gannet_build"].type == "info"
print(len(known), "families,", sum(len(family.samples) for family in known.values()), "samples")
"#;

/// Starts a server with an admin listener and lets the parser read it.
pub fn run(context: &Context) -> Outcome {
    let python = match python(context) {
        Ok(python) => python,
        Err(outcome) => return outcome,
    };
    let flags = ["--admin", "127.0.0.1:0"];
    let server = match Server::start_with(context, &context.site(), "epoll", &flags) {
        Ok(server) => server,
        Err(outcome) => return outcome,
    };
    let read = read(&python, &server);
    Outcome::from(read.and_then(|seen| server.stop().map(|()| format!("{PACKAGE} read {seen}"))))
}

fn read(python: &Path, server: &Server) -> Result<String, String> {
    let (_, rest) = server.banner.split_once("admin ").ok_or("the banner names no admin listener")?;
    let admin = rest.split(' ').next().unwrap_or_default();
    let mut parser = Command::new(python);
    parser.args(["-c", SCRIPT, &server.address, admin]);
    let ended = command::run(&mut parser, READS_WITHIN)?.succeeded()?;
    Ok(ended.text().trim().to_owned())
}

/// A Python that has the package: the system's, or one of our own that it is installed for where that is allowed.
fn python(context: &Context) -> Result<PathBuf, Outcome> {
    if !command::is_there("python3") {
        return Err(Outcome::LeftOut("python3 is not installed".to_owned()));
    }
    let own = context.folder("ci").map_err(Outcome::Failed)?.join("python");
    let candidates = [PathBuf::from("python3"), own.join("bin/python")];
    if let Some(python) = candidates.into_iter().find(|python| has_package(python)) {
        return Ok(python);
    }
    if !context.may_install {
        return Err(Outcome::LeftOut(
            "prometheus_client is not installed; `cargo xtask ci --install` does it".to_owned(),
        ));
    }
    // The machine may have no way out.
    install(&own).map_err(|why| Outcome::LeftOut(format!("{PACKAGE} could not be installed: {why}")))
}

fn has_package(python: &Path) -> bool {
    let mut import = Command::new(python);
    import.args(["-c", "import prometheus_client.openmetrics.parser"]);
    command::run(&mut import, READS_WITHIN).is_ok_and(|ended| ended.code == Some(0))
}

fn install(folder: &Path) -> Result<PathBuf, String> {
    let python = folder.join("bin/python");
    command::run(Command::new("python3").args(["-m", "venv"]).arg(folder), INSTALLS_WITHIN)?.succeeded()?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--timeout", "20", PACKAGE]);
    command::run(&mut pip, INSTALLS_WITHIN)?.succeeded()?;
    Ok(python)
}
