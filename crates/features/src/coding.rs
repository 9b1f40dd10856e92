//! Content codings: which a client takes (RFC 9110, 12.5.3), which it likes best, and of what they pay.

use gannet_core::Request;

/// A way to compress, by the name that `Content-Encoding` has for it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Coding {
    /// Brotli (RFC 7932).
    Brotli,
    /// Zstandard (RFC 8878).
    Zstandard,
    /// gzip (RFC 1952).
    Gzip,
}

/// All codings, the ones that compress best first.
pub(crate) const CODINGS: [Coding; 3] = [Coding::Brotli, Coding::Zstandard, Coding::Gzip];

/// The codings that a client takes and likes no less than none, best first. What is not coded always does: a client that refuses it, and
/// everything else that there is, gets it none the less, as RFC 9110, 15.5.7 allows, rather than 406.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Accepted([Option<Coding>; CODINGS.len()]);

impl Coding {
    /// The name in `Content-Encoding` and `Accept-Encoding`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Coding::Brotli => "br",
            Coding::Zstandard => "zstd",
            Coding::Gzip => "gzip",
        }
    }

    /// How the names of files end that hold something so coded.
    #[cfg(feature = "files")]
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Coding::Brotli => ".br",
            Coding::Zstandard => ".zst",
            Coding::Gzip => ".gz",
        }
    }
}

/// Weights, in thousandths; none: not spoken of.
#[derive(Default)]
struct Weights {
    codings: [Option<u16>; CODINGS.len()],
    identity: Option<u16>,
    any_other: Option<u16>,
}

impl Accepted {
    /// Nothing but what is not coded.
    #[cfg(feature = "files")]
    pub(crate) const PLAIN: Accepted = Accepted([None; CODINGS.len()]);

    /// One coding.
    #[cfg(feature = "files")]
    pub(crate) fn only(coding: Coding) -> Accepted {
        Accepted([Some(coding), None, None])
    }

    /// What a request's `Accept-Encoding` says. A client that says nothing takes anything, but most that say nothing can decode nothing.
    pub(crate) fn of(request: &Request) -> Accepted {
        let mut weights = Weights::default();
        let lines = request.fields().filter(|(name, _)| name.eq_ignore_ascii_case("accept-encoding"));
        lines.for_each(|(_, value)| weights.read(value));
        weights.accepted()
    }

    /// In what order the codings are to be tried.
    pub(crate) fn codings(self) -> impl Iterator<Item = Coding> {
        self.0.into_iter().flatten()
    }
}

impl Weights {
    fn read(&mut self, value: &[u8]) {
        for item in value.split(|byte| *byte == b',') {
            let mut parts = item.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
            let name = parts.next().unwrap_or_default();
            let weight = Some(parts.find_map(weight).unwrap_or(1000));
            let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
            if is("identity") {
                self.identity = weight;
            } else if is("*") {
                self.any_other = weight;
            } else if let Some(place) =
                CODINGS.iter().position(|coding| is(coding.name()) || *coding == Coding::Gzip && is("x-gzip"))
            {
                self.codings[place] = weight;
            }
        }
    }

    fn accepted(&self) -> Accepted {
        let of = |place: usize| self.codings[place].or(self.any_other).unwrap_or(0);
        // Not spoken of, what is not coded will always do, but is liked least.
        let plain = self.identity.unwrap_or(0);
        let mut places: [usize; CODINGS.len()] = std::array::from_fn(|place| place);
        places.sort_by_key(|place| std::cmp::Reverse(of(*place)));
        let wanted = |place: usize| (of(place) > 0 && of(place) >= plain).then_some(CODINGS[place]);
        Accepted(places.map(wanted))
    }
}

/// The weight that a parameter gives, if it is one (RFC 9110, 12.4.2). What cannot be read is no wish for anything.
fn weight(parameter: &[u8]) -> Option<u16> {
    let value = parameter.strip_prefix(b"q=").or_else(|| parameter.strip_prefix(b"Q="))?;
    let text = std::str::from_utf8(value).unwrap_or_default();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction_is_sound = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    Some(match whole {
        "1" if fraction_is_sound => 1000,
        "0" if fraction_is_sound => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    })
}

/// Whether files of this type become much smaller when they are compressed: text in the widest sense. Images, films and archives are
/// compressed already.
pub(crate) fn is_compressible(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default();
    match media_type.split_once('/') {
        Some(("text", _)) => true,
        Some((_, subtype)) if subtype.ends_with("+xml") || subtype.ends_with("+json") => true,
        Some(("application", subtype)) => matches!(
            subtype,
            "json"
                | "javascript"
                | "ecmascript"
                | "xml"
                | "xhtml"
                | "wasm"
                | "x-sh"
                | "x-tex"
                | "sql"
                | "rtf"
                | "postscript"
                | "x-x509-ca-cert"
                | "manifest"
                | "ld"
                | "vnd.ms-fontobject"
                | "x-font-ttf"
        ),
        Some(("font", subtype)) => matches!(subtype, "ttf" | "otf" | "sfnt" | "collection"),
        Some(("image", subtype)) => matches!(subtype, "bmp" | "x-icon" | "vnd.microsoft.icon" | "x-ms-bmp"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(lines: &[&str]) -> Vec<&'static str> {
        let mut weights = Weights::default();
        lines.iter().for_each(|line| weights.read(line.as_bytes()));
        weights.accepted().codings().map(Coding::name).collect()
    }

    #[test]
    fn codings_are_tried_by_weight_and_the_best_of_equals_first_rfc_9110_12_5_3() {
        assert_eq!(accepted(&[]), [""; 0]);
        assert_eq!(accepted(&[""]), [""; 0]);
        assert_eq!(accepted(&["gzip, deflate, br, zstd"]), ["br", "zstd", "gzip"]);
        assert_eq!(accepted(&["gzip"]), ["gzip"]);
        assert_eq!(accepted(&["gzip;q=1.0, br;q=0.5"]), ["gzip", "br"]);
        assert_eq!(accepted(&["br;q=0, gzip"]), ["gzip"]);
        assert_eq!(accepted(&["gzip", "br;q=0.9"]), ["gzip", "br"]);
        assert_eq!(accepted(&["X-GZIP ; Q=0.001"]), ["gzip"]);
        assert_eq!(accepted(&["*"]), ["br", "zstd", "gzip"]);
        assert_eq!(accepted(&["*;q=0.5, zstd;q=0, gzip"]), ["gzip", "br"]);
    }

    #[test]
    fn what_is_liked_less_than_no_coding_is_not_used() {
        assert_eq!(accepted(&["identity, gzip;q=0.5"]), [""; 0]);
        assert_eq!(accepted(&["identity;q=0.5, gzip;q=0.5"]), ["gzip"]);
        assert_eq!(accepted(&["identity;q=0, gzip;q=0.1"]), ["gzip"]);
        assert_eq!(accepted(&["*;q=0"]), [""; 0]);
        assert_eq!(accepted(&["*;q=0, identity;q=0.1"]), [""; 0]);
        assert_eq!(accepted(&["identity;q=0"]), [""; 0]);
    }

    #[test]
    fn a_weight_that_cannot_be_read_is_no_wish() {
        for weight in ["2", "-1", "0.1234", "a", "", "1.5x"] {
            assert_eq!(accepted(&[&format!("gzip;q={weight}")]), [""; 0], "{weight}");
        }
    }
}
