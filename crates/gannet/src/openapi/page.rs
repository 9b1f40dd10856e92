//! The page on which an API is read and tried: a document, a style and three scripts, from the program itself.

use gannet_core::{Bytes, PAGE_STYLE};

use super::Info;
use crate::App;
use crate::asset::Asset;

const DOCUMENT: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/style.css");
/// By their names, beside the page.
const SCRIPTS: [(&str, &str); 3] = [
    ("script.js", include_str!("page/script.js")),
    ("schema.js", include_str!("page/schema.js")),
    ("request.js", include_str!("page/request.js")),
];

/// Serves the page on `path`, and what it consists of below. It reads the document on `document`.
pub(super) fn serve(app: App, path: &str, document: &str, info: &Info) -> App {
    let folder = path.trim_end_matches('/');
    // Relative, so that a proxy before this may serve it under another prefix: where the path ends in a name, that is what its parts are below.
    let here = path.rsplit_once('/').map_or("", |(_, name)| name);
    let parts = if here.is_empty() { String::new() } else { format!("{here}/") };
    let page = DOCUMENT.replace("{parts}", &parts).replace("{document}", &relative(path, document));
    let page =
        Asset::new("text/html; charset=utf-8", page.into(), &[("Content-Security-Policy", &policy(info))]);
    let style = Asset::new("text/css; charset=utf-8", [PAGE_STYLE, STYLE].concat().into(), &[]);
    let app = style.serve(page.serve(app, path), &format!("{folder}/style.css"));
    SCRIPTS.iter().fold(app, |app, (name, text)| {
        let script = Asset::new("text/javascript; charset=utf-8", Bytes::from_static(text.as_bytes()), &[]);
        script.serve(app, &format!("{folder}/{name}"))
    })
}

/// Nothing from elsewhere; requests go where the document says that the API is.
fn policy(info: &Info) -> String {
    let mut servers = String::new();
    for server in info.server_urls().filter(|url| url.contains("://")) {
        let is_source = |byte: u8| byte.is_ascii_graphic() && !b";,".contains(&byte);
        if server.bytes().all(is_source) {
            servers.extend([" ", server.trim_end_matches('/')]);
        }
    }
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
         connect-src 'self'{servers}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// How one path is written in a document on another.
fn relative(from: &str, to: &str) -> String {
    let depth = from.matches('/').count().saturating_sub(1);
    let up = "../".repeat(depth);
    let to = to.trim_start_matches('/');
    if up.is_empty() && to.is_empty() { "./".to_owned() } else { up + to }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_relative_to_each_other() {
        for (from, to, written) in [
            ("/docs", "/openapi.json", "openapi.json"),
            ("/api/docs", "/openapi.json", "../openapi.json"),
            ("/docs/", "/api/openapi.json", "../api/openapi.json"),
            ("/", "/openapi.json", "openapi.json"),
        ] {
            assert_eq!(relative(from, to), written, "{to} from {from}");
        }
    }

    #[test]
    fn a_policy_lets_the_page_ask_the_servers_that_are_named_and_nobody_else() {
        let info =
            Info::new("A", "1").server("https://api.example.com/v1/").server("/v2").server("https://x;y");
        let policy = policy(&info);
        assert!(policy.contains("connect-src 'self' https://api.example.com/v1;"), "{policy}");
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
    }
}
