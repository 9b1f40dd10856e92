//! Trailers (RFC 9113 section 8.1).

use super::fields::{Malformed, check_text, is_pseudo, regular};
use super::hpack::List;
use super::role::Fielded;
use crate::h1::may_be_trailer;
use crate::scan::Level;

/// Reads trailers into a head.
pub(super) fn read(level: Level, list: &List, head: &mut impl Fielded) -> Result<(), Malformed> {
    head.clear();
    check_text(level, list)?;
    for line in &list.fields {
        if is_pseudo(line, &list.text) {
            return Err("trailers have a pseudo-field");
        }
        let field = regular(level, line, &list.text)?;
        if !may_be_trailer(field.name.of(&list.text)) {
            return Err("a trailer field has a name that may not stand in trailers");
        }
        head.fields().push(field);
    }
    Ok(())
}
