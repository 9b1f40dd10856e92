//! Downloads as people make them with curl: broken off and taken up again, in parallel parts, compressed, and not made at all
//! when nothing has changed. Whatever the way, the bytes are those of the file.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::curl::{self, Answer, Curl};
use super::server::Server;
use super::{Context, Outcome};

/// Long enough to be sent in many pieces.
const BYTES: usize = 5 * 1024 * 1024 + 3;
/// Parts that are fetched side by side.
const PARTS: usize = 8;
/// curl's exit status for a resumed download that would be of another file (curl(1)).
const CANNOT_RESUME: i32 = 33;

/// The server, what it serves, and a place for what comes.
struct Served {
    curl: Curl,
    folder: PathBuf,
    taken: PathBuf,
}

/// One way to download.
type Check = (&'static str, fn(&Served) -> Result<(), String>);

const CHECKS: &[Check] = &[
    ("a download that broke off is resumed", resumed),
    ("a file that changed meanwhile is not mixed with what came of it before", changed_meanwhile),
    ("parts fetched in parallel make the file", parallel),
    ("several ranges come in one answer, each where it says", several_ranges),
    ("every coding that curl has is decoded to the file", compressed),
    ("what did not change is not sent again", unchanged),
    ("HEAD has the fields of GET", head),
];

/// Starts the server on this backend and downloads in every way.
pub fn run(context: &Context, backend: &str) -> Outcome {
    if let Some(left_out) = curl::missing() {
        return left_out;
    }
    let folders = (context.folder("ci/downloads"), context.folder("ci/taken"));
    let (folder, taken) = match folders {
        (Ok(folder), Ok(taken)) => (folder, taken),
        (Err(why), _) | (_, Err(why)) => return Outcome::Failed(why),
    };
    if let Err(why) = fill(&folder) {
        return Outcome::Failed(why);
    }
    let server = match Server::start(context, &folder, backend) {
        Ok(server) => server,
        Err(outcome) => return outcome,
    };
    let served = Served { curl: Curl::new(&server), folder, taken };
    let wrong =
        CHECKS.iter().filter_map(|(name, check)| check(&served).err().map(|why| format!("{name}: {why}")));
    let mut wrong: Vec<String> = wrong.collect();
    wrong.extend(server.stop().err());
    match wrong.is_empty() {
        true => Outcome::Ran(format!("{} ways to download {BYTES} bytes, all byte for byte", CHECKS.len())),
        false => Outcome::Failed(wrong.join("; ")),
    }
}

/// One file that nothing makes smaller, and two of text: one small, one large.
fn fill(folder: &Path) -> Result<(), String> {
    let text = |lines: usize| (0..lines).map(|line| format!("line {line} of a text\n")).collect::<String>();
    write(&folder.join("data.bin"), &noise(BYTES, 1))?;
    write(&folder.join("small.txt"), text(200).as_bytes())?;
    write(&folder.join("large.txt"), text(20_000).as_bytes())
}

/// Bytes without a pattern, the same each time (xorshift).
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn same(what: &str, taken: &[u8], file: &[u8]) -> Result<(), String> {
    let at = taken.iter().zip(file).position(|(one, other)| one != other);
    match at {
        _ if taken == file => Ok(()),
        Some(at) => Err(format!("{what}: byte {at} differs")),
        None => Err(format!("{what}: {} bytes, not {}", taken.len(), file.len())),
    }
}

impl Served {
    fn file(&self, name: &str) -> Result<Vec<u8>, String> {
        read(&self.folder.join(name))
    }

    fn etag(&self, path: &str) -> Result<String, String> {
        Ok(self.curl.ask(&["--head"], path)?.expect_status(200)?.field("etag").to_owned())
    }

    /// Begins a download and kills curl in the middle of it. What had come is in the file whose path this gives.
    fn broken_off(&self, path: &str, bytes: usize) -> Result<String, String> {
        let failed = |error: std::io::Error| format!("curl could not be broken off: {error}");
        let mut curl = self.curl.command();
        let mut child = curl.arg(self.curl.url(path)).stdout(Stdio::piped()).spawn().map_err(failed)?;
        let mut came = vec![0; bytes];
        let outcome = child.stdout.take().map(|mut output| output.read_exact(&mut came));
        child.kill().and_then(|()| child.wait()).map_err(failed)?;
        outcome.transpose().map_err(failed)?;
        let part = self.taken.join("part");
        write(&part, &came)?;
        Ok(part.display().to_string())
    }
}

fn resumed(served: &Served) -> Result<(), String> {
    let part = served.broken_off("/data.bin", BYTES / 3)?;
    served.curl.run(&["--fail", "--continue-at", "-", "--output", &part], &["/data.bin"])?;
    same("resumed", &read(Path::new(&part))?, &served.file("data.bin")?)?;
    // With the tag of what it has a part of, a client is sure (RFC 9110, 13.1.5).
    let part = served.broken_off("/data.bin", BYTES / 2)?;
    let if_range = format!("If-Range: {}", served.etag("/data.bin")?);
    let options = ["--fail", "--continue-at", "-", "--header", &if_range, "--output", &part];
    served.curl.run(&options, &["/data.bin"])?;
    same("resumed with If-Range", &read(Path::new(&part))?, &served.file("data.bin")?)
}

fn changed_meanwhile(served: &Served) -> Result<(), String> {
    let if_range = format!("If-Range: {}", served.etag("/data.bin")?);
    let part = served.broken_off("/data.bin", BYTES / 2)?;
    let before = read(Path::new(&part))?;
    let now = noise(BYTES + 1000, 2);
    write(&served.folder.join("data.bin"), &now)?;
    let options = ["--continue-at", "-", "--header", &if_range, "--output", &part];
    let ended = served.curl.ended(&options, &["/data.bin"])?;
    if ended.code != Some(CANNOT_RESUME) {
        return Err(format!("curl ended with {:?}: {}", ended.code, ended.stderr.trim()));
    }
    same("what came before", &read(Path::new(&part))?, &before)?;
    let answer = served.curl.ask(&["--range", "1000-", "--header", &if_range], "/data.bin")?;
    same("the whole of what is there now", &answer.expect_status(200)?.body, &now)
}

fn parallel(served: &Served) -> Result<(), String> {
    let file = served.file("data.bin")?;
    let (mut options, mut parts) = (vec!["--parallel".to_owned()], Vec::new());
    for (number, bytes) in file.chunks(file.len().div_ceil(PARTS)).enumerate() {
        let first = number * file.len().div_ceil(PARTS);
        let part = served.taken.join(format!("part-{number}"));
        let (range, path) = (format!("{first}-{}", first + bytes.len() - 1), part.display().to_string());
        let url = served.curl.url("/data.bin");
        let next = (number > 0).then(|| ["--next", "--silent", "--noproxy", "*"].map(str::to_owned));
        options.extend(next.into_iter().flatten());
        options.extend(["--fail", "--range", &range, "--output", &path, &url].map(str::to_owned));
        parts.push(part);
    }
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    served.curl.run(&options, &[])?;
    let taken: Result<Vec<_>, _> = parts.iter().map(|part| read(part)).collect();
    same("the parts", &taken?.concat(), &file)
}

fn several_ranges(served: &Served) -> Result<(), String> {
    let file = served.file("data.bin")?;
    let answer = served.curl.ask(&["--range", "0-9,100000-100999,-5000"], "/data.bin")?.expect_status(206)?;
    let boundary = answer.field("content-type").split_once("boundary=").ok_or("no boundary")?.1;
    let parts = parts(&answer.body, boundary)?;
    let lengths: Vec<usize> = parts.iter().map(|(_, bytes)| bytes.len()).collect();
    if lengths != [10, 1000, 5000] {
        return Err(format!("parts of {lengths:?} bytes"));
    }
    for (first, bytes) in parts {
        same(&format!("the part from {first}"), bytes, &file[first..first + bytes.len()])?;
    }
    Ok(())
}

/// The parts of a body of several (RFC 2046, 5.1), each with the place of its first byte.
fn parts<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<(usize, &'a [u8])>, String> {
    let find = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).position(|window| window == what);
    let delimiter = format!("\r\n--{boundary}");
    let (mut rest, mut parts) = (body, Vec::new());
    loop {
        let at = find(rest, delimiter.as_bytes()).ok_or("no closing delimiter")?;
        rest = &rest[at + delimiter.len()..];
        if rest.starts_with(b"--") {
            return Ok(parts);
        }
        let end = find(rest, b"\r\n\r\n").ok_or("a part without an end of its head")?;
        let head = String::from_utf8_lossy(&rest[..end]).into_owned();
        rest = &rest[end + 4..];
        let first = head.split_once("Content-Range: bytes ").and_then(|(_, range)| range.split('-').next());
        let first = first.and_then(|first| first.parse().ok()).ok_or("a part without its range")?;
        parts.push((first, &rest[..find(rest, delimiter.as_bytes()).ok_or("a part without an end")?]));
    }
}

/// The codings that this curl decodes, from the features it names (`curl --version`).
fn codings(served: &Served) -> Result<Vec<&'static str>, String> {
    let version = String::from_utf8_lossy(&served.curl.run(&["--version"], &[])?).into_owned();
    let has = |feature: &str| version.split_whitespace().any(|word| word == feature);
    let known = [("brotli", "br"), ("zstd", "zstd"), ("libz", "gzip")];
    Ok(known.iter().filter(|(feature, _)| has(feature)).map(|(_, coding)| *coding).collect())
}

fn compressed(served: &Served) -> Result<(), String> {
    for coding in codings(served)? {
        let accept = format!("Accept-Encoding: {coding}");
        for name in ["small.txt", "large.txt"] {
            let options = ["--compressed", "--header", &accept];
            let answer = served.curl.ask(&options, &format!("/{name}"))?.expect_status(200)?;
            let (told, vary) = (answer.field("content-encoding"), answer.field("vary"));
            if (told, vary) != (coding, "Accept-Encoding") {
                return Err(format!("asked for {coding}, {name} is {told:?} and varies by {vary:?}"));
            }
            same(&format!("{name} as {coding}"), &answer.body, &served.file(name)?)?;
        }
    }
    Ok(())
}

fn unchanged(served: &Served) -> Result<(), String> {
    for path in ["/data.bin", "/small.txt"] {
        let date = served.curl.ask(&["--head"], path)?.field("last-modified").to_owned();
        served.curl.ask(&["--time-cond", &date], path)?.expect_status(304)?;
        let kept = served.taken.join("etag").display().to_string();
        served.curl.ask(&["--etag-save", &kept], path)?.expect_status(200)?;
        let answer = served.curl.ask(&["--etag-compare", &kept], path)?.expect_status(304)?;
        if !answer.body.is_empty() {
            return Err(format!("{path}: a 304 of {} bytes", answer.body.len()));
        }
    }
    Ok(())
}

fn head(served: &Served) -> Result<(), String> {
    for path in ["/data.bin", "/small.txt", "/large.txt", "/", "/missing"] {
        for accept in ["Accept-Encoding: br", "Accept-Encoding:", "Accept: text/html"] {
            let options = ["--header", accept];
            let get = served.curl.ask(&options, path)?;
            let head = served.curl.ask(&["--head", options[0], options[1]], path)?;
            if (get.status, described(&get)) != (head.status, described(&head)) {
                return Err(format!("{path} with {accept:?}: {:?}, not {:?}", head.fields, get.fields));
            }
        }
    }
    Ok(())
}

/// The fields of an answer that say what is answered, and not when.
fn described(answer: &Answer) -> BTreeMap<&String, &String> {
    answer.fields.iter().filter(|(name, _)| *name != "date").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_body_are_found_by_their_boundary() {
        let body = b"\r\n--x\r\nContent-Type: a/b\r\nContent-Range: bytes 3-5/9\r\n\r\nabc\r\n--x\r\n\
            Content-Range: bytes 8-8/9\r\n\r\n\r\r\n--x--\r\n";
        assert_eq!(parts(body, "x"), Ok(vec![(3, &b"abc"[..]), (8, &b"\r"[..])]));
        assert!(parts(&body[..body.len() - 6], "x").is_err());
        assert!(parts(b"--y--", "x").is_err());
    }

    #[test]
    fn what_differs_is_told_by_its_place() {
        assert_eq!(same("a", b"abc", b"abc"), Ok(()));
        assert_eq!(same("a", b"abd", b"abc"), Err("a: byte 2 differs".to_owned()));
        assert_eq!(same("a", b"ab", b"abc"), Err("a: 2 bytes, not 3".to_owned()));
    }
}
