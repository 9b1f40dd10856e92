//! What a file's name says about it: its media type, and for how long it may be kept.

/// How long images, sounds, films and fonts may be used without asking again, in seconds.
const MEDIA_MAX_AGE: &str = "max-age=600";

/// May be kept, but is asked for again each time: an unchanged file costs a 304.
const REVALIDATE: &str = "no-cache";

/// A name with a fingerprint means one content for ever (RFC 8246).
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// The media type by the name's extension. Text is said to be UTF-8 unless `content` shows that it is not; then the document itself
/// has to say, by a mark or a `meta` element. So has XML, always (RFC 7303, 3).
pub fn content_type(name: impl AsRef<[u8]>, content: Option<&[u8]>) -> String {
    let Some(media_type) = mime_guess::from_path(&*String::from_utf8_lossy(name.as_ref())).first_raw() else {
        return "application/octet-stream".to_owned();
    };
    // As RFC 9239, 6 has it.
    let media_type = if media_type == "application/javascript" { "text/javascript" } else { media_type };
    let is_text = media_type.starts_with("text/") && media_type != "text/xml";
    let is_utf8 = content.is_none_or(|content| std::str::from_utf8(content).is_ok());
    if is_text && is_utf8 { format!("{media_type}; charset=utf-8") } else { media_type.to_owned() }
}

/// For how long a file may be kept (RFC 9111, 5.2.2). Pages, and the scripts and styles that must fit them, are asked for again each time; so
/// is everything else that is not known to be media.
pub(super) fn cache_control(name: impl AsRef<[u8]>, content_type: &str) -> &'static str {
    let is_media = ["image/", "audio/", "video/", "font/"].iter().any(|kind| content_type.starts_with(kind));
    match () {
        () if is_fingerprinted(&String::from_utf8_lossy(name.as_ref())) => IMMUTABLE,
        () if is_media => MEDIA_MAX_AGE,
        () => REVALIDATE,
    }
}

/// Whether the last part of a name before its extension is a fingerprint, as build tools write it: `app.3f9a1c2b.js`,
/// `logo-0a1b2c3d4e.svg`: eight or more hexadecimal digits, some of them letters and some not; or, for what such tools write and people do not,
/// eight letters and digits of which some are small, some capital and some digits: `index-BqM2kd3x.js`.
fn is_fingerprinted(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or_default();
    let Some((stem, extension)) = file.rsplit_once('.') else { return false };
    let Some((_, last)) = stem.rsplit_once(['.', '-']) else { return false };
    let some = |test: fn(&u8) -> bool| last.bytes().any(|byte| test(&byte));
    let digits = some(u8::is_ascii_digit);
    let is_hexadecimal = last.len() >= 8
        && last.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        && digits
        && some(u8::is_ascii_alphabetic);
    let is_built = matches!(extension, "js" | "mjs" | "css" | "wasm" | "map" | "woff" | "woff2")
        && last.len() == 8
        && last.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && digits
        && some(u8::is_ascii_lowercase)
        && some(u8::is_ascii_uppercase);
    is_hexadecimal || is_built
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coding::is_compressible;

    #[test]
    fn text_is_utf_8_unless_it_is_not_and_xml_says_so_itself() {
        assert_eq!(content_type("a.html", None), "text/html; charset=utf-8");
        assert_eq!(content_type("a.txt", Some("ä".as_bytes())), "text/plain; charset=utf-8");
        assert_eq!(content_type("a.txt", Some(b"\xe4")), "text/plain");
        assert_eq!(content_type("a.xml", None), "text/xml");
        assert_eq!(content_type("a.svg", None), "image/svg+xml");
        assert_eq!(content_type("README", None), "application/octet-stream");
    }

    #[test]
    fn text_in_the_widest_sense_is_compressed_and_what_is_compressed_already_is_not() {
        for name in [
            "a.html", "a.css", "a.js", "a.json", "a.svg", "a.xml", "a.wasm", "a.txt", "a.ttf", "a.ico",
            "a.md",
        ] {
            assert!(is_compressible(&content_type(name, None)), "{name}");
        }
        for name in ["a.png", "a.jpg", "a.webp", "a.mp4", "a.zip", "a.gz", "a.woff2", "a.pdf", "a.mp3", "a"] {
            assert!(!is_compressible(&content_type(name, None)), "{name}");
        }
    }

    #[test]
    fn only_names_with_a_fingerprint_are_kept_for_ever() {
        for name in [
            "app.3f9a1c2b.js",
            "a/b/logo-0a1b2c3d4e.svg",
            "index-BqM2kd3x.js",
            "main.5f4dcc3b5aa765d61d8327deb882cf99.css",
        ] {
            assert_eq!(cache_control(name, "text/css"), IMMUTABLE, "{name}");
        }
        for name in [
            "index.html",
            "app.js",
            "jquery-3.7.1.min.js",
            "report-20241231.pdf",
            "photo-IMG20240101.jpg",
            "holiday-Photos24.jpg",
            "3f9a1c2b.js",
            "dead-deadbeef.js",
            "a-12345678.css",
            "app.3f9a1c2.js",
            "v1.2-download.css",
        ] {
            assert_ne!(cache_control(name, "text/css"), IMMUTABLE, "{name}");
        }
        assert_eq!(cache_control("a.png", "image/png"), MEDIA_MAX_AGE);
        assert_eq!(cache_control("a.html", "text/html; charset=utf-8"), REVALIDATE);
        assert_eq!(cache_control("a.zip", "application/zip"), REVALIDATE);
    }
}
