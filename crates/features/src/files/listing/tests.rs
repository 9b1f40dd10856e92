//! The listing as a whole.

use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gannet_core::Kind;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;

const ROOT: Directory<'_> = Directory { path: "/", tail: "", truncated: false };

fn entry(name: impl AsRef<[u8]>, kind: Kind, length: u64) -> Entry {
    let modified = UNIX_EPOCH + Duration::from_secs(784_111_777);
    Entry { name: name.as_ref().to_vec(), kind, length, modified }
}

fn file(name: impl AsRef<[u8]>) -> Entry {
    entry(name, Kind::File, 1234)
}

fn many(count: u64) -> Vec<Entry> {
    (0..count).map(|number| file(number.to_string())).collect()
}

fn written(directory: Directory<'_>, entries: Vec<Entry>, query: &str, format: Format) -> String {
    String::from_utf8(write(directory, entries, Some(query), format).to_vec()).unwrap()
}

fn html(entries: Vec<Entry>, query: &str) -> String {
    written(ROOT, entries, query, Format::Html)
}

fn json(entries: Vec<Entry>, query: &str) -> serde_json::Value {
    serde_json::from_str(&written(ROOT, entries, query, Format::Json)).unwrap()
}

/// What stands between the first `from` and the next `to`.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split_once(from)
        .and_then(|(_, rest)| rest.split_once(to))
        .unwrap_or_else(|| panic!("{from} ... {to} in {text}"))
        .0
}

/// What stands in each element of a name.
fn elements<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let (from, to) = (format!("<{name}>"), format!("</{name}>"));
    page.split(&from).skip(1).map(|rest| rest.split_once(&to).unwrap().0).collect()
}

#[test]
fn a_row_has_a_link_a_size_and_a_time() {
    let page = html(vec![file("a b.txt"), entry("d", Kind::Directory, 4096)], "");
    for part in [
        "<a href=\"./a%20b.txt\">",
        "<span><bdi>a b.txt</bdi></span></a>",
        "<data value=1234 title=\"1,234 bytes\">1.2 KiB</data>",
        "<time datetime=\"1994-11-06T08:49:37Z\">1994-11-06 <span>08:49</span></time>",
        "<a href=\"./d/\">",
        "<span><bdi>d</bdi>/</span></a></th><td role=cell></td>",
        "1 folder, 1 file, <data value=1234",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
}

#[test]
fn the_policy_admits_the_page_s_own_styles_and_script_and_nothing_else() {
    let page = html(vec![file("a")], "");
    let sources = |name| {
        let hashes = elements(&page, name)
            .into_iter()
            .map(|text| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text))));
        hashes.collect::<Vec<_>>().join(" ")
    };
    let expected = format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
        sources("style"),
        sources("script")
    );
    assert_eq!(POLICY, expected);
    // What no hash covers would be blocked, and the page would miss it.
    assert!(skeleton(&page).iter().all(|tag| !tag.contains(" style=") && !tag.contains(" on")), "{page}");
    assert!(!page.contains("://"), "nothing is fetched from elsewhere");
}

#[test]
fn a_page_and_a_document_are_sent_as_what_they_are() {
    let response = |format| response(format, write(ROOT, many(1), None, format));
    let field = |response: &Response, name: &str| {
        response.fields().get(name).map(|value| String::from_utf8(value.to_vec()).unwrap())
    };
    let (page, document) = (response(Format::Html), response(Format::Json));
    assert_eq!(page.status(), Status::OK);
    assert_eq!(field(&page, "Content-Type").as_deref(), Some("text/html; charset=utf-8"));
    assert_eq!(field(&page, "Content-Security-Policy").as_deref(), Some(POLICY));
    assert_eq!(field(&document, "Content-Type").as_deref(), Some("application/json"));
    for response in [page, document] {
        assert_eq!(field(&response, "Vary").as_deref(), Some("Accept"));
        assert_eq!(field(&response, "Cache-Control").as_deref(), Some("no-cache"));
        assert_eq!(field(&response, "X-Content-Type-Options").as_deref(), Some("nosniff"));
    }
}

#[test]
fn json_is_for_those_who_would_rather_have_it() {
    for accept in ["*/*", "text/html", "text/html, application/json", "image/png", ""] {
        assert_eq!(Format::preferred(Some(accept.as_bytes())), Format::Html, "{accept}");
    }
    for accept in
        ["application/json", "application/json, */*", "text/html;q=0.9, application/json", "application/*"]
    {
        assert_eq!(Format::preferred(Some(accept.as_bytes())), Format::Json, "{accept}");
    }
    assert_eq!(Format::preferred(None), Format::Html);
}

#[test]
fn a_breadcrumb_leads_to_each_folder_above_and_never_above_the_root() {
    let directory = Directory { path: "/assets/a%20b/%3Cc%3E/", tail: "a%20b/%3Cc%3E/", truncated: false };
    let page = written(directory, Vec::new(), "", Format::Html);
    assert_eq!(
        between(&page, "<nav aria-label=Breadcrumb>", "</nav>"),
        "<ol><li><a href=\"../../\">Home</a><li><a href=\"../\"><bdi>a b</bdi></a></ol>"
    );
    assert_eq!(between(&page, "<title>", "</title>"), "Index of /assets/a b/&lt;c&gt;/");
    assert_eq!(between(&page, "<h1 id=h>", "</h1>"), "<bdi>&lt;c&gt;</bdi>");
    assert!(page.contains("<a rel=up href=\"../\">"));
    let root =
        written(Directory { path: "/assets/", tail: "", truncated: false }, Vec::new(), "", Format::Html);
    assert_eq!(between(&root, "<h1 id=h>", "</h1>"), "Index of <bdi>/assets/</bdi>");
    assert!(!root.contains("../") && !root.contains("Breadcrumb"), "{root}");
}

#[test]
fn a_path_that_looks_like_markup_is_text() {
    let directory = Directory { path: "/\"><script>/", tail: "\"><script>/", truncated: false };
    let page = written(directory, Vec::new(), "", Format::Html);
    assert_eq!(page.matches("<script>").count(), 1);
    let document = written(directory, Vec::new(), "", Format::Json);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&document).unwrap()["path"], "/\"><script>/");
}

#[test]
fn a_column_s_link_reverses_its_order_and_says_which_it_is() {
    let page = html(many(1), "sort=size&order=desc");
    let heads = between(&page, "<thead role=rowgroup>", "</thead>");
    for part in [
        "<th role=columnheader scope=col><a href=\"?sort=name&amp;order=asc\">Name</a></th>",
        "<th role=columnheader scope=col aria-sort=descending><a href=\"?sort=size&amp;order=asc\">Size</a></th>",
        "<th role=columnheader scope=col><a href=\"?sort=modified&amp;order=desc\">Modified (UTC)</a></th>",
    ] {
        assert!(heads.contains(part), "{part} in {heads}");
    }
    assert!(html(many(1), "").contains("aria-sort=ascending><a href=\"?sort=name&amp;order=desc\">"));
}

#[test]
fn pages_lead_to_each_other_and_keep_the_order() {
    let page = html(many(3500), "sort=size&order=desc&page=2");
    assert_eq!(page.matches("<tr role=row><th role=rowheader").count(), ENTRIES_PER_PAGE);
    let pages = between(&page, "<nav class=pages aria-label=Pages>", "</nav>");
    assert_eq!(
        pages,
        "<a href=\"?sort=size&amp;order=desc\">First</a>\
         <a rel=prev href=\"?sort=size&amp;order=desc\">Previous</a>\
         <span>1,001–2,000 of 3,500</span>\
         <a rel=next href=\"?sort=size&amp;order=desc&amp;page=3\">Next</a>\
         <a href=\"?sort=size&amp;order=desc&amp;page=4\">Last</a>"
    );
    let last = html(many(3500), "page=99");
    assert!(last.contains("<span>3,001–3,500 of 3,500</span><a aria-disabled=true>Next</a>"));
    assert!(
        last.contains(
            "<p class=sum>3,500 files, <data value=4319000 title=\"4,319,000 bytes\">4.1 MiB</data>"
        )
    );
    assert!(!html(many(1000), "").contains("class=pages"), "one page leads nowhere");
}

#[test]
fn an_empty_folder_and_a_truncated_one_say_so() {
    assert!(html(vec![file(".hidden")], "").contains("This folder is empty."));
    let directory = Directory { truncated: true, ..ROOT };
    let page = written(directory, many(1001), "", Format::Html);
    assert!(page.contains("these are the 1,001 entries that were read first"));
    assert!(!html(many(1), "").contains("read first") && !html(many(1), "").contains("is empty"));
    let document = written(directory, many(1), "", Format::Json);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&document).unwrap()["truncated"], true);
}

#[test]
fn a_document_has_what_the_page_has() {
    let document =
        json(vec![file("a\"\\\n ä"), file(b"\xff<"), entry("d", Kind::Directory, 4096)], "sort=name");
    let modified = "1994-11-06T08:49:37Z";
    let expected = serde_json::json!({
        "path": "/",
        "entries": [
            { "name": "d", "href": "./d/", "type": "directory", "size": null, "modified": modified },
            { "name": "a\"\\\n ä", "href": "./a%22%5C%0A%20%C3%A4", "type": "file", "size": 1234, "modified": modified },
            { "name": "\u{fffd}<", "href": "./%FF%3C", "type": "file", "size": 1234, "modified": modified },
        ],
        "page": 1, "pages": 1, "total": 3, "truncated": false,
    });
    assert_eq!(document, expected);
    let second = json(many(1001), "page=2");
    assert_eq!((&second["page"], &second["pages"], &second["total"]), (&2.into(), &2.into(), &1001.into()));
    assert_eq!(second["entries"].as_array().unwrap().len(), 1);
    assert_eq!(json(Vec::new(), "")["entries"], serde_json::json!([]));
}

#[test]
fn a_page_of_the_worst_names_stays_below_three_mebibytes() {
    let worst = |number: usize| {
        let mut name = vec![b'"'; 255];
        name[..3].copy_from_slice(format!("{number:03}").as_bytes());
        file(name)
    };
    let page = html((0..ENTRIES_PER_PAGE).map(worst).collect(), "");
    assert!(page.len() < 3 << 20, "{}", page.len());
}

/// Every tag and every attribute of a page, in order, without the values of what names end up in.
fn skeleton(page: &str) -> Vec<String> {
    let body = page.split_once("</head>").unwrap().1;
    let tags = body.split('<').skip(1).map(|rest| rest.split_once('>').unwrap().0);
    let tags = tags.filter(|tag| !tag.ends_with("bdi") && !tag.ends_with("span") && *tag != "span class=odd");
    tags.map(|tag| if tag.starts_with("a href=\"./") { "a".to_owned() } else { tag.to_owned() }).collect()
}

proptest! {
    #[test]
    fn no_name_changes_what_the_page_is_made_of(name in proptest::collection::vec(1_u8.., 1..255)) {
        prop_assume!(name[0] != b'.' && !name.contains(&b'/'));
        prop_assert_eq!(skeleton(&html(vec![file(&name)], "")), skeleton(&html(vec![file("plain")], "")));
        let document = json(vec![file(&name)], "");
        let shown = document["entries"][0]["name"].as_str().unwrap();
        prop_assert_eq!(shown, String::from_utf8_lossy(&name));
    }

    #[test]
    fn no_query_changes_anything_but_order_and_page(query in "\\PC{0,60}") {
        let page = html(vec![file("a")], &query);
        prop_assert_eq!(skeleton(&page), skeleton(&html(vec![file("a")], "")));
    }
}
