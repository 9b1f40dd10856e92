//! A folder of 100,000 files is listed page by page, within bounded time and memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::chromium::title;
use super::curl::{self, Curl};
use super::server::Server;
use super::{Context, Outcome};

const FILES: usize = 100_000;
const PAGES: usize = 100;
/// What one page may take, on a machine that has other things to do.
const WITHIN_MS: u128 = 3000;
/// What the server's own memory may grow by: the entries of a folder, and what sorting them takes.
const GROWTH_KIB: u64 = 64 * 1024;

/// Makes the folder, lists it, and removes it.
pub fn run(context: &Context) -> Outcome {
    if let Some(left_out) = curl::missing() {
        return left_out;
    }
    let folder = match context.folder("ci/many") {
        Ok(folder) => folder,
        Err(why) => return Outcome::Failed(why),
    };
    let outcome = listed(context, &folder);
    // The next run makes it anew.
    let _ = fs::remove_dir_all(&folder);
    outcome.map_or_else(|outcome| outcome, Outcome::Ran)
}

fn listed(context: &Context, folder: &Path) -> Result<String, Outcome> {
    fill(folder).map_err(Outcome::Failed)?;
    let server = Server::start(context, folder, "epoll")?;
    look(&server).and_then(|seen| server.stop().map(|()| seen)).map_err(Outcome::Failed)
}

fn fill(folder: &Path) -> Result<(), String> {
    for number in 0..FILES {
        let path: PathBuf = folder.join(format!("file-{number}.dat"));
        fs::write(&path, "").map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

fn look(server: &Server) -> Result<String, String> {
    let curl = Curl::new(server);
    let before = server.peak_memory_kib()?;
    let mut slowest = 0;
    let pages = [("/", 0, 999), ("/?page=100", 99_000, 99_999), ("/?page=1000", 99_000, 99_999)];
    for (path, first, last) in pages {
        let began = Instant::now();
        let answer = curl.ask(&["--header", "Accept: text/html"], path)?.expect_status(200)?;
        slowest = slowest.max(began.elapsed().as_millis());
        let page = String::from_utf8_lossy(&answer.body).into_owned();
        for name in [first, last].map(|number| format!("href=\"./file-{number}.dat\"")) {
            let bare = name.replace('"', "");
            if !page.contains(&name) && !page.contains(&bare) {
                return Err(format!("{path} has no {name}"));
            }
        }
        if !title(&page).is_some_and(|title| title.starts_with("Index of /")) {
            return Err(format!("{path} is titled {:?}", title(&page)));
        }
    }
    let json =
        curl.ask(&["--header", "Accept: application/json"], "/?sort=modified&page=2")?.expect_status(200)?;
    let end = format!("\"page\":2,\"pages\":{PAGES},\"total\":{FILES},\"truncated\":false}}");
    if !String::from_utf8_lossy(&json.body).trim_end().ends_with(&end) {
        return Err(format!("the JSON does not end with {end}"));
    }
    let growth = server.peak_memory_kib()?.saturating_sub(before);
    bounded(slowest, growth)
}

fn bounded(slowest_ms: u128, growth_kib: u64) -> Result<String, String> {
    let seen = format!(
        "a page of {FILES} entries in at most {slowest_ms} ms, peak memory {growth_kib} KiB above the start"
    );
    match slowest_ms <= WITHIN_MS && growth_kib <= GROWTH_KIB {
        true => Ok(seen),
        false => Err(format!("{seen}; {WITHIN_MS} ms and {GROWTH_KIB} KiB are what it may take")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_and_memory_have_each_their_bound() {
        assert!(bounded(WITHIN_MS, GROWTH_KIB).is_ok());
        assert!(bounded(WITHIN_MS + 1, 0).is_err());
        assert!(bounded(0, GROWTH_KIB + 1).is_err());
    }
}
