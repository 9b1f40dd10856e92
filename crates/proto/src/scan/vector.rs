//! The search, once, over whatever holds several bytes and compares them at a time.

use super::naive;

/// Several bytes side by side ("lanes"), compared all at once.
///
/// Comparisons yield a vector whose lanes are all-ones (or, for [`swar`](super::swar), have the high bit set)
/// where they hold; only [`mask`](Vector::mask) looks at those.
pub(crate) trait Vector: Copy {
    /// How many bytes it holds.
    const BYTES: usize;
    /// How many bits of [`mask`](Vector::mask) belong to a byte.
    const BITS_PER_BYTE: usize;
    /// Whether the passes make bitmaps, or else search: [`blocks`](super::blocks) has the figures.
    const HAS_BLOCKS: bool;

    /// The bytes from `bytes[at]` on.
    ///
    /// # Safety
    /// `at + BYTES <= bytes.len()`, and the CPU has what the vector needs.
    unsafe fn load(bytes: &[u8], at: usize) -> Self;
    /// # Safety
    /// The CPU has what the vector needs; so for all that follow.
    unsafe fn equal(self, byte: u8) -> Self;
    /// Lanes not above `byte`, which is below 0x80; lanes count as unsigned.
    /// # Safety
    /// See [`equal`](Vector::equal).
    unsafe fn at_most(self, byte: u8) -> Self;
    /// Lanes minus `byte`, wrapping.
    /// # Safety
    /// See [`equal`](Vector::equal).
    unsafe fn minus(self, byte: u8) -> Self;
    /// # Safety
    /// See [`equal`](Vector::equal).
    unsafe fn or(self, other: Self) -> Self;
    /// # Safety
    /// See [`equal`](Vector::equal).
    unsafe fn or_byte(self, byte: u8) -> Self;
    /// This, without what the other has.
    /// # Safety
    /// See [`equal`](Vector::equal).
    unsafe fn and_not(self, other: Self) -> Self;
    /// A bit for each lane where the comparison held, the first lane lowest.
    /// # Safety
    /// See [`equal`](Vector::equal).
    unsafe fn mask(self) -> u64;
}

/// The mask with a bit for every lane.
const fn all_lanes<V: Vector>() -> u64 {
    let bits = V::BYTES * V::BITS_PER_BYTE;
    let whole = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
    if V::BITS_PER_BYTE == 8 { whole & 0x8080_8080_8080_8080 } else { whole }
}

/// A kind of byte, tested one at a time and many at a time.
pub(super) trait Class {
    /// Whether `outside` is exact. If not, it may name bytes that are inside, and each find must be looked at.
    const EXACT: bool;
    fn contains(byte: u8) -> bool;
    /// A bit for each lane that is outside.
    /// # Safety
    /// The CPU has what the vector needs.
    unsafe fn outside<V: Vector>(vector: V) -> u64;
}

pub(super) struct Token;
pub(super) struct Value;
pub(super) struct Target;
pub(super) struct PlainHost;

impl Class for Token {
    /// Letters, digits and `-` are what nearly all names consist of; the other thirteen are looked up one by one.
    const EXACT: bool = false;

    /// Every name ends in a colon that has to be looked up, so this is a table.
    #[inline(always)]
    fn contains(byte: u8) -> bool {
        static TOKENS: [bool; 256] = {
            let mut table = [false; 256];
            let mut byte = 0;
            while byte < 256 {
                table[byte] = naive::is_token(byte as u8);
                byte += 1;
            }
            table
        };
        TOKENS[usize::from(byte)]
    }

    #[inline(always)]
    unsafe fn outside<V: Vector>(vector: V) -> u64 {
        // SAFETY: our caller's promise is theirs.
        unsafe {
            let letters = vector.or_byte(0x20).minus(b'a').at_most(25);
            let digits = vector.minus(b'0').at_most(9);
            letters.or(digits).or(vector.equal(b'-')).mask() ^ all_lanes::<V>()
        }
    }
}

impl Class for PlainHost {
    const EXACT: bool = true;

    fn contains(byte: u8) -> bool {
        naive::is_plain_host(byte)
    }

    #[inline(always)]
    unsafe fn outside<V: Vector>(vector: V) -> u64 {
        // SAFETY: our caller's promise is theirs.
        unsafe {
            let letters = vector.or_byte(0x20).minus(b'a').at_most(25);
            let digits = vector.minus(b'0').at_most(9);
            let marks = vector.minus(b'-').at_most(1);
            letters.or(digits).or(marks).mask() ^ all_lanes::<V>()
        }
    }
}

impl Class for Value {
    const EXACT: bool = true;

    fn contains(byte: u8) -> bool {
        naive::is_value(byte)
    }

    #[inline(always)]
    unsafe fn outside<V: Vector>(vector: V) -> u64 {
        // SAFETY: our caller's promise is theirs.
        unsafe { vector.at_most(0x1f).and_not(vector.equal(b'\t')).or(vector.equal(0x7f)).mask() }
    }
}

impl Class for Target {
    const EXACT: bool = true;

    fn contains(byte: u8) -> bool {
        naive::is_target(byte)
    }

    #[inline(always)]
    unsafe fn outside<V: Vector>(vector: V) -> u64 {
        // SAFETY: our caller's promise is theirs.
        unsafe {
            let visible = vector.minus(0x21).at_most(0x7e - 0x21);
            visible.and_not(vector.equal(b'?').or(vector.equal(b'#'))).mask() ^ all_lanes::<V>()
        }
    }
}

/// The offset, at or after `from`, of the first byte outside the class; `bytes.len()` if there is none.
///
/// The last bytes are looked at through a vector that ends where the slice ends and overlaps what was already
/// seen; only a slice shorter than one vector is searched byte by byte.
///
/// # Safety
/// The CPU has what the vector needs.
#[inline(always)]
pub(super) unsafe fn end<V: Vector, C: Class>(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < bytes.len() {
        let Some(load_at) = load_offset::<V>(bytes, at) else {
            return naive::end(C::contains, bytes, at);
        };
        // SAFETY: `load_offset` leaves `BYTES` bytes after `load_at`; our caller promises the CPU.
        let outside = unsafe { C::outside(V::load(bytes, load_at)) };
        let unseen = outside >> ((at - load_at) * V::BITS_PER_BYTE);
        if unseen == 0 {
            at = load_at + V::BYTES;
            continue;
        }
        at += unseen.trailing_zeros() as usize / V::BITS_PER_BYTE;
        if C::EXACT || !C::contains(bytes[at]) {
            return at;
        }
        at += 1;
    }
    bytes.len().max(from)
}

/// Where to load a vector that covers `at`: there, or as far before it as the slice's end asks. `None` if the
/// slice is too short for any.
#[inline(always)]
fn load_offset<V: Vector>(bytes: &[u8], at: usize) -> Option<usize> {
    let last = bytes.len().checked_sub(V::BYTES)?;
    Some(at.min(last))
}
