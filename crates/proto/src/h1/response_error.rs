//! What an upstream can do wrong: [`Error`]'s counterpart in the client role.

use super::error::Error;

/// `shared` are the faults that both roles find with the same code, and `alike` those that each finds with its own: they are named, and told,
/// as [`Error`] does it. `own` are the faults that only responses can have, one row each.
macro_rules! response_errors {
    (shared { $($shared:ident)* } alike { $($alike:ident)* } own { $($name:ident $says:literal;)* }) => {
        /// What was wrong with lines, fields or chunks, whoever sent them: found by what both roles read with, and told as
        /// the role's own error.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(super) enum Malformed {
            $($shared,)*
        }

        impl From<Malformed> for Error {
            #[inline]
            fn from(malformed: Malformed) -> Error {
                match malformed { $(Malformed::$shared => Error::$shared,)* }
            }
        }

        impl From<Malformed> for ResponseError {
            #[inline]
            fn from(malformed: Malformed) -> ResponseError {
                match malformed { $(Malformed::$shared => ResponseError::$shared,)* }
            }
        }

        /// What was wrong with what the server sent, or with when it sent it. After an error the connection is closed, and nothing of
        /// the response can be trusted: a proxy answers 502 (Bad Gateway) if its own answer has not begun, and breaks it off if it has.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        #[repr(u8)]
        pub enum ResponseError {
            $(#[doc = concat!("As [`Error::", stringify!($shared), "`], in a response.")] $shared,)*
            $(#[doc = concat!("As [`Error::", stringify!($alike), "`], in a response.")] $alike,)*
            $(#[doc = concat!("Of responses only: ", $says, ".")] $name,)*
        }

        impl ResponseError {
            /// Every error there is.
            pub const ALL: &[ResponseError] =
                &[$(ResponseError::$shared,)* $(ResponseError::$alike,)* $(ResponseError::$name),*];

            /// What was wrong, as a clause without a full stop.
            pub const fn message(self) -> &'static str {
                match self {
                    $(ResponseError::$shared => Error::$shared.message(),)*
                    $(ResponseError::$alike => Error::$alike.message(),)*
                    $(ResponseError::$name => $says,)*
                }
            }
        }
    };
}

response_errors! {
    shared {
        BareCarriageReturn BareLineFeed ControlByte
        FoldedLine InvalidFieldName SpaceBeforeColon TooManyFields
        InvalidContentLength InvalidTransferCoding UnknownTransferCoding
        InvalidChunkSize ChunkExtensionsTooLarge UnterminatedChunk TrailersTooLarge ForbiddenTrailer
    }
    alike { UnsupportedVersion HeadTooLarge RepeatedContentLength LengthAndCoding }
    own {
        // The status line (RFC 9112 section 4).
        InvalidStatusLine "the status line is not a version, a status code of three digits and a reason phrase";
        InvalidStatus "the status code is not 100 to 599";
        // Framing (RFC 9112 section 6).
        CodingInHttp10 "an HTTP/1.0 response has Transfer-Encoding";
        BodyInInterim "an interim response announces a body";
        // The order of things (RFC 9110 sections 7.8 and 15.2, RFC 9112 sections 9.2 and 9.3).
        TooManyInterimResponses "too many interim responses precede the final one";
        UnaskedSwitch "the protocol is switched though that was not asked for";
        InvalidSwitch "the protocol is switched without Upgrade and Connection saying so, or in HTTP/1.0";
        UnaskedResponse "bytes came while no request was under way";
        // The connection's end (RFC 9112 section 8).
        NoResponse "the connection ended before a byte of the response came";
        IncompleteHead "the connection ended within the response's head";
        IncompleteBody "the connection ended before the response's body did";
    }
}

impl core::fmt::Display for ResponseError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for ResponseError {}

#[cfg(test)]
mod tests {
    use super::ResponseError;
    use alloc::string::ToString;

    #[test]
    fn every_error_has_a_sentence_of_its_own_and_none_speaks_of_requests() {
        for (index, error) in ResponseError::ALL.iter().enumerate() {
            let says = error.to_string();
            assert!(says.len() > 20, "{says}");
            assert!(!says.contains("request") || *error == ResponseError::UnaskedResponse, "{says}");
            assert!(ResponseError::ALL[..index].iter().all(|other| other.message() != says), "{says}");
        }
    }
}
