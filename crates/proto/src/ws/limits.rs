//! What a peer may ask of a conversation: one table, from which the struct, its defaults and the reference come.

use super::Error;

/// One limit, for those who print or check the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The limit's name: the field of [`Limits`], and the word for it in every configuration.
    pub name: &'static str,
    /// What holds unless someone says otherwise.
    pub default: u32,
    /// What it counts.
    pub unit: &'static str,
    /// What the connection fails with beyond it.
    pub beyond: Error,
    /// Why there is a limit, and why this one.
    pub reason: &'static str,
}

macro_rules! limits {
    ($($name:ident = $default:literal $unit:literal, close $error:ident, $reason:literal;)*) => {
        /// What a peer may ask of a conversation.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct Limits {
            $(#[doc = concat!("In ", $unit, "; default ", $default, ". ", $reason)] pub $name: u32,)*
        }

        /// Every limit of [`Limits`], in its order.
        pub const TABLE: &[Row] = &[$(Row {
            name: stringify!($name),
            default: $default,
            unit: $unit,
            beyond: Error::$error,
            reason: $reason,
        }),*];

        impl Default for Limits {
            fn default() -> Limits {
                Limits { $($name: $default),* }
            }
        }
    };
}

limits! {
    message_bytes = 16777216 "bytes per message",
        close MessageTooLarge,
        "A message is held in memory until it is whole. Counts what comes and, of a compressed message, also what it is inflated to.";
    fragments = 131072 "frames per message",
        close TooManyFragments,
        "Each costs more than a byte of payload does. Autobahn sends 65,536.";
    useless_frames = 1024 "frames beyond what payload explains, in ten seconds",
        close TooManyUselessFrames,
        "Pings, Pongs and fragments without payload cost us something and bring nothing. Each frame with payload, and each message, earns four.";
}

#[cfg(test)]
mod tests {
    use super::{Limits, TABLE};

    #[test]
    fn the_defaults_are_those_of_the_table() {
        let Limits { message_bytes, fragments, useless_frames } = Limits::default();
        assert!(TABLE.iter().map(|row| row.default).eq([message_bytes, fragments, useless_frames]));
        assert!(TABLE.iter().all(|row| !row.reason.is_empty() && !row.unit.is_empty()));
    }
}
