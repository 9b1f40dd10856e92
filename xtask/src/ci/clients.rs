//! The running binary as curl sees it: a client we did not write.

use std::fs;
use std::path::{Path, PathBuf};

use super::curl::{self, Curl};
use super::server::Server;
use super::{Context, Outcome};

/// What the checks know: where the server is and which folder it serves.
struct Served {
    curl: Curl,
    folder: PathBuf,
}

/// One thing curl must see.
type Check = (&'static str, fn(&Served) -> Result<(), String>);

const CHECKS: &[Check] = &[
    ("GET / is the index, as HTML", index),
    ("every file comes back byte for byte", files),
    ("HEAD has GET's length and no body", head),
    ("a missing file is 404", missing),
    ("POST is 405 and says what is allowed", post),
    ("nothing outside the folder is served", traversal),
    ("two requests share one connection", keep_alive),
    ("HTTP/1.0 is answered", http_1_0),
];

/// Starts the server on this backend, runs every check, stops it.
pub fn run(context: &Context, backend: &str) -> Outcome {
    if let Some(left_out) = curl::missing() {
        return left_out;
    }
    let server = match Server::start(context, &context.site(), backend) {
        Ok(server) => server,
        Err(outcome) => return outcome,
    };
    let served = Served { curl: Curl::new(&server), folder: context.site() };
    let wrong =
        CHECKS.iter().filter_map(|(name, check)| check(&served).err().map(|why| format!("{name}: {why}")));
    let mut wrong: Vec<String> = wrong.collect();
    let banner = server.banner.clone();
    wrong.extend(server.stop().err());
    if wrong.is_empty() {
        Outcome::Ran(format!("{} checks and SIGTERM on \"{banner}\"", CHECKS.len()))
    } else {
        Outcome::Failed(wrong.join("; "))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn index(served: &Served) -> Result<(), String> {
    let answer = served.curl.ask(&[], "/")?.expect_status(200)?;
    if !answer.field("content-type").starts_with("text/html") {
        return Err(format!("content-type is `{}`", answer.field("content-type")));
    }
    if answer.body == read(&served.folder.join("index.html"))? {
        Ok(())
    } else {
        Err("other bytes than index.html".to_owned())
    }
}

fn files(served: &Served) -> Result<(), String> {
    let mut names = Vec::new();
    list(&served.folder, "", &mut names)?;
    for name in &names {
        let answer =
            served.curl.ask(&[], name)?.expect_status(200).map_err(|why| format!("{name}: {why}"))?;
        if answer.body != read(&served.folder.join(&name[1..]))? {
            return Err(format!("{name} comes back with other bytes"));
        }
    }
    if names.is_empty() { Err("the site has no files".to_owned()) } else { Ok(()) }
}

/// The URL paths of a folder's files, but for dotfiles and names that a URL would have to encode.
fn list(folder: &Path, prefix: &str, names: &mut Vec<String>) -> Result<(), String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries.filter_map(Result::ok) {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let is_plain =
            name.chars().all(|character| character.is_ascii_alphanumeric() || "._-".contains(character));
        if name.starts_with('.') || !is_plain {
            continue;
        }
        let path = format!("{prefix}/{name}");
        if entry.path().is_dir() { list(&entry.path(), &path, names)? } else { names.push(path) }
    }
    Ok(())
}

fn head(served: &Served) -> Result<(), String> {
    let get = served.curl.ask(&[], "/")?;
    // curl itself complains when bytes follow a head without a body on a connection it means to reuse.
    let head = served.curl.ask(&["--head"], "/")?.expect_status(200)?;
    let length = get.body.len().to_string();
    if head.field("content-length") != length {
        return Err(format!("content-length is `{}`, not {length}", head.field("content-length")));
    }
    if head.body.is_empty() { Ok(()) } else { Err("it has a body".to_owned()) }
}

fn missing(served: &Served) -> Result<(), String> {
    served.curl.ask(&[], "/no-such-file.html")?.expect_status(404).map(|_| ())
}

fn post(served: &Served) -> Result<(), String> {
    let answer = served.curl.ask(&["--data", "a=b"], "/")?.expect_status(405)?;
    let allow = answer.field("allow");
    let has = |method: &str| allow.split(',').any(|name| name.trim() == method);
    // RFC 9110 15.5.6: the origin server MUST generate an Allow field.
    if has("GET") && has("HEAD") { Ok(()) } else { Err(format!("allow is `{allow}`")) }
}

fn traversal(served: &Served) -> Result<(), String> {
    let paths = [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "//etc/passwd",
        "/assets/../../Cargo.toml",
    ];
    for path in paths {
        let answer = served.curl.ask(&["--path-as-is"], path)?;
        if !(400..500).contains(&answer.status) {
            return Err(format!("{path} is {}", answer.status));
        }
    }
    Ok(())
}

fn keep_alive(served: &Served) -> Result<(), String> {
    let options = ["--output", "/dev/null", "--output", "/dev/null", "--write-out", "%{num_connects} "];
    let connects = served.curl.run(&options, &["/", "/no-such-file.html"])?;
    let connects = String::from_utf8_lossy(&connects).trim().to_owned();
    if connects == "1 0" { Ok(()) } else { Err(format!("connections made: {connects}")) }
}

fn http_1_0(served: &Served) -> Result<(), String> {
    let answer = served.curl.ask(&["--http1.0"], "/")?.expect_status(200)?;
    let expected = read(&served.folder.join("index.html"))?;
    if answer.body == expected { Ok(()) } else { Err("other bytes than index.html".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_repositorys_own_files_are_listed_as_url_paths() {
        let mut names = Vec::new();
        list(&crate::root().join("xtask"), "", &mut names).expect("the folder is there");
        assert!(names.contains(&"/src/ci/clients.rs".to_owned()));
    }
}
