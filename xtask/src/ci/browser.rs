//! The example site in a real browser: it loads, it is the page meant, and its picture is kept to be looked at.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::server::Server;
use super::{Context, Outcome, packages};
use crate::command;

const NAMES: &[&str] = &["chromium", "chromium-browser", "google-chrome"];
const LIMIT: Duration = Duration::from_secs(120);
const WIDTH: u32 = 1280;
const HEIGHT: u32 = 800;

/// Opens `/` of the example site in headless Chromium.
pub fn run(context: &Context) -> Outcome {
    let Some(browser) = NAMES.iter().find(|name| command::is_there(name)) else {
        return Outcome::LeftOut("Chromium is not installed".to_owned());
    };
    match Server::start(context, &context.site(), "epoll") {
        Ok(server) => {
            Outcome::from(look(context, browser, &server).and_then(|seen| server.stop().map(|()| seen)))
        }
        Err(outcome) => outcome,
    }
}

fn look(context: &Context, browser: &str, server: &Server) -> Result<String, String> {
    let index = fs::read_to_string(context.site().join("index.html"))
        .map_err(|error| format!("index.html: {error}"))?;
    let title = title(&index).ok_or("the example site's index.html has no title")?;
    let page = browse(context, browser, &["--dump-dom"], &server.address)?;
    if self::title(&page) != Some(title) {
        return Err(format!("the page is titled {:?}, not {title:?}", self::title(&page)));
    }
    let picture = context.folder("screenshots")?.join("site.png");
    // An old picture must not pass for a new one.
    let _ = fs::remove_file(&picture);
    browse(context, browser, &[&format!("--screenshot={}", picture.display())], &server.address)?;
    let (width, height) = size(&picture)?;
    if (width, height) != (WIDTH, HEIGHT) {
        return Err(format!("{} is {width} × {height}, not {WIDTH} × {HEIGHT}", picture.display()));
    }
    Ok(format!("{title:?}, {}", picture.display()))
}

/// Opens a page and returns what the browser printed.
fn browse(context: &Context, browser: &str, options: &[&str], url: &str) -> Result<String, String> {
    let profile = context.folder("ci/browser")?;
    let mut command = Command::new(browser);
    command.args([
        "--headless",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--hide-scrollbars",
    ]);
    command
        .args([format!("--window-size={WIDTH},{HEIGHT}"), format!("--user-data-dir={}", profile.display())]);
    if packages::is_root() {
        // Chromium refuses to run its sandbox as root.
        command.arg("--no-sandbox");
    }
    Ok(command::run(command.args(options).arg(format!("{url}/")), LIMIT)?.succeeded()?.text())
}

fn title(html: &str) -> Option<&str> {
    let rest = html.split_once("<title>")?.1;
    Some(rest.split_once("</title>")?.0.trim())
}

/// Width and height of a PNG: its signature, then the chunk IHDR (PNG specification 11.2.1).
fn size(picture: &Path) -> Result<(u32, u32), String> {
    let bytes = fs::read(picture).map_err(|error| format!("no picture: {error}"))?;
    png_size(&bytes).ok_or_else(|| format!("{} is no PNG", picture.display()))
}

fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let header = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR")?;
    let number = |at: usize| Some(u32::from_be_bytes(header.get(at..at + 4)?.try_into().ok()?));
    Some((number(0)?, number(4)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_tells_its_size() {
        let picture = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x05\0\0\0\x03\x20\x08\x06";
        assert_eq!(png_size(picture), Some((1280, 800)));
        assert_eq!(png_size(&picture[..18]), None);
        assert_eq!(png_size(b"<html>"), None);
    }

    #[test]
    fn a_page_tells_its_title() {
        assert_eq!(title("<head><title> A site </title></head>"), Some("A site"));
        assert_eq!(title("<h1>No title</h1>"), None);
    }
}
