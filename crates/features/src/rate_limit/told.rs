//! What clients are told of a limit (draft-ietf-httpapi-ratelimit-headers-11): the policy, what is left, when to come again.
//!
//! The policy's window is a burst's, in whole seconds, and its quota what is served in them; what is left may be asked for at once.

use std::io::Write;

use gannet_core::{Bytes, Fields, Response, Status};

use super::{Allowance, Rate};

/// Room for a `RateLimit`, whose name is bounded.
const VALUE_BYTES: usize = 128;

/// Longer names of policies are cut.
const NAME_BYTES: usize = 64;

/// What is told of one policy.
pub(super) struct Told {
    policy: String,
    name: String,
    refusal: Bytes,
}

impl Told {
    pub(super) fn new(name: &str, rate: Rate) -> Told {
        let name = name.get(..NAME_BYTES).unwrap_or(name).to_owned();
        let (quota, window) = quota(rate);
        let refusal = format!(
            concat!(
                r#"{{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","#,
                r#""title":"Too many requests","status":429,"#,
                r#""detail":"more requests came than the policy `{0}` has in its window; Retry-After says when the next is served","#,
                r#""violated-policies":["{0}"]}}"#,
            ),
            name
        );
        Told { policy: format!("\"{name}\";q={quota};w={window}"), name, refusal: refusal.into() }
    }

    /// Adds what is told in every response.
    pub(super) fn add(&self, fields: &mut Fields, allowance: Allowance) {
        let mut value = [0; VALUE_BYTES];
        let mut rest = &mut value[..];
        let Allowance { remaining, next_seconds, .. } = allowance;
        let written = write!(rest, "\"{}\";r={remaining};t={next_seconds}", self.name);
        let free = rest.len();
        written.expect("a name of bounded length and two numbers have room");
        for (name, value) in
            [("RateLimit-Policy", self.policy.as_bytes()), ("RateLimit", &value[..VALUE_BYTES - free])]
        {
            fields.append(name, value).expect("a quoted token and numbers can be sent");
        }
    }

    /// The answer to who is refused.
    pub(super) fn refusal(&self, allowance: Allowance) -> Response {
        // It is of this client and this moment (RFC 6585, 4: not to be stored).
        Response::new(Status::TOO_MANY_REQUESTS)
            .with("Content-Type", "application/problem+json")
            .with("Cache-Control", "no-store")
            .with("Retry-After", allowance.next_seconds.to_string())
            .with_body(gannet_core::Body::Bytes(self.refusal.clone()))
    }
}

/// How many requests are served in the least number of whole seconds in which a whole burst is.
fn quota(rate: Rate) -> (u64, u64) {
    let (requests, seconds) = (u64::from(rate.requests()), u64::from(rate.seconds()));
    let window = (u64::from(rate.burst()) * seconds).div_ceil(requests);
    (window * requests / seconds, window)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(rate: &str, burst: Option<u32>) -> String {
        let rate: Rate = rate.parse().expect("a rate");
        Told::new("default", burst.map_or(rate, |burst| rate.with_burst(burst).expect("a burst"))).policy
    }

    #[test]
    fn a_policy_is_told_in_whole_seconds_that_hold_a_burst() {
        assert_eq!(policy("100/s", None), r#""default";q=100;w=1"#);
        assert_eq!(policy("5/m", None), r#""default";q=5;w=60"#);
        assert_eq!(policy("20/10s", None), r#""default";q=20;w=10"#);
        assert_eq!(policy("60/m", Some(10)), r#""default";q=10;w=10"#);
        assert_eq!(policy("5/m", Some(10)), r#""default";q=10;w=120"#);
        assert_eq!(policy("100/s", Some(20)), r#""default";q=100;w=1"#);
        assert_eq!(policy("7/m", Some(1)), r#""default";q=1;w=9"#);
    }

    #[test]
    fn the_longest_name_and_the_largest_numbers_have_room() {
        let told = Told::new(&"n".repeat(1000), "1/d".parse().expect("a rate"));
        let mut fields = Fields::new();
        told.add(&mut fields, Allowance { admitted: true, remaining: u32::MAX, next_seconds: u64::MAX });
        let value = String::from_utf8(fields.get("RateLimit").expect("told").to_vec()).expect("ASCII");
        assert_eq!(value, format!("\"{}\";r={};t={}", "n".repeat(64), u32::MAX, u64::MAX));
    }
}
