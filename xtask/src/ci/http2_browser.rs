//! A page with sixty pictures in a real browser, over TLS: it and they come by HTTP/2, as the page itself says.

use super::chromium::{Chromium, View, title};
use super::server::Server;
use super::{Context, Outcome, http2};

/// Opens it in headless Chromium.
pub fn run(context: &Context) -> Outcome {
    let browser = match Chromium::find(context) {
        Ok(browser) => browser.trusting_everybody(),
        Err(outcome) => return outcome,
    };
    let folder = match http2::site(context) {
        Ok(folder) => folder,
        Err(why) => return Outcome::Failed(why),
    };
    match http2::start(context, &folder, true) {
        Ok((server, _)) => {
            Outcome::from(look(&browser, &server).and_then(|seen| server.stop().map(|()| seen)))
        }
        Err(outcome) => outcome,
    }
}

fn look(browser: &Chromium<'_>, server: &Server) -> Result<String, String> {
    let url = format!("{}/", server.address);
    let wanted = format!("page h2, {} by h2", http2::RESOURCES);
    let page = browser.document(&url)?;
    if title(&page) != Some(&wanted) {
        return Err(format!("the page says {:?}, not {wanted:?}", title(&page)));
    }
    let picture = browser.picture(&url, "http2.png", View { width: 1280, height: 600, is_dark: false })?;
    Ok(format!("{wanted:?}, {}", picture.display()))
}
