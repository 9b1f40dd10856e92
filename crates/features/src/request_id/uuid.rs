//! UUIDs of version 7 (RFC 9562, 5.7): those that were made later sort behind.

use crate::random::Random;

/// How long the text of one is.
pub(super) const UUID_BYTES: usize = 36;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Where hyphens stand.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// The text of a new one: 48 bits of time, 74 of chance.
pub(super) fn uuid(unix_milliseconds: u64, random: &mut Random) -> [u8; UUID_BYTES] {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&unix_milliseconds.to_be_bytes()[2..]);
    bytes[6..].copy_from_slice(&random.bytes::<10>());
    bytes[6] = 0x70 | bytes[6] & 0x0f; // the version
    bytes[8] = 0x80 | bytes[8] & 0x3f; // the variant
    let mut text = [b'-'; UUID_BYTES];
    let mut place = 0;
    for byte in bytes {
        if HYPHENS.contains(&place) {
            place += 1;
        }
        text[place] = DIGITS[usize::from(byte >> 4)];
        text[place + 1] = DIGITS[usize::from(byte & 0x0f)];
        place += 2;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_9562_has_its_time_version_and_variant_where_ours_have_them() {
        // RFC 9562, A.6: 017F22E2-79B0-7CC3-98C4-DC0C0C07398F, of 2022-02-22 19:22:22 UTC.
        let text = uuid(0x017f_22e2_79b0, &mut Random::new(Some(1)));
        let text = std::str::from_utf8(&text).expect("ASCII");
        assert!(text.starts_with("017f22e2-79b0-7"), "{text}");
        assert!("89ab".contains(&text[19..20]), "{text}");
        let hyphens: Vec<_> = text.match_indices('-').map(|(place, _)| place).collect();
        assert_eq!(hyphens, HYPHENS);
        assert!(text.bytes().all(|byte| byte == b'-' || DIGITS.contains(&byte)), "{text}");
    }

    #[test]
    fn what_is_made_later_sorts_behind_and_none_is_made_twice() {
        let mut random = Random::new(None);
        let all: Vec<_> = (0..1000).map(|time| uuid(1_700_000_000_000 + time, &mut random)).collect();
        assert!(all.is_sorted());
        let at_once: std::collections::HashSet<_> = (0..1000).map(|_| uuid(5, &mut random)).collect();
        assert_eq!(at_once.len(), 1000);
    }
}
