//! Whether bytes are UTF-8 (RFC 3629), piece by piece: what breaks it is noticed within the piece that does, and at the byte that does.
//!
//! What of a piece is whole is looked at as the level can: by AVX2 with the lookup algorithm, else by the standard library, which skips ASCII by words. GiB a second for
//! 16 KiB in the cache, on an AMD EPYC that had other work meanwhile (`cargo bench -p gannet-proto --bench websocket`):
//!
//! | | ASCII | German | Japanese |
//! |---|---|---|---|
//! | AVX2 | 23 | 8.3 | 8.5 |
//! | the standard library | 23 | 1.3 | 1.2 |

use super::Level;

/// Text of which a part has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Utf8 {
    /// How many bytes the character that has begun is still to have.
    wanted: u8,
    /// The least that the next of them may be, and the most.
    least: u8,
    most: u8,
}

/// These bytes are not UTF-8, whatever follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotUtf8;

impl Utf8 {
    /// Nothing has come.
    pub const START: Utf8 = Utf8 { wanted: 0, least: 0x80, most: 0xbf };

    /// Whether what has come ends with a character's end.
    pub fn is_whole(self) -> bool {
        self.wanted == 0
    }

    /// More of the text.
    ///
    /// # Errors
    /// No text begins with what has come.
    #[inline]
    pub fn push(&mut self, level: Level, bytes: &[u8]) -> Result<(), NotUtf8> {
        let mut rest = bytes;
        while let (true, Some((byte, behind))) = (self.wanted > 0, rest.split_first()) {
            self.step(*byte)?;
            rest = behind;
        }
        let (whole, begun) = rest.split_at(rest.len() - begun_bytes(rest));
        if !level.is_utf8(whole) {
            return Err(NotUtf8);
        }
        begun.iter().try_for_each(|byte| self.step(*byte))
    }

    /// One byte more (RFC 3629 section 4 is this table).
    fn step(&mut self, byte: u8) -> Result<(), NotUtf8> {
        if self.wanted > 0 {
            let is_next = (self.least..=self.most).contains(&byte);
            *self = Utf8 { wanted: self.wanted - 1, ..Utf8::START };
            return if is_next { Ok(()) } else { Err(NotUtf8) };
        }
        let (wanted, least, most) = match byte {
            0..=0x7f => (0, 0x80, 0xbf),
            0xc2..=0xdf => (1, 0x80, 0xbf),
            0xe0 => (2, 0xa0, 0xbf),
            0xed => (2, 0x80, 0x9f),
            0xe1..=0xef => (2, 0x80, 0xbf),
            0xf0 => (3, 0x90, 0xbf),
            0xf1..=0xf3 => (3, 0x80, 0xbf),
            0xf4 => (3, 0x80, 0x8f),
            _ => return Err(NotUtf8),
        };
        *self = Utf8 { wanted, least, most };
        Ok(())
    }
}

/// How many bytes at the end are of a character that is not whole.
#[inline]
fn begun_bytes(bytes: &[u8]) -> usize {
    for (behind, byte) in bytes.iter().rev().take(3).enumerate() {
        let length = match byte {
            0..=0x7f => return 0,
            0x80..=0xbf => continue,
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            _ => 4,
        };
        return if behind + 1 < length { behind + 1 } else { 0 };
    }
    0
}

impl Level {
    /// Whether the bytes are UTF-8.
    #[inline]
    pub fn is_utf8(self, bytes: &[u8]) -> bool {
        /// Below this the look at whole vectors costs more than it saves.
        #[cfg(target_arch = "x86_64")]
        const SHORT_BYTES: usize = 64;
        #[cfg(target_arch = "x86_64")]
        if self.0 == super::Kind::Avx2 && bytes.len() >= SHORT_BYTES {
            // SAFETY: this kind is only made where the CPU was seen to have AVX2.
            return unsafe { super::x86_utf8::is_utf8(bytes) };
        }
        // It looks at ASCII by two words at a time, and at the rest by a table.
        core::str::from_utf8(bytes).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{NotUtf8, Utf8};
    use crate::scan::Level;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    /// The oracle: what a prefix may be the beginning of.
    fn expected(bytes: &[u8]) -> Result<bool, NotUtf8> {
        match core::str::from_utf8(bytes) {
            Ok(_) => Ok(true),
            Err(error) if error.error_len().is_none() => Ok(false),
            Err(_) => Err(NotUtf8),
        }
    }

    fn pushed<'a>(level: Level, pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<bool, NotUtf8> {
        let mut text = Utf8::START;
        for piece in pieces {
            text.push(level, piece)?;
        }
        Ok(text.is_whole())
    }

    fn agree(levels: &[Level], bytes: &[u8]) {
        for &level in levels {
            assert_eq!(level.is_utf8(bytes), core::str::from_utf8(bytes).is_ok(), "{}", bytes.escape_ascii());
            assert_eq!(pushed(level, [bytes]), expected(bytes), "{} {}", level.name(), bytes.escape_ascii());
            assert_eq!(pushed(level, bytes.chunks(1)), expected(bytes), "{}", bytes.escape_ascii());
        }
    }

    /// In every place of a vector, among characters of one byte and of more.
    fn agree_anywhere(levels: &[Level], piece: &[u8]) {
        for length in 0..100 {
            for around in ["a", "é", "→", "😀"] {
                let before: Vec<u8> =
                    around.bytes().cycle().take(length / around.len() * around.len()).collect();
                agree(levels, &[&before[..], piece].concat());
                agree(levels, &[&before[..], piece, around.repeat(20).as_bytes()].concat());
            }
        }
    }

    #[test]
    fn every_pair_of_bytes_is_what_the_standard_library_says_it_is() {
        let levels = &Vec::from_iter(Level::available())[..];
        let mut bytes = [b'a'; 96];
        for first in 0..=255 {
            for second in 0..=255 {
                for at in [0, 31, 63, 94] {
                    bytes[at..at + 2].copy_from_slice(&[first, second]);
                    let is_utf8 = core::str::from_utf8(&bytes).is_ok();
                    assert!(
                        levels.iter().all(|level| level.is_utf8(&bytes) == is_utf8),
                        "{first:#x} {second:#x}"
                    );
                    bytes[at..at + 2].copy_from_slice(b"aa");
                }
                agree(levels, &[first, second]);
            }
        }
    }

    #[test]
    fn every_kind_of_mistake_is_found_in_every_place() {
        let levels = &Vec::from_iter(Level::available())[..];
        for mistake in [
            &b"\x80"[..],
            b"\xc0\xaf",
            b"\xc1\xbf",
            b"\xc3",
            b"\xe0\x9f\xbf",
            b"\xe2\x82",
            b"\xed\xa0\x80",
            b"\xed\xbf\xbf",
            b"\xef\xbf",
            b"\xf0\x8f\xbf\xbf",
            b"\xf0\x9f\x98",
            b"\xf4\x90\x80\x80",
            b"\xf5\x80\x80\x80",
            b"\xf8\x88\x80\x80\x80",
            b"\xff",
        ] {
            agree_anywhere(levels, mistake);
        }
    }

    #[test]
    fn the_first_and_the_last_character_of_each_length_are_text() {
        let levels = &Vec::from_iter(Level::available())[..];
        for text in [
            "\0",
            "\u{7f}",
            "\u{80}",
            "\u{7ff}",
            "\u{800}",
            "\u{d7ff}",
            "\u{e000}",
            "\u{ffff}",
            "\u{10000}",
            "\u{10ffff}",
        ] {
            agree_anywhere(levels, text.as_bytes());
            assert!(levels.iter().all(|level| level.is_utf8(text.as_bytes())));
        }
    }

    #[test]
    fn a_mistake_is_noticed_at_the_byte_that_makes_it() {
        let levels = &Vec::from_iter(Level::available())[..];
        for &level in levels {
            let mut text = Utf8::START;
            assert_eq!(text.push(level, b"\xf4"), Ok(()));
            assert_eq!(text.push(level, b"\x90"), Err(NotUtf8));
            let mut text = Utf8::START;
            assert_eq!(text.push(level, b"a long beginning, and then a surrogate: \xed"), Ok(()));
            assert_eq!(text.push(level, b"\xa0"), Err(NotUtf8));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_give_the_same(
            bytes in prop::collection::vec(any::<u8>(), 0..=200), piece in 1_usize..80,
        ) {
        let levels = &Vec::from_iter(Level::available())[..];
            agree(levels, &bytes);
            for &level in levels {
                prop_assert_eq!(pushed(level, bytes.chunks(piece)), expected(&bytes));
            }
        }

        #[test]
        fn text_with_a_byte_that_was_changed_gives_the_same(
            text in "[a-zé→😀\u{7ff}\u{800}\u{ffff}\u{10ffff}]{0,90}", at: prop::sample::Index, byte: u8, piece in 1_usize..80,
        ) {
        let levels = &Vec::from_iter(Level::available())[..];
            let mut bytes = text.into_bytes();
            agree(levels, &bytes);
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            agree(levels, &bytes);
            for &level in levels {
                prop_assert_eq!(pushed(level, bytes.chunks(piece)), expected(&bytes));
            }
        }
    }
}
