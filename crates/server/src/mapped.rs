//! Which file ranges are sent from a mapping, and which by sendfile(2).
//!
//! sendfile copies nothing: the socket refers to the file's pages, sixteen at a time, and the more of them wait in the socket's buffer the
//! dearer they are. A mapped send copies them once, in the kernel, and hands the socket far more at a time. So small files are cheaper by
//! the one, large ones by the other. One worker's CPU for a response, on epoll, as a multiple of a null server's that sends as much from
//! memory (medians of 5 rounds; the client drops the bytes in the kernel, or copies them):
//!
//! | file | sendfile | mapped |
//! |---|---|---|
//! | 100 KiB | 0.61, 0.60 | 1.19, 1.17 |
//! | 512 KiB | 2.82, 2.97 | 1.05, 1.02 |
//! | 1 MiB | 1.99, 2.29 | 0.41, 0.68 |
//! | 10 MiB | 1.72, 2.12 | 1.02, 1.04 |
//!
//! That is `cargo xtask bench file-100k file-512k file-1m file-10m --servers null-epoll,off,on`, with `--copy` and without, where `--extra
//! 'on=target/release/gannet {root} --listen 127.0.0.1:{port} --workers 1 --backend epoll --mmap on -q'` makes the one and the like the other. A
//! mapping that is made for each send costs 0.78 for 1 MiB and 1.28 for 10 MiB: so the engine keeps those of open files.

use std::fmt;
use std::str::FromStr;

/// `Auto` maps what is larger than this.
const AUTO_BYTES: u64 = 256 * 1024;

/// Nothing up to this size is mapped: setting a mapping up costs more than these few pages do.
const SMALL_BYTES: u64 = 16 * 1024;

/// Whether files are sent from a mapping, which only the kernel reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum MappedSends {
    /// Those above 256 KiB; smaller ones by sendfile(2).
    #[default]
    Auto,
    /// All above 16 KiB.
    On,
    /// None.
    Off,
}

/// A name that is no policy's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownMappedSends;

impl MappedSends {
    /// Whether a range of so many bytes is sent from a mapping.
    pub(crate) fn maps(self, bytes: u64) -> bool {
        match self {
            MappedSends::Auto => bytes > AUTO_BYTES,
            MappedSends::On => bytes > SMALL_BYTES,
            MappedSends::Off => false,
        }
    }
}

impl FromStr for MappedSends {
    type Err = UnknownMappedSends;

    fn from_str(name: &str) -> Result<MappedSends, UnknownMappedSends> {
        match name {
            "auto" => Ok(MappedSends::Auto),
            "on" => Ok(MappedSends::On),
            "off" => Ok(MappedSends::Off),
            _ => Err(UnknownMappedSends),
        }
    }
}

impl fmt::Display for UnknownMappedSends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("mapped sends are auto, on or off")
    }
}

impl std::error::Error for UnknownMappedSends {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_maps_large_ranges_on_all_but_tiny_ones_and_off_none() {
        let sizes = [0, 16 * 1024, 16 * 1024 + 1, 256 * 1024, 256 * 1024 + 1, u64::MAX];
        for (policy, maps) in [
            (MappedSends::Auto, [false, false, false, false, true, true]),
            (MappedSends::On, [false, false, true, true, true, true]),
            (MappedSends::Off, [false; 6]),
        ] {
            assert_eq!(sizes.map(|bytes| policy.maps(bytes)), maps, "{policy:?}");
        }
    }

    #[test]
    fn a_policy_is_taken_by_its_name_only() {
        assert_eq!("on".parse(), Ok(MappedSends::On));
        let error = "yes".parse::<MappedSends>().unwrap_err();
        assert_eq!(error.to_string(), "mapped sends are auto, on or off");
    }
}
