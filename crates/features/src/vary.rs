//! `Vary`: by what of a request its response was chosen (RFC 9110, 12.5.5).

use gannet_core::Fields;

/// Adds a field's name to `Vary`, if it is not there.
pub(crate) fn vary(fields: &mut Fields, on: &str) {
    let names = |member: &[u8]| member == b"*" || member.eq_ignore_ascii_case(on.as_bytes());
    let is_said = fields.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("Vary")
            && value.split(|byte| *byte == b',').any(|member| names(member.trim_ascii()))
    });
    if !is_said {
        fields.append("Vary", on).expect("a field's name can be sent");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_added_once_and_not_where_nothing_is_the_same() {
        let mut fields = Fields::new();
        for on in ["Origin", "origin", "Accept"] {
            vary(&mut fields, on);
        }
        assert_eq!(fields.rendered(), b"Vary: Origin\r\nVary: Accept\r\n");
        let mut fields = Fields::new();
        fields.append("vary", "accept-encoding , ORIGIN").expect("a field");
        vary(&mut fields, "Origin");
        assert_eq!(fields.iter().count(), 1);
        let mut fields = Fields::new();
        fields.append("Vary", "*").expect("a field");
        vary(&mut fields, "Origin");
        assert_eq!(fields.iter().count(), 1);
    }
}
