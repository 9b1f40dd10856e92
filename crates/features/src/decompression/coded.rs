//! What a body is coded by (RFC 9110, 8.4).

use gannet_core::Request;

use super::{MOST_LAYERS, Refused};
use crate::coding::{CODINGS, Coding};

/// Names of codings that are told back are cut there.
const TOLD_BYTES: usize = 64;

/// The codings of a request's body, in the order in which they were applied.
pub(super) fn codings(request: &Request) -> Result<Vec<Coding>, Refused> {
    let lines = request.fields().filter(|(name, _)| name.eq_ignore_ascii_case("content-encoding"));
    read(lines.map(|(_, value)| value))
}

fn read<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Result<Vec<Coding>, Refused> {
    let mut codings = Vec::new();
    for name in lines.flat_map(|line| line.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii) {
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        // `identity` is not to be said here, and says nothing (RFC 9110, 8.4.1).
        if name.is_empty() || is("identity") {
            continue;
        }
        let known =
            CODINGS.into_iter().find(|coding| is(coding.name()) || *coding == Coding::Gzip && is("x-gzip"));
        let Some(coding) = known else {
            let told = &name[..name.len().min(TOLD_BYTES)];
            return Err(Refused::Unknown(String::from_utf8_lossy(told).into_owned()));
        };
        if codings.len() == MOST_LAYERS {
            return Err(Refused::Layers);
        }
        codings.push(coding);
    }
    Ok(codings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(lines: &[&str]) -> Result<Vec<&'static str>, Refused> {
        Ok(read(lines.iter().map(|line| line.as_bytes()))?.into_iter().map(Coding::name).collect())
    }

    #[test]
    fn codings_are_known_in_any_case_and_keep_their_order_rfc_9110_8_4() {
        assert_eq!(names(&[]), Ok(vec![]));
        assert_eq!(names(&["", " , "]), Ok(vec![]));
        assert_eq!(names(&["GZip"]), Ok(vec!["gzip"]));
        assert_eq!(names(&["x-gzip"]), Ok(vec!["gzip"]));
        assert_eq!(names(&["identity, br ,zstd", "gzip"]), Ok(vec!["br", "zstd", "gzip"]));
    }

    #[test]
    fn what_is_not_known_is_named_and_too_many_are_refused() {
        assert_eq!(names(&["gzip, deflate"]), Err(Refused::Unknown("deflate".to_owned())));
        assert_eq!(names(&[&"x".repeat(1000)]), Err(Refused::Unknown("x".repeat(64))));
        assert_eq!(names(&["gzip, gzip, gzip, gzip"]), Err(Refused::Layers));
    }
}
