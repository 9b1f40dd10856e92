//! Media types, and for how long each kind may be kept: RFC 9110, 8.3; RFC 9111, 5.2.2.

use gannet_core::Response;

use crate::files::world::{Served, field};

fn response(name: &str, content: &[u8]) -> Response {
    let served = Served::new(|files| files);
    served.world.write(name, content, 1);
    served.get(&format!("/{name}"))
}

#[test]
fn text_has_utf_8_said_unless_it_is_something_else_rfc_9110_8_3_2() {
    for (name, content, expected) in [
        ("a.html", &b"\xc3\xa4"[..], "text/html; charset=utf-8"),
        ("a.html", b"\xe4", "text/html"),
        ("a.css", b"", "text/css; charset=utf-8"),
        ("a.md", b"x", "text/markdown; charset=utf-8"),
        ("a.csv", b"x", "text/csv; charset=utf-8"),
        ("a.mjs", b"x", "text/javascript; charset=utf-8"),
        ("a.xml", b"x", "text/xml"),
        ("a.svg", b"x", "image/svg+xml"),
        ("a.json", b"x", "application/json"),
        ("a.tar.gz", b"x", "application/gzip"),
        ("A.HTML", b"x", "text/html; charset=utf-8"),
        ("none", b"<html>", "application/octet-stream"),
        ("a.unheard-of", b"<html>", "application/octet-stream"),
    ] {
        assert_eq!(field(&response(name, content), "content-type"), Some(expected), "{name}");
    }
}

#[test]
fn nothing_is_to_be_guessed_from_the_content() {
    for name in ["a.html", "a.png", "none"] {
        assert_eq!(field(&response(name, b"x"), "x-content-type-options"), Some("nosniff"), "{name}");
    }
}

#[test]
fn pages_are_asked_for_again_media_are_kept_a_while_and_fingerprints_for_ever_rfc_8246() {
    for (name, expected) in [
        ("index.html", "no-cache"),
        ("app.js", "no-cache"),
        ("style.css", "no-cache"),
        ("data.json", "no-cache"),
        ("none", "no-cache"),
        ("photo.jpg", "max-age=600"),
        ("film.mp4", "max-age=600"),
        ("sound.mp3", "max-age=600"),
        ("letters.woff2", "max-age=600"),
        ("app.3f9a1c2b.js", "public, max-age=31536000, immutable"),
        ("index-BqM2kd3x.js", "public, max-age=31536000, immutable"),
        ("photo-0a1b2c3d4e.jpg", "public, max-age=31536000, immutable"),
    ] {
        assert_eq!(field(&response(name, b"x"), "cache-control"), Some(expected), "{name}");
    }
}
