//! A large file is streamed: the server's memory does not grow with what it sends.

use std::fs::{self, File};

use super::curl::{self, Curl};
use super::server::Server;
use super::{Context, Outcome};

const BYTES: u64 = 100 * 1024 * 1024;
/// What the peak of resident memory may grow by: pools and code touched for the first time, not the file.
const GROWTH_KIB: u64 = 8 * 1024;

/// Sends a file of 100 MiB through curl and compares the server's peak memory before and after.
pub fn run(context: &Context, backend: &str) -> Outcome {
    if let Some(left_out) = curl::missing() {
        return left_out;
    }
    let folder = match make_file(context) {
        Ok(folder) => folder,
        Err(why) => return Outcome::Failed(why),
    };
    match Server::start(context, &folder, backend) {
        Ok(server) => Outcome::from(measure(&server).and_then(|seen| server.stop().map(|()| seen))),
        Err(outcome) => outcome,
    }
}

/// A sparse file: the disk holds nothing of it.
fn make_file(context: &Context) -> Result<std::path::PathBuf, String> {
    let folder = context.folder("ci/large")?;
    let made = File::create(folder.join("large.bin")).and_then(|file| file.set_len(BYTES));
    let small = fs::write(folder.join("small.txt"), "small\n");
    made.and(small).map_err(|error| format!("{} cannot be filled: {error}", folder.display()))?;
    Ok(folder)
}

fn measure(server: &Server) -> Result<String, String> {
    fetch(server, "/small.txt")?;
    let before = server.peak_memory_kib()?;
    let size = fetch(server, "/large.bin")?;
    if size != BYTES.to_string() {
        return Err(format!("{size} bytes came, not {BYTES}"));
    }
    let growth = server.peak_memory_kib()?.saturating_sub(before);
    if growth > GROWTH_KIB {
        return Err(format!("the server grew by {growth} KiB while it sent {BYTES} bytes"));
    }
    Ok(format!("{size} bytes sent, peak memory {before} KiB before, {growth} KiB more after"))
}

/// Fetches a file and throws it away; how many bytes came.
fn fetch(server: &Server, path: &str) -> Result<String, String> {
    let options = ["--fail", "--output", "/dev/null", "--write-out", "%{size_download}"];
    Ok(String::from_utf8_lossy(&Curl::new(server).run(&options, &[path])?).into_owned())
}
