//! What can be wrong with a header.

/// One row an error: its doc and its `Display` come from it.
macro_rules! errors {
    ($($name:ident $says:literal;)*) => {
        /// What was wrong with a header. The connection is closed without an answer.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        #[repr(u8)]
        pub enum Error {
            $(#[doc = concat!("Namely: ", $says, ".")] $name,)*
        }

        impl Error {
            /// Every error there is.
            pub const ALL: &[Error] = &[$(Error::$name),*];

            /// What was wrong, as a clause without a full stop.
            pub const fn message(self) -> &'static str {
                match self { $(Error::$name => $says,)* }
            }
        }
    };
}

errors! {
    Missing "the connection does not begin with a header of the PROXY protocol";
    // Version 1 (section 2.1).
    UnknownProtocol "the PROXY line names neither TCP4, TCP6 nor UNKNOWN";
    InvalidAddress "the PROXY line has an address that is none of the family it names";
    InvalidPort "the PROXY line has a port that is no decimal number below 65536";
    UnterminatedLine "the PROXY line does not end in CRLF where it should";
    LineTooLong "the PROXY line is longer than 107 bytes";
    // Version 2 (section 2.2).
    UnsupportedVersion "the binary PROXY header is of a version other than 2";
    UnknownCommand "the binary PROXY header's command is neither LOCAL nor PROXY";
    UnknownFamily "the binary PROXY header has a family or a transport that does not exist";
    TooShort "the binary PROXY header is too short for the addresses that it announces";
    TooLong "the binary PROXY header is longer than 4096 bytes";
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for Error {}
