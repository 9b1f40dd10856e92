//! The example site in a real browser: it loads, it is the page meant, and its picture is kept to be looked at.

use std::fs;

use super::chromium::{Chromium, View, title};
use super::server::Server;
use super::{Context, Outcome};

/// Opens `/` of the example site in headless Chromium.
pub fn run(context: &Context) -> Outcome {
    let browser = match Chromium::find(context) {
        Ok(browser) => browser,
        Err(outcome) => return outcome,
    };
    match Server::start(context, &context.site(), "epoll") {
        Ok(server) => {
            Outcome::from(look(context, &browser, &server).and_then(|seen| server.stop().map(|()| seen)))
        }
        Err(outcome) => outcome,
    }
}

fn look(context: &Context, browser: &Chromium<'_>, server: &Server) -> Result<String, String> {
    let index = fs::read_to_string(context.site().join("index.html"))
        .map_err(|error| format!("index.html: {error}"))?;
    let wanted = title(&index).ok_or("the example site's index.html has no title")?;
    let url = format!("{}/", server.address);
    let page = browser.document(&url)?;
    if title(&page) != Some(wanted) {
        return Err(format!("the page is titled {:?}, not {wanted:?}", title(&page)));
    }
    let picture = browser.picture(&url, "site.png", View { width: 1280, height: 800, is_dark: false })?;
    Ok(format!("{wanted:?}, {}", picture.display()))
}
