//! Rate limits, as clients meet them.

#[expect(dead_code, reason = "shared with the tests of other filters, which use all of it")]
mod behind;

use std::net::IpAddr;
use std::time::Duration;

use behind::{Behind, field, text};
use gannet_core::{Request, Response};
use gannet_features::rate_limit::{Key, RateLimit, limit};

/// A handler behind a limit, for a client of this address.
fn limited(limit: &RateLimit, address: &str) -> Behind {
    Behind::new(limit.clone(), |_: Request| Response::text("served")).from(address)
}

fn statuses(behind: &Behind, requests: usize) -> Vec<u16> {
    (0..requests).map(|_| behind.get(&[]).status().code()).collect()
}

#[test]
fn who_asks_for_too_much_is_told_when_to_come_again_and_is_served_then() {
    let served = limited(&limit("5/m"), "192.0.2.1");
    assert_eq!(statuses(&served, 6), [200, 200, 200, 200, 200, 429]);
    let refused = served.get(&[]);
    assert_eq!(field(&refused, "retry-after"), Some("12"));
    assert_eq!(field(&refused, "cache-control"), Some("no-store"));
    assert_eq!(field(&refused, "content-type"), Some("application/problem+json"));
    let problem: serde_json::Value = serde_json::from_str(&text(refused)).expect("JSON");
    assert_eq!((&problem["status"], &problem["violated-policies"][0]), (&429.into(), &"default".into()));
    served.world.now.set(Duration::from_secs(1011));
    assert_eq!(served.get(&[]).status().code(), 429);
    served.world.now.set(Duration::from_secs(1012));
    assert_eq!(statuses(&served, 2), [200, 429]);
    served.world.now.set(Duration::from_secs(2000));
    assert_eq!(statuses(&served, 6), [200, 200, 200, 200, 200, 429]);
}

#[test]
fn every_response_tells_the_policy_and_what_is_left_unless_it_is_not_to() {
    let told = |response: &Response| {
        let value = |name| field(response, name).map(str::to_owned);
        (value("ratelimit-policy"), value("ratelimit"))
    };
    let served = limited(&limit("5/m").name("login page"), "192.0.2.1");
    let policy = Some(r#""login-page";q=5;w=60"#.to_owned());
    for left in ["4;t=12", "3;t=12", "2;t=12", "1;t=12", "0;t=12", "0;t=12"] {
        assert_eq!(told(&served.get(&[])), (policy.clone(), Some(format!(r#""login-page";r={left}"#))));
    }
    let served = limited(&limit("1/m").fields(false), "192.0.2.1");
    assert_eq!(told(&served.get(&[])), (None, None));
    let refused = served.get(&[]);
    assert_eq!((told(&refused), field(&refused, "retry-after")), ((None, None), Some("60")));
}

#[test]
fn each_client_has_an_allowance_of_its_own_whichever_worker_it_meets() {
    let limit = limit("2/m");
    let [first, again, second] =
        ["192.0.2.1", "192.0.2.1", "192.0.2.2"].map(|address| limited(&limit, address));
    assert_eq!(statuses(&first, 1), [200]);
    assert_eq!(statuses(&again, 2), [200, 429]);
    assert_eq!(statuses(&second, 3), [200, 200, 429]);
    let [one, other, elsewhere] = ["2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1"]
        .map(|address| limited(&limit, address));
    assert_eq!(statuses(&one, 2), [200, 200]);
    assert_eq!(statuses(&other, 1), [429]);
    assert_eq!(statuses(&elsewhere, 1), [200]);
}

#[test]
fn a_proxy_that_is_trusted_is_believed_for_whom_it_asks_and_nobody_else() {
    let limit = limit("1/m");
    let mut proxy = limited(&limit, "10.0.0.1");
    proxy.trusted = "10.0.0.0/8";
    let forged = limited(&limit, "192.0.2.9");
    let ask = |served: &Behind, client: &str| served.get(&[("X-Forwarded-For", client)]).status().code();
    assert_eq!(
        [ask(&proxy, "192.0.2.1"), ask(&proxy, "192.0.2.1"), ask(&proxy, "192.0.2.2")],
        [200, 429, 200]
    );
    assert_eq!([ask(&forged, "192.0.2.3"), ask(&forged, "192.0.2.4")], [200, 429]);
}

#[test]
fn without_an_address_there_is_no_limit() {
    let mut served = limited(&limit("1/m"), "192.0.2.1");
    served.peer = None;
    assert_eq!(statuses(&served, 3), [200, 200, 200]);
    assert_eq!(field(&served.get(&[]), "ratelimit"), None);
}

#[test]
fn requests_are_counted_by_any_key_and_one_without_it_by_its_client() {
    let limit = limit("1/m").by(|request| request.field("x-api-key").map(Key::from));
    let [first, second] = ["192.0.2.1", "192.0.2.2"].map(|address| limited(&limit, address));
    let ask = |served: &Behind, key: &str| served.get(&[("X-Api-Key", key)]).status().code();
    assert_eq!([ask(&first, "a"), ask(&first, "b"), ask(&second, "a")], [200, 200, 429]);
    assert_eq!([statuses(&first, 2), statuses(&second, 1)].concat(), [200, 429, 200]);
}

#[test]
fn a_burst_may_be_less_than_a_period_s_requests_or_more() {
    assert_eq!(statuses(&limited(&limit("60/m").burst(2), "192.0.2.1"), 3), [200, 200, 429]);
    let served = limited(&limit("1/m").burst(3), "192.0.2.1");
    assert_eq!(statuses(&served, 4), [200, 200, 200, 429]);
    assert_eq!(field(&served.get(&[]), "retry-after"), Some("60"));
}

#[test]
fn a_million_addresses_take_the_memory_that_was_there_before_and_none_is_refused() {
    let limit = limit("5/m");
    let before = limit.memory_bytes();
    assert_eq!(before, 512 * 1024);
    let now = Duration::from_secs(1000);
    for number in 0..1_000_000u32 {
        let address = IpAddr::V4(number.wrapping_mul(0x9e37_79b1).into());
        assert!(limit.check(&Key::from(address), now).admitted, "{address} asks for the first time");
    }
    assert_eq!(limit.memory_bytes(), before);
}

#[test]
fn room_is_for_as_many_keys_as_is_said_within_bounds() {
    let bytes = |keys| limit("5/m").keys(keys).memory_bytes();
    assert_eq!([bytes(0), bytes(8), bytes(9), bytes(1 << 20)], [64, 64, 128, 8 << 20]);
}

#[test]
#[should_panic(expected = "`100/x` has no unit")]
fn a_rate_that_is_none_is_told_where_it_is_written() {
    let _ = limit("100/x");
}
