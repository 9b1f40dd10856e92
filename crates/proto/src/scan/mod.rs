//! Bytes, many at a time: where a run of bytes of one kind ends, which is what parsers look at every byte for; masking; whether bytes are UTF-8.
//!
//! Four kinds matter (see [`naive`], which defines them): the bytes of a token, of a field value, of a target, of most hosts.
//! The search is written once over a vector and built for each [`Level`] of CPU; [`naive`] is its oracle. Fields are
//! many short runs, so there the searches share what they saw: `blocks` says how, and what it is worth. What WebSocket needs is in `mask` and `utf8`, with figures.
//! This module holds the crate's only `unsafe`: unaligned loads and stores that stay inside the slice, or what was reserved behind a vector's end, and calls of
//! functions built for CPU features that the level proves to be there; and text of bytes that were seen to be [`ascii`].
#![expect(unsafe_code, reason = "loads, stores and CPU features, as said above")]

mod ascii;
mod blocks;
mod mask;
pub mod naive;
mod swar;
mod utf8;
mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;
#[cfg(target_arch = "x86_64")]
mod x86_utf8;

pub use ascii::ascii;
pub(crate) use blocks::{Blocks, Pass};
pub use utf8::{NotUtf8, Utf8};
pub(crate) use vector::Vector;

/// How many bytes at a time the scanner may look at.
///
/// The levels that need a CPU feature can only be had where the CPU has it, so holding one proves that it is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Level(Kind);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// Eight bytes in a general register: everywhere.
    Swar,
    /// Sixteen bytes: every x86-64.
    #[cfg(target_arch = "x86_64")]
    Sse2,
    /// Thirty-two bytes, and the instructions on bits (BMI) that came with them: most x86-64 since 2013.
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Level {
    /// Eight bytes in a general register: there on every CPU.
    pub const SWAR: Level = Level(Kind::Swar);

    /// Sixteen bytes: there on every x86-64.
    #[cfg(target_arch = "x86_64")]
    pub const SSE2: Level = Level(Kind::Sse2);

    /// The best that every CPU of the target has.
    pub const BASELINE: Level = {
        #[cfg(target_arch = "x86_64")]
        {
            Level::SSE2
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            Level::SWAR
        }
    };

    /// The best that this CPU has. Asking a CPU is slow in a virtual machine (tens of microseconds): ask once, at
    /// the start, and keep the answer.
    pub fn detect() -> Level {
        #[cfg(target_arch = "x86_64")]
        if x86::has_avx2() {
            return Level(Kind::Avx2);
        }
        Level::BASELINE
    }

    /// Every level that this CPU has, the simplest first.
    pub fn available() -> impl Iterator<Item = Level> {
        let best = Level::detect();
        let baseline = (Level::BASELINE != Level::SWAR).then_some(Level::BASELINE);
        [Some(Level::SWAR), baseline, (best != Level::BASELINE).then_some(best)].into_iter().flatten()
    }

    /// The level's name, for logs.
    pub const fn name(self) -> &'static str {
        match self.0 {
            Kind::Swar => "swar",
            #[cfg(target_arch = "x86_64")]
            Kind::Sse2 => "sse2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
        }
    }
}

impl Default for Level {
    /// [`Level::BASELINE`].
    fn default() -> Level {
        Level::BASELINE
    }
}

impl Level {
    /// Reads `bytes` in one pass.
    #[inline(always)]
    pub(crate) fn pass<P: Pass>(self, bytes: &[u8], pass: P) -> P::Output {
        match self.0 {
            // SAFETY: the vector is an ordinary integer.
            Kind::Swar => pass.over(unsafe { Blocks::<swar::Word>::new(bytes) }),
            // SAFETY: SSE2 is part of x86-64.
            #[cfg(target_arch = "x86_64")]
            Kind::Sse2 => pass.over(unsafe { Blocks::<x86::Sse2>::new(bytes) }),
            // SAFETY: this kind is only made where the CPU was seen to have AVX2 and BMI.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { x86::avx2::pass(bytes, pass) },
        }
    }
}

/// One search: its documentation, its name, its kind of byte, and what it is built for where there is AVX2. Names and
/// methods are short: there a call to a function that may use AVX2 costs more than the wider vector saves.
macro_rules! searches {
    ($($(#[$doc:meta])* $name:ident $class:ident $avx2:ident;)*) => {
        impl Level {
            $(
                $(#[$doc])*
                #[inline(always)]
                #[allow(unused_unsafe, reason = "the search that is built for SSE2 asks for nothing")]
                pub fn $name(self, bytes: &[u8], from: usize) -> usize {
                    match self.0 {
                        // SAFETY: the vector is an ordinary integer.
                        Kind::Swar => unsafe { vector::end::<swar::Word, vector::$class>(bytes, from) },
                        // SAFETY: SSE2 is part of x86-64.
                        #[cfg(target_arch = "x86_64")]
                        Kind::Sse2 => unsafe { vector::end::<x86::Sse2, vector::$class>(bytes, from) },
                        // SAFETY: this kind is only made where the CPU was seen to have AVX2, and has SSE2 anyway.
                        #[cfg(target_arch = "x86_64")]
                        Kind::Avx2 => unsafe { x86::$avx2::$name(bytes, from) },
                    }
                }
            )*
        }
    };
}

searches! {
    /// The offset, at or after `from`, of the first byte that no token has; `bytes.len()` if there is none.
    token_end Token sse2;
    /// The offset, at or after `from`, of the first byte that no field value has; `bytes.len()` if there is none.
    value_end Value avx2;
    /// The offset, at or after `from`, of the first byte that is no part of a path or a piece of a query;
    /// `bytes.len()` if there is none. It stops at `?` and `#` too.
    target_end Target avx2;
    /// The offset, at or after `from`, of the first byte that is no letter, digit, dot or hyphen; `bytes.len()` if there
    /// is none.
    plain_host_end PlainHost sse2;
}
