//! What a peer may ask of a connection: one table, from which the struct, its defaults and the reference come.
//!
//! A row holds for requests, for responses, or for both: so each has an error for the role, or the roles, that can meet it.

use crate::h1::{Error, ResponseError};

/// One limit, for those who print or check the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The limit's name: the field of [`Limits`], and the word for it in every configuration.
    pub name: &'static str,
    /// What holds unless someone says otherwise.
    pub default: u32,
    /// The most it can be set to; a larger value counts as this one.
    pub most: u32,
    /// What it counts.
    pub unit: &'static str,
    /// What a request is that goes beyond it, if requests can. [`Error::status`] answers it.
    pub request: Option<Error>,
    /// What a response is that goes beyond it, if responses can.
    pub response: Option<ResponseError>,
    /// Why there is a limit, and why this one.
    pub reason: &'static str,
}

macro_rules! error {
    ($enum:ident none) => {
        None
    };
    ($enum:ident $name:ident) => {
        Some($enum::$name)
    };
}

macro_rules! limits {
    ($($name:ident: $type:ty = $default:literal, at most $most:literal $unit:literal,
        request $request:ident, response $response:ident, $reason:literal;)*) => {
        /// What a peer may ask of a connection. The fields may be set freely; beyond a row's `most`, the most holds.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct Limits {
            $(#[doc = concat!("In ", $unit, "; default ", $default, ". ", $reason)] pub $name: $type,)*
        }

        /// Every limit of [`Limits`], in its order.
        pub const TABLE: &[Row] = &[$(Row {
            name: stringify!($name),
            default: $default,
            most: $most,
            unit: $unit,
            request: error!(Error $request),
            response: error!(ResponseError $response),
            reason: $reason,
        }),*];

        impl Default for Limits {
            fn default() -> Limits {
                Limits { $($name: $default),* }
            }
        }

        impl Limits {
            /// These limits, none of them beyond its row's `most`.
            #[inline]
            pub(crate) fn bounded(self) -> Limits {
                Limits { $($name: if self.$name as u32 > $most { $most } else { self.$name }),* }
            }
        }
    };
}

limits! {
    head_bytes: u16 = 32768, at most 65535 "bytes",
        request HeadTooLarge, response HeadTooLarge,
        "A head is held in memory until it is whole, and offsets into it are 16 bits wide.";
    method_bytes: u16 = 32, at most 1024 "bytes",
        request MethodTooLong, response none,
        "The longest registered method has 17 bytes (RFC 9112 section 3 wants 501 for longer ones).";
    target_bytes: u16 = 8192, at most 65535 "bytes",
        request TargetTooLong, response none,
        "RFC 9112 section 3 recommends 8000 at the least; longer ones are mistakes or attacks.";
    fields: u16 = 128, at most 65535 "field lines",
        request TooManyFields, response TooManyFields,
        "Browsers send about 20. Looking fields up is linear. Counts the head and the trailers each.";
    empty_lines: u8 = 2, at most 255 "lines",
        request TooManyEmptyLines, response none,
        "RFC 9112 section 2.2 wants one tolerated, for old clients that send one after a body.";
    chunk_extension_bytes: u32 = 4096, at most 16384 "bytes per body",
        request ChunkExtensionsTooLarge, response ChunkExtensionsTooLarge,
        "Nobody uses them, and they would let a body of one byte a chunk be mostly waste.";
    trailer_bytes: u16 = 8192, at most 32768 "bytes",
        request TrailersTooLarge, response TrailersTooLarge,
        "Trailers are held in memory until they are whole, after the body was already served.";
    interim_responses: u8 = 16, at most 255 "responses",
        request none, response TooManyInterimResponses,
        "Each renews what a client waits for; servers send one or two (100, 103) before the final response.";
}

#[cfg(test)]
mod tests {
    use super::{Limits, TABLE};

    #[test]
    fn every_default_lies_within_what_can_be_set() {
        for row in TABLE {
            assert!(row.default <= row.most, "{}", row.name);
            assert!(!row.reason.is_empty() && !row.unit.is_empty());
        }
        assert_eq!(Limits::default().bounded(), Limits::default());
    }

    #[test]
    fn a_value_beyond_the_most_counts_as_the_most() {
        let limits = Limits { trailer_bytes: u16::MAX, chunk_extension_bytes: u32::MAX, ..Limits::default() };
        assert_eq!(limits.bounded().trailer_bytes, 32_768);
        assert_eq!(limits.bounded().chunk_extension_bytes, 16_384);
    }
}
