//! For which version of a task a request is meant (RFC 9110, 13.1.1): an extractor of our own.

use gannet::FromRequest;
use gannet::openapi::{DescribeArgument, Operation};
use gannet::prelude::*;

/// The field `If-Match`, if there is one.
pub struct IfMatch(Option<String>);

/// A version, as `ETag` and `If-Match` have it.
pub fn entity_tag(version: i64) -> String {
    format!("\"{version}\"")
}

impl IfMatch {
    /// Whether a task of this version is meant.
    pub fn allows(&self, version: i64) -> bool {
        let tag = entity_tag(version);
        self.0
            .as_ref()
            .is_none_or(|tags| tags.split(',').map(str::trim).any(|other| other == "*" || other == tag))
    }
}

impl FromRequest for IfMatch {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<IfMatch, Rejection> {
        let fields = request.fields().filter(|(name, _)| name.eq_ignore_ascii_case("If-Match"));
        // Several of them are one list (RFC 9110, 5.3); what is no text is no tag of ours.
        let tags: Vec<_> = fields.map(|(_, value)| String::from_utf8_lossy(value)).collect();
        Ok(IfMatch((!tags.is_empty()).then(|| tags.join(","))))
    }
}

impl DescribeArgument for IfMatch {
    fn describe_argument(operation: &mut Operation<'_>) {
        operation.header::<Option<String>>("If-Match", false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_meant_by_its_tag_in_a_list_or_by_anything() {
        let allows = |tags: Option<&str>| IfMatch(tags.map(str::to_owned)).allows(7);
        assert!(allows(None) && allows(Some("*")) && allows(Some("\"7\"")) && allows(Some("\"6\", \"7\"")));
        // Weak tags never match here (RFC 9110, 13.1.1).
        assert!(
            !allows(Some("")) && !allows(Some("7")) && !allows(Some("W/\"7\"")) && !allows(Some("\"77\""))
        );
    }
}
