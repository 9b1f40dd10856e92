//! Requests that were understood well enough to be answered, but not to be handled.

use crate::http::Status;

/// One row a refusal: its doc, its `Display`, its status and the limit that it is beyond come from it.
macro_rules! refusals {
    ($($name:ident $status:ident $(of $limit:ident)? $says:literal;)*) => {
        /// Why a request is answered without being handled. Its stream is in order: it is answered like any other, or reset.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        #[repr(u8)]
        pub enum Refusal {
            $(#[doc = concat!("Answered with `", stringify!($status), "`: ", $says, ".")] $name,)*
        }

        impl Refusal {
            /// Every refusal there is.
            pub const ALL: &[Refusal] = &[$(Refusal::$name),*];

            /// The status that answers it.
            pub const fn status(self) -> Status {
                match self { $(Refusal::$name => Status::$status,)* }
            }

            /// What was wrong, as a clause without a full stop.
            pub const fn message(self) -> &'static str {
                match self { $(Refusal::$name => $says,)* }
            }

            /// The row of [`limits`](super::limits::TABLE) that the request went beyond, if it was one.
            pub const fn limit(self) -> Option<&'static str> {
                match self { $(Refusal::$name => refusals!(limit $($limit)?),)* }
            }
        }
    };
    (limit) => { None };
    (limit $limit:ident) => { Some(stringify!($limit)) };
}

refusals! {
    FieldsTooLarge REQUEST_HEADER_FIELDS_TOO_LARGE of header_list_bytes "the fields are too large";
    TooManyFields REQUEST_HEADER_FIELDS_TOO_LARGE of fields "there are too many fields";
    MethodTooLong NOT_IMPLEMENTED of method_bytes "the method is longer than any that exists";
    TargetTooLong URI_TOO_LONG of target_bytes "the request target is too long";
    UnknownScheme BAD_REQUEST "the scheme is neither http nor https";
    UnknownExpectation EXPECTATION_FAILED "Expect asks for something other than 100-continue";
}

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::Refusal;
    use crate::h2::limits::TABLE;
    use alloc::string::ToString;

    #[test]
    fn every_refusal_has_a_4xx_or_5xx_status_and_a_sentence_of_its_own() {
        for (index, refusal) in Refusal::ALL.iter().enumerate() {
            assert!(refusal.status().code() >= 400 && refusal.to_string().len() > 20, "{refusal}");
            assert!(Refusal::ALL[..index].iter().all(|other| other.message() != refusal.message()));
            let Some(limit) = refusal.limit() else { continue };
            assert!(TABLE.iter().any(|row| row.name == limit), "{limit}");
        }
    }
}
