//! What can be wrong with a header block.

/// One row an error: its doc and its `Display` come from it.
macro_rules! errors {
    ($($name:ident $says:literal;)*) => {
        /// What is wrong with a header block. Each is a connection error of type COMPRESSION_ERROR (RFC 9113 section 4.3): the two dynamic tables
        /// are no longer the same, so nothing that follows could be understood.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        #[repr(u8)]
        pub enum Error {
            $(#[doc = concat!("A header block is refused: ", $says, ".")] $name,)*
        }

        impl Error {
            /// Every error there is.
            pub const ALL: &[Error] = &[$(Error::$name),*];

            /// What is wrong, as a clause without a full stop.
            pub const fn message(self) -> &'static str {
                match self { $(Error::$name => $says,)* }
            }
        }
    };
}

errors! {
    Truncated "the header block ends within a field";
    IntegerTooLarge "an integer of the header block is beyond all that it could count";
    InvalidIndex "the header block names an entry that neither table has";
    EndOfString "a Huffman-coded string holds the code for its end";
    InvalidPadding "a Huffman-coded string is padded with more than seven bits, or with others than ones";
    SizeTooLarge "the dynamic table is to be larger than was agreed";
    LateSizeUpdate "the dynamic table's size is changed behind a field";
    TooManySizeUpdates "the dynamic table's size is changed more than twice in one header block";
    MissingSizeUpdate "the dynamic table was to become smaller, and the header block does not say so";
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for Error {}
