//! Texts of clients in lines of logs: whatever bytes a client sends, a line stays one line, and a field of it one field.

/// Appends `text` as a quoted field of the combined format has it: what is no printable ASCII, quotes and backslashes as `\xHH`.
pub(crate) fn quoted(text: &[u8], out: &mut Vec<u8>) {
    if text.iter().fold(true, |plain, byte| plain & is_plain(*byte)) {
        out.extend_from_slice(text);
        return;
    }
    for byte in text {
        if is_plain(*byte) {
            out.push(*byte);
        } else {
            hexadecimal(b"\\x", *byte, out);
        }
    }
}

/// Appends `text` as a JSON string has it (RFC 8259, 7), without its quotes: quotes and backslashes behind a backslash, control
/// characters as `\u00HH`. A byte that is no UTF-8 becomes the text `\xHH`, whose backslash JSON writes twice.
pub(crate) fn json(text: &[u8], out: &mut Vec<u8>) {
    if text.iter().fold(true, |plain, byte| plain & is_plain(*byte)) {
        out.extend_from_slice(text);
        return;
    }
    for piece in text.utf8_chunks() {
        for character in piece.valid().chars() {
            match character {
                '"' | '\\' => out.extend_from_slice(&[b'\\', character as u8]),
                control if control.is_control() => hexadecimal(b"\\u00", control as u8, out),
                character => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        piece.invalid().iter().for_each(|byte| hexadecimal(b"\\\\x", *byte, out));
    }
}

/// Whether it stands for itself everywhere: printable ASCII but the quote and the backslash. (Without branches, so that the
/// compiler looks at sixteen bytes at once.)
#[inline]
fn is_plain(byte: u8) -> bool {
    (b' '..0x7f).contains(&byte) & (byte != b'"') & (byte != b'\\')
}

fn hexadecimal(before: &[u8], byte: u8, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.extend_from_slice(before);
    out.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
}

/// Appends a decimal number of at least `digits` digits.
pub(crate) fn decimal(mut number: u64, digits: usize, out: &mut Vec<u8>) {
    let mut room = [b'0'; 20];
    let mut at = room.len();
    while number > 0 {
        at -= 1;
        room[at] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    out.extend_from_slice(&room[at.min(room.len() - digits)..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: fn(&[u8], &mut Vec<u8>), text: &[u8]) -> String {
        let mut out = Vec::new();
        write(text, &mut out);
        String::from_utf8(out).expect("lines are UTF-8")
    }

    #[test]
    fn every_byte_that_could_end_a_field_or_a_line_is_escaped_in_the_combined_format() {
        assert_eq!(written(quoted, b"a b~!"), "a b~!");
        assert_eq!(written(quoted, b"\"\\\r\n\0\x7f\x80\xc3\xbc"), r"\x22\x5C\x0D\x0A\x00\x7F\x80\xC3\xBC");
        for byte in 0..=u8::MAX {
            let text = written(quoted, &[byte]);
            assert!(text.bytes().all(|byte| (b' '..0x7f).contains(&byte) && byte != b'"'), "{byte}: {text}");
        }
    }

    #[test]
    fn a_json_string_says_every_character_and_names_what_is_none() {
        assert_eq!(written(json, "ü\"\\\n\u{85}\u{1F980}".as_bytes()), "ü\\\"\\\\\\u000A\\u0085\u{1F980}");
        assert_eq!(written(json, b"a\xffb"), r"a\\xFFb");
    }

    #[test]
    fn numbers_have_the_digits_they_need_and_no_fewer_than_asked() {
        let number = |number, digits| {
            let mut out = Vec::new();
            decimal(number, digits, &mut out);
            String::from_utf8(out).expect("digits")
        };
        assert_eq!((number(0, 1), number(7, 3), number(1234, 3)), ("0".into(), "007".into(), "1234".into()));
        assert_eq!(number(u64::MAX, 1), u64::MAX.to_string());
    }
}
