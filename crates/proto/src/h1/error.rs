//! What a peer can do wrong, and the status that answers it.

use crate::http::Status;

/// One row an error: its doc, its `Display` and its status come from it.
macro_rules! errors {
    ($($name:ident $status:ident $says:literal;)*) => {
        /// What was wrong with what the peer sent. After an error the connection answers with
        /// [`status`](Error::status) and closes: where one message's framing is in doubt, so is the next one's.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        #[repr(u8)]
        pub enum Error {
            $(#[doc = concat!("Answered with `", stringify!($status), "`: ", $says, ".")] $name,)*
        }

        impl Error {
            /// Every error there is.
            pub const ALL: &[Error] = &[$(Error::$name),*];

            /// The status that answers it.
            pub const fn status(self) -> Status {
                match self { $(Error::$name => Status::$status,)* }
            }

            /// What was wrong, as a clause without a full stop.
            pub const fn message(self) -> &'static str {
                match self { $(Error::$name => $says,)* }
            }
        }
    };
}

errors! {
    // Lines (RFC 9112 section 2.2).
    BareCarriageReturn BAD_REQUEST "a carriage return is not followed by a line feed";
    BareLineFeed BAD_REQUEST "a line feed is not preceded by a carriage return";
    ControlByte BAD_REQUEST "a field value or chunk extension holds a control character";
    TooManyEmptyLines BAD_REQUEST "too many empty lines precede the request line";
    // The request line (RFC 9112 section 3).
    InvalidMethod BAD_REQUEST "the method is not a token followed by one space";
    MethodTooLong NOT_IMPLEMENTED "the method is longer than any that exists";
    InvalidTarget BAD_REQUEST "the request target holds a byte that no URI has, or is empty";
    TargetTooLong URI_TOO_LONG "the request target is too long";
    TargetForm BAD_REQUEST "the request target is not in a form that its method can have";
    InvalidVersion BAD_REQUEST "the request line does not end in a well-formed HTTP version";
    UnsupportedVersion HTTP_VERSION_NOT_SUPPORTED "the HTTP version is neither 1.0 nor 1.1";
    // Fields (RFC 9112 section 5).
    FoldedLine BAD_REQUEST "a line in the fields begins with whitespace";
    InvalidFieldName BAD_REQUEST "a field name is empty or is not a token";
    SpaceBeforeColon BAD_REQUEST "whitespace stands between a field name and its colon";
    TooManyFields REQUEST_HEADER_FIELDS_TOO_LARGE "there are too many fields";
    HeadTooLarge REQUEST_HEADER_FIELDS_TOO_LARGE "the head is too large";
    // Host (RFC 9112 section 3.2).
    MissingHost BAD_REQUEST "an HTTP/1.1 request has no Host field";
    RepeatedHost BAD_REQUEST "there is more than one Host field";
    InvalidAuthority BAD_REQUEST "the host or its port is not valid";
    // Framing (RFC 9112 section 6).
    InvalidContentLength BAD_REQUEST "Content-Length is not one decimal number below 2^64";
    RepeatedContentLength BAD_REQUEST "there is more than one Content-Length field";
    LengthAndCoding BAD_REQUEST "both Content-Length and Transfer-Encoding are given";
    CodingInHttp10 BAD_REQUEST "an HTTP/1.0 request has Transfer-Encoding";
    InvalidTransferCoding BAD_REQUEST "Transfer-Encoding does not end in a single chunked";
    UnknownTransferCoding NOT_IMPLEMENTED "a transfer coding other than chunked is applied";
    ConnectWithBody BAD_REQUEST "a CONNECT request announces a body";
    UnknownExpectation EXPECTATION_FAILED "Expect asks for something other than 100-continue";
    // Chunks (RFC 9112 section 7.1).
    InvalidChunkSize BAD_REQUEST "a chunk size is not one to sixteen hexadecimal digits";
    ChunkExtensionsTooLarge BAD_REQUEST "the chunk extensions are too large";
    UnterminatedChunk BAD_REQUEST "a chunk's data are not followed by a line ending";
    TrailersTooLarge REQUEST_HEADER_FIELDS_TOO_LARGE "the trailer section is too large";
    ForbiddenTrailer BAD_REQUEST "a trailer field has a name that may not stand in trailers";
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::Error;
    use alloc::string::ToString;

    #[test]
    fn every_error_has_a_4xx_or_5xx_status_and_a_sentence_of_its_own() {
        for (index, error) in Error::ALL.iter().enumerate() {
            assert!(error.status().code() >= 400, "{error}");
            assert!(error.to_string().len() > 20);
            assert!(Error::ALL[..index].iter().all(|other| other.message() != error.message()), "{error}");
        }
    }
}
