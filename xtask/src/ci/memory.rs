//! What the server holds in memory while many fetch files larger than all of it.
//!
//! Anonymous memory is what the server took for itself (`RssAnon`); `RssFile` is what it has mapped of files: the program, and
//! while a mapped send lasts a window of the file, which the kernel can take back at any time.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::server::Server;
use super::{Context, Outcome};

const CLIENTS: usize = 8;
const FILE_BYTES: u64 = 10 << 30;
/// What each client takes of its file before it leaves, where not all is taken.
const SHORT_BYTES: u64 = 256 << 20;
/// What the server's own memory may grow by, whatever it sends: pools, and what is on its way to each client.
const GROWTH_KIB: u64 = 16 * 1024;
/// What may be mapped of files beyond what was before: the program's code that is touched for the first time, and a window
/// for each client.
const MAPPED_KIB: u64 = 48 * 1024;
const GLANCE: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(60);

/// In KiB.
#[derive(Clone, Copy)]
struct Memory {
    own: u64,
    mapped: u64,
}

/// Eight clients each fetch a sparse file of 10 GiB, under every policy of mapped sends.
pub fn run(context: &Context, backend: &str) -> Outcome {
    let folder = match make_files(context) {
        Ok(folder) => folder,
        Err(why) => return Outcome::Failed(why),
    };
    let mut seen = Vec::new();
    for policy in ["auto", "on", "off"] {
        let server = match Server::start_with(context, &folder, backend, &["--mmap", policy]) {
            Ok(server) => server,
            Err(outcome) => return outcome,
        };
        let bytes = if context.is_long { FILE_BYTES } else { SHORT_BYTES };
        match measure(&server, bytes).and_then(|growth| server.stop().map(|()| growth)) {
            Ok(Memory { own, mapped }) => seen.push(format!("--mmap {policy} {own} + {mapped} mapped")),
            Err(why) => return Outcome::Failed(format!("--mmap {policy}: {why}")),
        }
    }
    Outcome::Ran(format!("{CLIENTS} clients, growth in KiB: {}", seen.join(", ")))
}

/// Sparse files: the disk holds nothing of them.
fn make_files(context: &Context) -> Result<PathBuf, String> {
    let folder = context.folder("ci/memory")?;
    for number in 0..CLIENTS {
        let path = folder.join(format!("{number}.bin"));
        let made = File::create(&path).and_then(|file| file.set_len(FILE_BYTES));
        made.map_err(|error| format!("{} cannot be made: {error}", path.display()))?;
    }
    fs::write(folder.join("small.txt"), "small\n").map_err(|error| format!("small.txt: {error}"))?;
    Ok(folder)
}

/// How much the server grew while its clients fetched, at the most.
fn measure(server: &Server, bytes: u64) -> Result<Memory, String> {
    fetch(server, "/small.txt", 6)?;
    let before = memory(server)?;
    let (mut most, left) = (before, AtomicUsize::new(CLIENTS));
    let fetched = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let left = &left;
                scope.spawn(move || {
                    let fetched = fetch(server, &format!("/{number}.bin"), bytes);
                    left.fetch_sub(1, Ordering::Relaxed);
                    fetched
                })
            })
            .collect();
        while left.load(Ordering::Relaxed) > 0 {
            let now = memory(server)?;
            most = Memory { own: most.own.max(now.own), mapped: most.mapped.max(now.mapped) };
            thread::sleep(GLANCE);
        }
        let ends =
            clients.into_iter().map(|client| client.join().map_err(|_| "a client panicked".to_owned())?);
        ends.collect::<Result<Vec<()>, String>>()
    });
    fetched?;
    judge(before, most)
}

/// What it grew by, if that is within the bounds.
fn judge(before: Memory, most: Memory) -> Result<Memory, String> {
    let grown = Memory {
        own: most.own.saturating_sub(before.own),
        mapped: most.mapped.saturating_sub(before.mapped),
    };
    match grown {
        Memory { own, .. } if own > GROWTH_KIB => Err(format!("its own memory grew by {own} KiB")),
        Memory { mapped, .. } if mapped > MAPPED_KIB => Err(format!("what it maps grew by {mapped} KiB")),
        grown => Ok(grown),
    }
}

fn memory(server: &Server) -> Result<Memory, String> {
    Ok(Memory { own: server.status_kib("RssAnon")?, mapped: server.status_kib("RssFile")? })
}

/// Takes so many bytes of an answer's body and leaves.
fn fetch(server: &Server, path: &str, bytes: u64) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{path}: {error}");
    let address = server.address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").map_err(failed)?;
    let (mut room, mut taken) = (vec![0; 256 * 1024], 0);
    while taken < bytes {
        match stream.read(&mut room).map_err(failed)? {
            0 => return Err(format!("{path} ended after {taken} bytes")),
            count if taken == 0 && !room[..count].starts_with(b"HTTP/1.1 200 ") => {
                return Err(format!("{path}: {}", String::from_utf8_lossy(&room[..count.min(100)])));
            }
            count => taken += count as u64,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_memory_and_mapped_memory_have_each_their_bound() {
        let before = Memory { own: 1000, mapped: 1000 };
        let grown = |own, mapped| judge(before, Memory { own: 1000 + own, mapped: 1000 + mapped });
        assert!(grown(GROWTH_KIB, MAPPED_KIB).is_ok());
        assert!(grown(GROWTH_KIB + 1, 0).is_err_and(|why| why.contains("own")));
        assert!(grown(0, MAPPED_KIB + 1).is_err_and(|why| why.contains("maps")));
        assert!(judge(before, Memory { own: 0, mapped: 0 }).is_ok_and(|grown| grown.own == 0));
    }
}
