//! The example site, served by the binary: every link of its pages leads somewhere.

#[path = "binary/rig.rs"]
#[expect(dead_code, reason = "shared with the tests of the binary, which use all of it")]
mod rig;

use std::collections::{BTreeMap, BTreeSet};

use rig::{Gannet, exchange, gannet};

const SITE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/site");

/// What a page points to, by the attributes that do.
fn links(page: &str) -> impl Iterator<Item = &str> {
    let values = ["href=\"", "src=\""].into_iter().flat_map(|attribute| page.split(attribute).skip(1));
    values.filter_map(|rest| rest.split('"').next())
}

/// Where a relative reference leads (RFC 3986, 5.2, as far as the site needs it), and the part of the page.
fn resolve(base: &str, link: &str) -> (String, String) {
    let (path, part) = link.split_once('#').unwrap_or((link, ""));
    let mut segments: Vec<&str> = base.split('/').collect();
    if !path.is_empty() {
        segments.pop();
        for segment in path.split('/') {
            match segment {
                ".." => drop(segments.pop()),
                "." => {}
                other => segments.push(other),
            }
        }
    }
    (segments.join("/"), part.to_owned())
}

#[test]
fn every_link_of_the_example_site_leads_to_a_file_of_it_and_to_a_part_that_is_there() {
    let server = Gannet::start(gannet().args([SITE, "--listen", "127.0.0.1:0"]));
    let (mut pages, mut parts) = (BTreeMap::new(), BTreeSet::new());
    let mut waiting = vec!["/".to_owned()];
    while let Some(path) = waiting.pop() {
        if pages.contains_key(&path) {
            continue;
        }
        assert!(pages.len() < 100, "the site has no end: {pages:?}");
        let answer = exchange(server.address(), "GET", &path);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{path}: {answer}");
        if answer.contains("text/html") {
            for link in links(&answer) {
                assert!(!link.contains("://"), "{path} points out of the site: {link}");
                let (target, part) = resolve(&path, link);
                waiting.push(target.clone());
                parts.insert((target, part));
            }
        }
        pages.insert(path, answer);
    }
    for (path, part) in parts.into_iter().filter(|(_, part)| !part.is_empty()) {
        assert!(pages[&path].contains(&format!("id=\"{part}\"")), "{path} has no part {part}");
    }
    for file in ["/", "/about.html", "/birds/", "/style.css", "/logo.svg", "/favicon.svg", "/humans.txt"] {
        assert!(pages.contains_key(file), "nothing leads to {file}");
    }
}
