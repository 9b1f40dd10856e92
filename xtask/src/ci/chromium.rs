//! Chromium without a window: what it makes of a page, as a document and as a picture.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{Context, Outcome, packages};
use crate::command;

const NAMES: &[&str] = &["chromium", "chromium-browser", "google-chrome"];
const LIMIT: Duration = Duration::from_secs(120);

/// The browser of this machine.
pub struct Chromium<'a> {
    program: &'static str,
    context: &'a Context,
    /// Whoever signed a certificate.
    trusts_everybody: bool,
}

/// How a picture is taken.
#[derive(Clone, Copy)]
pub struct View {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Whether the visitor prefers dark pages.
    pub is_dark: bool,
}

impl<'a> Chromium<'a> {
    /// Finds it.
    pub fn find(context: &'a Context) -> Result<Chromium<'a>, Outcome> {
        let program = NAMES.iter().find(|name| command::is_there(name));
        let program = program.ok_or_else(|| Outcome::LeftOut("Chromium is not installed".to_owned()))?;
        Ok(Chromium { program, context, trusts_everybody: false })
    }

    /// The same, whoever signed a certificate.
    pub fn trusting_everybody(self) -> Chromium<'a> {
        Chromium { trusts_everybody: true, ..self }
    }

    /// The document that a page has become once its scripts have run.
    pub fn document(&self, url: &str) -> Result<String, String> {
        let mut command = self.command()?;
        Ok(command::run(command.arg("--dump-dom").arg(url), LIMIT)?.succeeded()?.text())
    }

    /// A picture of a page, kept by this name among the screenshots.
    pub fn picture(&self, url: &str, name: &str, view: View) -> Result<PathBuf, String> {
        let View { width, height, is_dark } = view;
        let picture = self.context.folder("screenshots")?.join(name);
        // An old picture must not pass for a new one.
        let _ = fs::remove_file(&picture);
        let mut command = self.command()?;
        // Blink's PreferredColorScheme: 0 is dark, 1 light.
        let scheme = u8::from(!is_dark);
        command.args([
            format!("--window-size={width},{height}"),
            format!("--blink-settings=preferredColorScheme={scheme}"),
            format!("--screenshot={}", picture.display()),
        ]);
        command::run(command.arg(url), LIMIT)?.succeeded()?;
        let size = size(&picture)?;
        if size != (width, height) {
            return Err(format!("{} is {} × {}, not {width} × {height}", picture.display(), size.0, size.1));
        }
        Ok(picture)
    }

    fn command(&self) -> Result<Command, String> {
        let profile = self.context.folder("ci/browser")?;
        let mut command = Command::new(self.program);
        command.args([
            "--headless",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--hide-scrollbars",
        ]);
        command.arg(format!("--user-data-dir={}", profile.display()));
        if self.trusts_everybody {
            command.arg("--ignore-certificate-errors");
        }
        if packages::is_root() {
            // Chromium refuses to run its sandbox as root.
            command.arg("--no-sandbox");
        }
        Ok(command)
    }
}

/// A document's title.
pub fn title(html: &str) -> Option<&str> {
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
