//! What the scenarios ask for: the works that more than one of them has, or that take more than a line.

use crate::work::{Ask, Beside, Content, Handshake, Target, Work};

/// What gzip makes of 50 KiB of the site's prose, about.
const COMPRESSED_BYTES: u64 = 12 * 1024;

/// Through a proxy that has a processor to itself.
pub fn proxied(work: Work) -> Work {
    work.proxied(Beside::Client)
}

pub fn secured(work: Work) -> Work {
    work.over_tls(Handshake::Full)
}

/// How many streams are under way on a connection.
const STREAMS: u32 = 32;

/// Over HTTP/2, many at once.
pub fn multiplexed(work: Work) -> Work {
    work.over_http2(STREAMS)
}

/// A connection for each request, of a session that is resumed.
pub fn resumed() -> Work {
    Work::hello(1).over_tls(Handshake::Resumed).short()
}

pub fn file_1k() -> Work {
    Work::file("1 KiB", "1k.bin", 1)
}

pub fn file_16k() -> Work {
    Work::file("16 KiB", "16k.bin", 16)
}

pub fn file_100k() -> Work {
    Work::file("100 KiB", "100k.bin", 100)
}

pub fn file_1m() -> Work {
    Work::file("1 MiB", "1m.bin", 1024)
}

pub fn file_10m() -> Work {
    Work::file("10 MiB", "10m.bin", 10 * 1024)
}

pub fn not_modified() -> Work {
    file_1k().asked("304", Ask::IfNoneMatch, 0)
}

/// 1 KiB in the middle of 1 GiB.
pub fn range() -> Work {
    let file = Work { target: Target::File("sparse-1g.bin"), content: Content::Sparse(1 << 30), ..file_1k() };
    file.asked("range", Ask::Range(1 << 29, (1 << 29) + 1023), 1024)
}

/// The null servers answer with what gzip makes of the prose, about.
pub fn compressed() -> Work {
    let file = Work {
        target: Target::File("prose.txt"),
        content: Content::Prose(50 * 1024),
        ..Work::file("prose", "", 50)
    };
    file.asked("prose", Ask::Compressed, COMPRESSED_BYTES)
}
