//! `--tls self-signed`, as curl sees it: with the authority that was made, and only with it; the redirect, and what browsers are told.

use std::path::Path;
use std::time::Duration;

use super::curl::{self, Curl};
use super::server::Server;
use super::{Context, Outcome};
use crate::command;

const LIMIT: Duration = Duration::from_secs(20);

/// Starts the server, asks it in four ways, stops it.
pub fn run(context: &Context) -> Outcome {
    curl::missing().unwrap_or_else(|| match check(context) {
        Ok(result) => Outcome::from(result),
        Err(outcome) => outcome,
    })
}

fn check(context: &Context) -> Result<Result<String, String>, Outcome> {
    let data = context.folder("ci/data").map_err(Outcome::Failed)?;
    let site = context.site();
    let site = site.to_string_lossy();
    let arguments = [&*site, "--tls", "self-signed", "--redirect", "127.0.0.1:0", "--hsts", "1y"];
    let server = Server::start_as(context, "epoll", &arguments, &[("XDG_DATA_HOME", &data)])?;
    let asked = ask(&server, &data.join("gannet/authority.pem"));
    let stopped = server.stop();
    Ok(asked.and_then(|seen| stopped.map(|()| seen)))
}

fn ask(server: &Server, authority: &Path) -> Result<String, String> {
    let authority = authority.to_string_lossy();
    let trusts = ["--cacert", &*authority];
    let curl = Curl::new(server);
    for version in [["--tlsv1.2", "--tls-max", "1.2"], ["--tlsv1.3", "--tls-max", "1.3"]] {
        let answer = curl.ask(&[&trusts[..], &version].concat(), "/")?.expect_status(200)?;
        if answer.field("strict-transport-security") != "max-age=31536000" {
            return Err(format!("what browsers are told is `{}`", answer.field("strict-transport-security")));
        }
    }
    let stranger = curl.ended(&[], &["/"])?;
    if stranger.code != Some(60) {
        return Err(format!("who does not trust the authority ends with {:?}", stranger.code));
    }
    let mut words = server.banner.split_whitespace().skip_while(|word| *word != "redirect").skip(1);
    let aside = words.next().ok_or("the banner names no redirect")?;
    let mut followed = curl.command();
    followed.args(trusts).args(["--location", "--output", "/dev/null", "--write-out"]);
    followed.args(["%{http_code} %{num_redirects} %{url_effective}", &format!("{aside}/?a=b")]);
    let seen = command::run(&mut followed, LIMIT)?.succeeded()?.text();
    let expected = format!("200 1 {}/?a=b", server.address);
    if seen != expected {
        return Err(format!("the redirect leads to `{seen}`, not `{expected}`"));
    }
    Ok("both versions by the authority that was made, nobody without it; the redirect; HSTS".to_owned())
}
