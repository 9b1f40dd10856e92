//! A folder whose files are named to do harm, in a real browser: nothing of a name runs, and every link leads to its file.
//!
//! The document that Chromium has after all scripts ran is held against that of a folder with harmless names: no element and
//! no attribute may be in the one that is not in the other. The pages' pictures are kept to be looked at.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::chromium::{Chromium, View, title};
use super::curl::{self, Curl};
use super::server::Server;
use super::{Context, Outcome};

const TITLE: &str = "Index of /";

/// What a script of a name would do that ran.
const CANARY: &str = "document.title='owned'";

/// Links that are fetched by one run of curl.
const AT_ONCE: usize = 100;

/// Lists both folders, follows every link, and takes the pictures.
pub fn run(context: &Context) -> Outcome {
    if let Some(left_out) = curl::missing() {
        return left_out;
    }
    match Chromium::find(context) {
        Ok(browser) => listed(context, &browser).map_or_else(|outcome| outcome, Outcome::Ran),
        Err(outcome) => outcome,
    }
}

fn listed(context: &Context, browser: &Chromium<'_>) -> Result<String, Outcome> {
    let harmless = served(context, "ci/harmless", &harmless_names(), |server| {
        pictures(browser, server)?;
        browser.document(&format!("{}/", server.address))
    })?;
    let hostile_names = hostile_names();
    let links = served(context, "ci/hostile", &hostile_names, |server| {
        let document = browser.document(&format!("{}/", server.address))?;
        judge(&document, &harmless)?;
        follow(&Curl::new(server), &document)
    })?;
    if links != hostile_names.len() {
        return Err(Outcome::Failed(format!("{links} links for {} files", hostile_names.len())));
    }
    let folder = context.folder("screenshots").map_err(Outcome::Failed)?;
    Ok(format!(
        "nothing of {links} hostile names ran, every link led to its file; pictures in {}",
        folder.display()
    ))
}

/// Serves a new folder with files of these names, each of which says its own link.
fn served<T>(
    context: &Context,
    folder: &str,
    names: &[Vec<u8>],
    look: impl FnOnce(&Server) -> Result<T, String>,
) -> Result<T, Outcome> {
    let folder = context.folder(folder).map_err(Outcome::Failed)?;
    fill(&folder, names).map_err(Outcome::Failed)?;
    let server = Server::start(context, &folder, "epoll")?;
    let seen = look(&server).and_then(|seen| server.stop().map(|()| seen));
    // Nobody wants to meet these names later on.
    let _ = fs::remove_dir_all(&folder);
    seen.map_err(Outcome::Failed)
}

fn fill(folder: &Path, names: &[Vec<u8>]) -> Result<(), String> {
    for name in names {
        let path = folder.join(OsStr::from_bytes(name));
        fs::write(&path, link(name)).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// Where a listing links a file: its name, all but unreserved characters percent-encoded (RFC 3986, 2.3).
fn link(name: &[u8]) -> String {
    let mut link = "./".to_owned();
    for byte in name {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                link.push(char::from(*byte));
            }
            _ => link += &format!("%{byte:02X}"),
        }
    }
    link
}

/// Names of every kind that the page marks up on its own.
fn harmless_names() -> Vec<Vec<u8>> {
    let names: &[&[u8]] = &[
        b"annual-report-2025.pdf",
        b"chapter 2.md",
        b"chapter 10.md",
        "Übersicht.html".as_bytes(),
        b"line\nbreak",
    ];
    names.iter().map(|name| name.to_vec()).collect()
}

/// Every byte that a name may hold, alone and within what would be markup; and what has harmed others.
fn hostile_names() -> Vec<Vec<u8>> {
    let bytes = || (1..=255_u8).filter(|byte| *byte != b'/');
    let mut names: Vec<Vec<u8>> = bytes().filter(|byte| *byte != b'.').map(|byte| vec![byte]).collect();
    names.extend(bytes().map(|byte| [b"a<", &[byte][..], b"onerror=", CANARY.as_bytes(), b">"].concat()));
    let texts = [
        format!("<script>{CANARY}<"),
        format!("<img src=x onerror={CANARY}>"),
        format!("<svg onload={CANARY}>"),
        format!("\" autofocus onfocus=\"{CANARY}"),
        format!("' autofocus onfocus='{CANARY}"),
        format!("javascript:{CANARY}"),
        format!("data:text,html,<script>{CANARY}<"),
    ];
    names.extend(texts.map(String::into_bytes));
    let texts = [
        "&lt;script&gt;",
        "&amp;",
        "-->",
        "<!--",
        "]]>",
        "<bdi>",
        "<base href=x>",
        "?x",
        "#y",
        "%2e%2e",
        "%00",
    ];
    names.extend(texts.map(|text| text.as_bytes().to_vec()));
    let texts = [" leading", "trailing ", "\u{202e}gpj.exe", "zero\u{200b}width", "C:\\x", "\\\\evil\\share"];
    names.extend(texts.map(|text| text.as_bytes().to_vec()));
    names.extend([b'x', b'<', b'\n', 0xff].map(|byte| vec![byte; 255]));
    names
}

/// Holds the hostile folder's document to the harmless one's.
fn judge(hostile: &str, harmless: &str) -> Result<(), String> {
    if title(hostile) != Some(TITLE) {
        return Err(format!("the page is titled {:?}: a script of a name ran", title(hostile)));
    }
    let (known, odd): (BTreeSet<String>, _) = (marks(harmless).into_iter().collect(), marks(hostile));
    if let Some(mark) = odd.iter().find(|mark| !known.contains(*mark)) {
        return Err(format!("a name became markup: {mark}"));
    }
    match odd.iter().filter(|mark| *mark == "script").count() {
        1 => Ok(()),
        scripts => Err(format!("{scripts} scripts, not the page's own one")),
    }
}

/// Every element and attribute of a document, as a browser writes it out: attributes are quoted, and within quotes a `"` is
/// `&quot;`. What scripts and styles hold is text.
fn marks(document: &str) -> Vec<String> {
    let (mut rest, mut marks) = (document, Vec::new());
    while let Some((_, tag)) = rest.split_once('<') {
        let name: String = tag.chars().take_while(|letter| letter.is_ascii_alphanumeric()).collect();
        rest = &tag[name.len()..];
        if name.is_empty() {
            continue; // an end, or the document's type
        }
        rest = attributes(&name, rest, &mut marks);
        if name == "script" || name == "style" {
            rest = rest.split_once(&format!("</{name}>")).map_or("", |(_, rest)| rest);
        }
        marks.push(name);
    }
    marks
}

/// Takes the attributes of a tag, as `element[attribute]`, and gives what is behind it.
fn attributes<'a>(element: &str, mut rest: &'a str, marks: &mut Vec<String>) -> &'a str {
    loop {
        rest = rest.trim_start();
        let end = rest.find(['=', '>', ' ']).unwrap_or(rest.len());
        if end > 0 {
            marks.push(format!("{element}[{}]", &rest[..end]));
        }
        rest = &rest[end..];
        match rest.strip_prefix("=\"").and_then(|value| value.split_once('"')) {
            Some((_, behind)) => rest = behind,
            None if rest.starts_with(' ') => {}
            None => return rest.strip_prefix('>').unwrap_or(rest),
        }
    }
}

/// Fetches every link of a listing's document; each file says what its link is. How many there were.
fn follow(curl: &Curl, document: &str) -> Result<usize, String> {
    let answer = curl.ask(&["--header", "Accept: text/html"], "/")?.expect_status(200)?;
    if !answer.field("content-security-policy").starts_with("default-src 'none'") {
        return Err(format!("its policy is {:?}", answer.field("content-security-policy")));
    }
    let (_, rows) = document.split_once("<tbody").ok_or("the document has no rows")?;
    let links: Vec<&str> =
        rows.split(" href=\"./").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    for links in links.chunks(AT_ONCE) {
        let paths: Vec<String> = links.iter().map(|link| format!("/{link}")).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let came = curl.run(&["--fail", "--path-as-is"], &paths)?;
        if came != links.iter().map(|link| format!("./{link}")).collect::<String>().as_bytes() {
            return Err(format!(
                "of the links from {} to {}, one leads elsewhere",
                links[0],
                links[links.len() - 1]
            ));
        }
    }
    Ok(links.len())
}

/// The listing and the page of an error, by day and by night, on a desk and in a hand.
fn pictures(browser: &Chromium<'_>, server: &Server) -> Result<(), String> {
    for (page, path) in [("listing", "/"), ("not-found", "/no-such-page")] {
        for (light, is_dark) in [("light", false), ("dark", true)] {
            for (width, height) in [(1280, 800), (320, 640)] {
                let url = format!("{}{path}", server.address);
                let name = format!("{page}-{light}-{width}.png");
                browser.picture(&url, &name, View { width, height, is_dark })?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HARMLESS: &str = "<!DOCTYPE html><html lang=\"en\"><head><title>Index of /</title><style>a > b</style>\
        <script>\"<b>\"</script></head><body><a href=\"./a\" class=\"x y\">a</a><input hidden=\"\"></body></html>";

    #[test]
    fn elements_and_attributes_are_told_from_text() {
        let expected =
            ["html[lang]", "html", "head", "title", "style", "script", "body", "a[href]", "a[class]", "a"];
        let expected = [&expected[..], &["input[hidden]", "input"]].concat();
        assert_eq!(marks(HARMLESS), expected);
        assert_eq!(marks("<a title=\"&quot; onclick=&quot;\">&lt;b&gt;</a>"), ["a[title]", "a"]);
        assert_eq!(marks("<a x y=\"1\">"), ["a[x]", "a[y]", "a"]);
    }

    #[test]
    fn a_name_that_became_markup_or_ran_is_found() {
        assert_eq!(judge(HARMLESS, HARMLESS), Ok(()));
        for (from, to) in [
            (">a<", "><b>a</b><"),
            ("class=\"x y\"", "onclick=\"f()\""),
            ("<body>", "<body><script>f()</script>"),
            ("Index of /", "owned"),
        ] {
            assert!(judge(&HARMLESS.replace(from, to), HARMLESS).is_err(), "{to}");
        }
    }

    #[test]
    fn hostile_names_are_all_different_and_fit_a_file_system() {
        let names = hostile_names();
        let different: BTreeSet<&Vec<u8>> = names.iter().collect();
        assert_eq!(different.len(), names.len());
        assert!(
            names.iter().all(|name| name.len() <= 255 && !name.contains(&b'/') && !name.starts_with(b"."))
        );
        assert_eq!(link(b"a b\xff"), "./a%20b%FF");
    }
}
