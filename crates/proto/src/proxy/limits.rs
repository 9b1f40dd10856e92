//! How long a header may be: what a peer sends before anything is known of it.

/// The longest header of version 1 there is: with an end for a line of UNKNOWN with two IPv6 addresses (section 2.1).
pub const LINE_BYTES: usize = 107;

/// The longest header of version 2 that is read, its first 16 bytes included.
pub const HEADER_BYTES: usize = 4096;

/// One limit, for those who print or check the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The limit's name.
    pub name: &'static str,
    /// What it is, with its unit.
    pub default: &'static str,
    /// Why there is such a limit.
    pub reason: &'static str,
    /// What happens beyond it.
    pub beyond: &'static str,
}

const fn row(name: &'static str, default: &'static str, reason: &'static str, beyond: &'static str) -> Row {
    Row { name, default, reason, beyond }
}

/// The limits of this module. They are fixed.
pub const TABLE: [Row; 2] = [
    row(
        "proxy_line_bytes",
        "107 bytes",
        "No line of the PROXY protocol's version 1 is longer (its section 2.1).",
        "close",
    ),
    row(
        "proxy_header_bytes",
        "4096 bytes",
        "Addresses take 36 bytes, or 216 for Unix sockets; the rest may tell of TLS, and the like. nginx reads as many.",
        "close",
    ),
];
