//! GraphiQL, from the program itself: a page, its two files, and what others made (`graphiql/LICENSES.md`), which is kept compressed and sent so.

use gannet_core::{Bytes, Method, Request, preferred_media_type};

use crate::App;
use crate::asset::Asset;

const PAGE: &str = include_str!("graphiql/page.html");
/// Each with its media type and its coding, if it has one.
const FILES: [(&str, &str, Option<&str>, &[u8]); 6] = [
    ("page.css", CSS, None, include_bytes!("graphiql/page.css")),
    ("page.js", JAVASCRIPT, None, include_bytes!("graphiql/page.js")),
    ("graphiql.min.css", CSS, GZIP, include_bytes!("graphiql/graphiql.min.css.gz")),
    ("graphiql.min.js", JAVASCRIPT, GZIP, include_bytes!("graphiql/graphiql.min.js.gz")),
    ("react.production.min.js", JAVASCRIPT, GZIP, include_bytes!("graphiql/react.production.min.js.gz")),
    (
        "react-dom.production.min.js",
        JAVASCRIPT,
        GZIP,
        include_bytes!("graphiql/react-dom.production.min.js.gz"),
    ),
];
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const GZIP: Option<&str> = Some("gzip");

/// Nothing from elsewhere. Its editor writes styles into the page as it goes; its fonts and cursors are within its style.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src data:; img-src data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page for a schema on `path`.
pub(super) fn page(path: &str) -> Asset {
    let here = path.rsplit_once('/').map_or("", |(_, name)| name);
    let parts = if here.is_empty() { "graphiql/".to_owned() } else { format!("{here}/graphiql/") };
    let fields = [("Content-Security-Policy", POLICY), ("Vary", "Accept")];
    Asset::new("text/html; charset=utf-8", PAGE.replace("{parts}", &parts).into(), &fields)
}

/// Whether a browser asks for a page, and not for the result of a query.
pub(super) fn is_wanted(request: &Request) -> bool {
    let offers = ["application/graphql-response+json", "application/json", "text/html"];
    matches!(request.method(), Method::Get | Method::Head)
        && !request.query().is_some_and(has_query)
        && preferred_media_type(request.field("Accept"), &offers) == Some(2)
}

fn has_query(query: &str) -> bool {
    query.split('&').any(|pair| pair.split('=').next() == Some("query"))
}

/// Serves what the page consists of.
#[track_caller]
pub(super) fn serve_files(app: App, path: &str) -> App {
    let folder = path.trim_end_matches('/');
    FILES.iter().fold(app, |app, (name, media_type, coding, content)| {
        let coding = coding.map(|coding| ("Content-Encoding", coding));
        let asset = Asset::new(media_type, Bytes::from_static(content), coding.as_slice());
        asset.serve(app, &format!("{folder}/graphiql/{name}"))
    })
}
