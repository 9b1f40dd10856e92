//! Names of any bytes, in HTML: as text, as plain text, as a link.

use std::fmt::{self, Display, Formatter, Write};

/// A name as text. What cannot be seen, or would reorder its surroundings, is written as Rust would write it, and marked:
/// bytes that are no UTF-8, and control characters, as `\x1F`; invisible and bidirectional ones as `\u{202E}`. The rest
/// is kept apart from the direction of what stands around it (`bdi`).
pub(super) struct Text<'a>(pub(super) &'a [u8]);

/// The same without marks, for where no element may stand: a title.
pub(super) struct Plain<'a>(pub(super) &'a [u8]);

/// A name as a link relative to its directory. All but unreserved characters are percent-encoded (RFC 3986, 2.3), and it begins
/// with `./`, so that nothing in it can be taken for a scheme, a host, a query or a fragment.
pub(super) struct Href<'a>(pub(super) &'a [u8]);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("<bdi>")?;
        let mut marked = false;
        for piece in pieces(self.0) {
            let odd = !matches!(piece, Piece::Character(_));
            if odd != marked {
                f.write_str(if odd { "<span class=odd>" } else { "</span>" })?;
                marked = odd;
            }
            piece.fmt(f)?;
        }
        f.write_str(if marked { "</span></bdi>" } else { "</bdi>" })
    }
}

impl Display for Plain<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        pieces(self.0).try_for_each(|piece| piece.fmt(f))
    }
}

impl Display for Href<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("./")?;
        self.0.iter().try_for_each(|&byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                f.write_char(char::from(byte))
            }
            _ => write!(f, "%{byte:02X}"),
        })
    }
}

/// A part of a name, as it is shown.
enum Piece {
    Character(char),
    /// A character that would not be seen, or would hide others.
    Invisible(char),
    /// A control character, or a byte that is no UTF-8.
    Byte(u8),
}

impl Display for Piece {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Piece::Character(character) => character_reference(character, f),
            Piece::Invisible(character) => write!(f, "\\u{{{:X}}}", u32::from(character)),
            Piece::Byte(byte) => write!(f, "\\x{byte:02X}"),
        }
    }
}

/// A character as HTML writes it, in text and in attributes alike.
fn character_reference(character: char, f: &mut Formatter<'_>) -> fmt::Result {
    match character {
        '<' => f.write_str("&lt;"),
        '>' => f.write_str("&gt;"),
        '&' => f.write_str("&amp;"),
        '"' => f.write_str("&quot;"),
        '\'' => f.write_str("&#39;"),
        other => f.write_char(other),
    }
}

fn pieces(name: &[u8]) -> impl Iterator<Item = Piece> {
    name.utf8_chunks().flat_map(|chunk| {
        let characters = chunk.valid().chars().map(|character| match character {
            '\0'..='\x1f' | '\x7f' => Piece::Byte(character as u8),
            other if is_invisible(other) => Piece::Invisible(other),
            other => Piece::Character(other),
        });
        characters.chain(chunk.invalid().iter().map(|&byte| Piece::Byte(byte)))
    })
}

/// C1 controls, what changes direction (UAX 9), what has no width, spaces that are wider or narrower than they look, ends of
/// lines and paragraphs, and characters that stand for nothing. Joiners are not among them: emoji need them.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{80}'..='\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{1680}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180e}' | '\u{2000}'..='\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}'
        | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e001f}' | '\u{f0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a browser makes of an escaped path segment.
    fn decoded(href: &str) -> Vec<u8> {
        let mut bytes = href.strip_prefix("./").unwrap().bytes();
        let mut name = Vec::new();
        while let Some(byte) = bytes.next() {
            let mut digits = || [bytes.next().unwrap(), bytes.next().unwrap()];
            name.push(if byte == b'%' { from_hexadecimal(digits()) } else { byte });
        }
        name
    }

    fn from_hexadecimal(digits: [u8; 2]) -> u8 {
        u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
    }

    #[test]
    fn names_that_look_like_other_links_stay_names() {
        let names = [
            ("javascript:alert(1)", "./javascript%3Aalert%281%29"),
            ("//evil", "./%2F%2Fevil"),
            ("?x", "./%3Fx"),
            ("#y", "./%23y"),
            ("%2e%2e", "./%252e%252e"),
            (" a", "./%20a"),
            ("a\\b", "./a%5Cb"),
            ("ä~-._", "./%C3%A4~-._"),
        ];
        for (name, href) in names {
            assert_eq!(Href(name.as_bytes()).to_string(), href);
        }
    }

    #[test]
    fn text_is_shown_and_markup_is_not_made() {
        assert_eq!(
            Plain(b"<b a=\"1\" c='2'>&amp;").to_string(),
            "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;"
        );
        assert_eq!(Text("ä b".as_bytes()).to_string(), "<bdi>ä b</bdi>");
    }

    #[test]
    fn what_cannot_be_seen_is_spelled_out_and_marked() {
        assert_eq!(Text(b"a\n\xffb").to_string(), "<bdi>a<span class=odd>\\x0A\\xFF</span>b</bdi>");
        let reversed = "\u{202e}gpj.exe".as_bytes();
        assert_eq!(Text(reversed).to_string(), "<bdi><span class=odd>\\u{202E}</span>gpj.exe</bdi>");
        assert_eq!(Plain("\u{feff}\u{85}".as_bytes()).to_string(), "\\u{FEFF}\\u{85}");
        let family = "👩\u{200d}👧";
        assert_eq!(Plain(family.as_bytes()).to_string(), family);
    }

    #[test]
    fn every_byte_alone_is_escaped_or_harmless() {
        for byte in 1..=255_u8 {
            check(&[byte]).unwrap();
        }
    }

    /// No markup but ours, no control character, and a link that leads back to the name.
    fn check(name: &[u8]) -> Result<(), TestCaseError> {
        let text = Text(name).to_string();
        let bare = text.replace("<bdi>", "").replace("</bdi>", "");
        let bare = bare.replace("<span class=odd>", "").replace("</span>", "");
        let plain = Plain(name).to_string();
        prop_assert_eq!(&bare, &plain);
        prop_assert!(
            !plain.contains(['<', '>', '"', '\'']) && !plain.contains(char::is_control),
            "{}",
            plain
        );
        let references = ["&lt;", "&gt;", "&amp;", "&quot;", "&#39;"];
        prop_assert!(
            plain
                .match_indices('&')
                .all(|(at, _)| references.iter().any(|known| plain[at..].starts_with(known)))
        );
        let href = Href(name).to_string();
        prop_assert!(href.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"%-._~/".contains(&byte)));
        prop_assert_eq!(href.matches('/').count(), 1);
        prop_assert_eq!(decoded(&href), name);
        Ok(())
    }

    proptest! {
        #[test]
        fn any_name_is_shown_without_markup_and_linked_exactly(name in proptest::collection::vec(1_u8.., 0..255)) {
            check(&name)?;
        }

        #[test]
        fn any_text_is_shown_without_markup_and_linked_exactly(name in "[<>\"'&\\PC\u{200e}\u{202e}\n]{0,80}") {
            check(name.as_bytes())?;
        }
    }
}
