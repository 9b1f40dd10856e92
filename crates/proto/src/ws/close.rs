//! Why a conversation ends: the codes and reasons of Close frames (RFC 6455 sections 5.5.1 and 7.4).

use super::frame::{CONTROL_BYTES, ControlPayload};

/// Why a conversation ended, as far as that can be sent: 1000 to 1003 and 1007 to 1014, which are registered, and what is for libraries (3000 to 3999)
/// and applications (4000 to 4999). Of the others some mean what no frame can say (1005, 1006, 1015), and the rest nothing yet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CloseCode(u16);

/// One row a code: the constant comes from it.
macro_rules! codes {
    ($($code:literal $name:ident $says:literal;)*) => {
        impl CloseCode {
            $(#[doc = concat!("`", stringify!($code), "`: ", $says, ".")] pub const $name: CloseCode = CloseCode($code);)*

            /// Every registered code that can be sent, in order.
            pub const REGISTERED: &[CloseCode] = &[$(CloseCode::$name),*];

            /// The code of this number; `None` where no frame may have it.
            pub const fn new(code: u16) -> Option<CloseCode> {
                match code {
                    $($code)|* | 3000..=4999 => Some(CloseCode(code)),
                    _ => None,
                }
            }
        }
    };
}

codes! {
    1000 NORMAL "what the conversation was for is done";
    1001 GOING_AWAY "the server ends, or the page was left";
    1002 PROTOCOL_ERROR "the peer broke the protocol";
    1003 UNSUPPORTED_DATA "a message is of a kind that is not accepted";
    1007 INVALID_PAYLOAD "a message is not what its kind says, as text that is not UTF-8";
    1008 POLICY_VIOLATION "a message is against a policy that no other code names";
    1009 MESSAGE_TOO_BIG "a message is too big";
    1010 MANDATORY_EXTENSION "the server did not agree on an extension that the client needs";
    1011 INTERNAL_ERROR "something is wrong with whoever says so";
    1012 SERVICE_RESTART "the service restarts";
    1013 TRY_AGAIN_LATER "there is too much to do";
    1014 BAD_GATEWAY "whoever the server asked gave an invalid answer";
}

impl CloseCode {
    /// The number.
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl core::fmt::Display for CloseCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

/// The most bytes that a reason has room for, in a frame that begins with a code.
pub const REASON_BYTES: usize = CONTROL_BYTES - 2;

/// What a Close frame says: a code, and a reason in words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CloseFrame {
    code: CloseCode,
    reason: ControlPayload,
}

impl CloseFrame {
    /// Says this. A reason of more than [`REASON_BYTES`] is cut at the end of a character.
    pub fn new(code: CloseCode, reason: &str) -> CloseFrame {
        let reason = &reason[..reason.floor_char_boundary(REASON_BYTES)];
        CloseFrame { code, reason: ControlPayload::cut(reason.as_bytes()) }
    }

    /// Why.
    pub fn code(&self) -> CloseCode {
        self.code
    }

    /// Why, in words for people who look for faults; often empty.
    pub fn reason(&self) -> &str {
        // It was text when it came here.
        core::str::from_utf8(&self.reason).unwrap_or_default()
    }

    /// The frame's payload.
    pub fn payload(&self) -> ControlPayload {
        let mut payload = ControlPayload::cut(&self.code.0.to_be_bytes());
        payload.extend(&self.reason);
        payload
    }
}

#[cfg(test)]
mod tests {
    use super::{CloseCode, CloseFrame, REASON_BYTES};

    #[test]
    fn codes_that_mean_nothing_or_what_no_frame_can_say_are_none() {
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, u16::MAX] {
            assert_eq!(CloseCode::new(code), None, "{code}");
        }
        for code in [1000, 1003, 1007, 1014, 3000, 3999, 4000, 4999] {
            assert_eq!(CloseCode::new(code).map(CloseCode::number), Some(code));
        }
    }

    #[test]
    fn a_reason_is_cut_at_the_end_of_a_character() {
        for (reason, length) in
            [("a".repeat(200), 123), ("é".repeat(100), 122), ("→".repeat(100), 123), ("😀".repeat(40), 120)]
        {
            let frame = CloseFrame::new(CloseCode::NORMAL, &reason);
            assert_eq!((frame.reason(), frame.payload().len()), (&reason[..length], length + 2));
            assert!(length <= REASON_BYTES);
        }
        assert_eq!(&CloseFrame::new(CloseCode::GOING_AWAY, "bye").payload()[..], b"\x03\xe9bye");
    }
}
