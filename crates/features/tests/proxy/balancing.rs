//! Which upstream is asked, which is left out, and what goes elsewhere.

use std::io::ErrorKind;
use std::time::Duration;

use gannet_core::UpstreamError;
use gannet_features::proxy::{Balance, Ejection, Proxy, ProxyError, ProxyOptions};

use super::world::{CLIENT, Does, From, Proxied, SERVER, poll};

const REFUSED: UpstreamError = UpstreamError::Connect(ErrorKind::ConnectionRefused);

fn three() -> Proxied {
    Proxied::new(&[1, 2, 3], ProxyOptions::default())
}

fn asked(proxied: &Proxied, times: usize) -> Vec<u16> {
    (0..times).for_each(|_| _ = proxied.get(""));
    proxied.asked()
}

/// Every request to an upstream on these ports fails.
fn broken(proxied: &Proxied, ports: &[u16], does: &Does) {
    *proxied.world.rules.borrow_mut() = ports.iter().map(|port| (*port, does.clone())).collect();
}

#[test]
fn each_upstream_has_its_turn_and_each_worker_begins_at_another() {
    let proxy =
        Proxy::new(&[":1", ":2", ":3"], ProxyOptions::default(), &|_| Err(String::new())).expect("targets");
    let factory = proxy.factory();
    let firsts = [0, 1, 2].map(|_| {
        let proxied = Proxied { handler: factory(), world: Default::default() };
        let asked = asked(&proxied, 6);
        assert_eq!(asked[..3], asked[3..]);
        asked[0]
    });
    assert_eq!(firsts, [1, 2, 3]);
}

#[test]
fn the_upstream_with_the_fewest_exchanges_is_asked_and_equals_in_their_turn() {
    let proxied = Proxied::new(
        &[1, 2, 3],
        ProxyOptions { balance: Balance::LeastConnections, ..ProxyOptions::default() },
    );
    assert_eq!(asked(&proxied, 4), [1, 2, 3, 1]);
    *proxied.world.under_way.borrow_mut() = vec![(1, 5), (2, 3), (3, 4)];
    assert_eq!(asked(&proxied, 2), [2, 2]);
    *proxied.world.under_way.borrow_mut() = vec![(1, 1), (2, 3), (3, 1)];
    assert_eq!(asked(&proxied, 4), [3, 1, 3, 1]);
}

#[test]
fn what_was_not_sent_goes_elsewhere_once() {
    let proxied = three();
    proxied.script([Does::FailsUnsent(REFUSED)]);
    assert_eq!(proxied.get("").status().code(), 200);
    assert_eq!(proxied.asked(), [1, 2]);
    proxied.script([Does::FailsUnsent(REFUSED), Does::FailsUnsent(UpstreamError::ConnectTimeout)]);
    assert_eq!(proxied.get("").status().code(), 504, "why it failed at last");
    assert_eq!(proxied.asked(), [3, 1], "and never to a third");
}

#[test]
fn what_goes_elsewhere_is_the_same_request() {
    let proxied = three();
    proxied.script([Does::FailsUnsent(REFUSED)]);
    proxied.ask("POST /a?b HTTP/1.1", "X-A: 1\r\nTE: trailers\r\n");
    let (second, first) = (proxied.last(), proxied.last());
    assert_eq!((first.line, first.fields), (second.line, second.fields));
    assert_eq!(first.accepts_trailers, second.accepts_trailers);
}

#[test]
fn what_was_sent_goes_nowhere_else() {
    let proxied = three();
    proxied.script([Does::Fails(UpstreamError::Closed)]);
    assert_eq!(proxied.get("").status().code(), 502);
    assert_eq!(proxied.asked(), [1]);
}

#[test]
fn with_one_upstream_there_is_no_elsewhere() {
    let proxied = Proxied::plain();
    proxied.script([Does::FailsUnsent(REFUSED)]);
    assert_eq!(proxied.get("").status().code(), 502);
    assert_eq!(proxied.asked(), [3000]);
}

#[test]
fn where_there_is_no_room_it_goes_elsewhere_and_where_the_client_or_we_end_it_it_does_not() {
    for (error, times) in
        [(UpstreamError::Busy, 2), (UpstreamError::RequestBody, 1), (UpstreamError::Stopping, 1)]
    {
        let proxied = three();
        proxied.script([Does::FailsUnsent(error.clone())]);
        proxied.get("");
        assert_eq!(proxied.asked().len(), times, "{error:?}");
    }
}

#[test]
fn after_three_failures_in_a_row_an_upstream_is_left_out_for_ten_seconds() {
    let proxied = three();
    broken(&proxied, &[2], &Does::FailsUnsent(REFUSED));
    assert_eq!(asked(&proxied, 9).iter().filter(|port| **port == 2).count(), 3);
    proxied.pass(Duration::from_millis(9999));
    assert!(!asked(&proxied, 6).contains(&2));
    proxied.pass(Duration::from_millis(1));
    broken(&proxied, &[], &Does::Waits);
    assert_eq!(
        asked(&proxied, 6).iter().filter(|port| **port == 2).count(),
        2,
        "it answers, and has its turns again"
    );
}

#[test]
fn each_further_time_is_twice_as_long_up_to_a_minute_and_a_success_begins_anew() {
    let proxied = Proxied::new(&[1, 2], ProxyOptions::default());
    broken(&proxied, &[2], &Does::FailsUnsent(REFUSED));
    asked(&proxied, 8);
    for seconds in [10, 20, 40, 60, 60] {
        proxied.pass(Duration::from_secs(seconds) - Duration::from_millis(1));
        assert!(!asked(&proxied, 4).contains(&2), "{seconds} s are not over");
        proxied.pass(Duration::from_millis(1));
        assert!(asked(&proxied, 4).contains(&2), "{seconds} s are over: one more failure is enough");
        assert!(!asked(&proxied, 4).contains(&2));
    }
    proxied.pass(Duration::from_secs(60));
    broken(&proxied, &[], &Does::Waits);
    assert!(asked(&proxied, 2).contains(&2));
    broken(&proxied, &[2], &Does::FailsUnsent(REFUSED));
    asked(&proxied, 8);
    proxied.pass(Duration::from_secs(10));
    assert!(asked(&proxied, 2).contains(&2));
}

#[test]
fn a_success_between_failures_makes_them_none_in_a_row() {
    let proxied = Proxied::new(&[1, 2], ProxyOptions::default());
    let fails = || Does::Fails(UpstreamError::Closed);
    // The second's turns: failure, failure, success, and again.
    for _ in 0..3 {
        let turns = [fails(), fails(), Does::Answers(200)];
        proxied.script(turns.into_iter().flat_map(|does| [Does::Answers(200), does]));
        assert_eq!(asked(&proxied, 6), [1, 2, 1, 2, 1, 2]);
    }
}

#[test]
fn where_all_are_left_out_the_one_that_comes_back_first_is_asked() {
    let proxied = Proxied::new(&[1, 2], ProxyOptions::default());
    broken(&proxied, &[1], &Does::Fails(UpstreamError::Closed));
    asked(&proxied, 6);
    proxied.pass(Duration::from_secs(1));
    broken(&proxied, &[1, 2], &Does::Fails(UpstreamError::Closed));
    asked(&proxied, 3);
    assert_eq!(asked(&proxied, 3), [1, 1, 1], "its time ends a second earlier");
    assert_eq!(proxied.get("").status().code(), 502, "what it says, and no refusal");
}

#[test]
fn what_is_not_the_upstream_s_fault_leaves_it_in() {
    for error in [
        UpstreamError::Busy,
        UpstreamError::NoConnectProtocol,
        UpstreamError::RequestBody,
        UpstreamError::Stopping,
    ] {
        let proxied = Proxied::new(&[1, 2], ProxyOptions::default());
        broken(&proxied, &[2], &Does::Fails(error.clone()));
        assert_eq!(asked(&proxied, 10).iter().filter(|port| **port == 2).count(), 5, "{error:?}");
    }
    for error in [
        UpstreamError::ConnectTimeout,
        UpstreamError::HeadTimeout,
        UpstreamError::Malformed("a"),
        UpstreamError::Tls("a".into()),
    ] {
        let proxied = Proxied::new(&[1, 2], ProxyOptions::default());
        broken(&proxied, &[2], &Does::Fails(error.clone()));
        assert_eq!(asked(&proxied, 10).iter().filter(|port| **port == 2).count(), 3, "{error:?}");
    }
}

#[test]
fn responses_of_500_and_above_count_where_that_is_wanted() {
    for (server_errors, code, times) in [(false, 500, 5), (true, 500, 3), (true, 499, 5)] {
        let ejection = Ejection { server_errors, ..Ejection::default() };
        let proxied = Proxied::new(&[1, 2], ProxyOptions { ejection, ..ProxyOptions::default() });
        broken(&proxied, &[2], &Does::Answers(code));
        assert_eq!(asked(&proxied, 10).iter().filter(|port| **port == 2).count(), times, "{code}");
    }
}

#[test]
fn an_ejection_after_no_failures_is_none() {
    let ejection = Ejection { failures: 0, ..Ejection::default() };
    let proxied = Proxied::new(&[1, 2], ProxyOptions { ejection, ..ProxyOptions::default() });
    broken(&proxied, &[2], &Does::Fails(UpstreamError::Closed));
    assert_eq!(asked(&proxied, 20).iter().filter(|port| **port == 2).count(), 10);
}

#[test]
fn workers_share_what_they_know_of_an_upstream() {
    let proxy = Proxy::new(&[":1", ":2"], ProxyOptions::default(), &|_| Err(String::new())).expect("targets");
    let factory = proxy.factory();
    let workers = [0, 1].map(|_| Proxied { handler: factory(), world: Default::default() });
    broken(&workers[0], &[2], &Does::Fails(UpstreamError::Closed));
    asked(&workers[0], 6);
    assert!(!asked(&workers[1], 6).contains(&2));
}

#[test]
fn what_fails_while_an_upstream_is_left_out_was_begun_before_and_does_not_count_again() {
    let proxied = Proxied::new(&[1, 2], ProxyOptions::default());
    broken(&proxied, &[2], &Does::Waits);
    let from = From { peer: Some(CLIENT), server: Some(SERVER), is_secure: false };
    let mut replies: Vec<_> =
        (0..20).map(|_| proxied.begin(from, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")).collect();
    replies.retain_mut(|reply| poll(reply).is_none());
    assert_eq!(replies.len(), 10);
    for call in proxied.world.waiting.take() {
        call.answer(Err(UpstreamError::Closed.into()));
        call.recycle();
    }
    assert!(replies.iter_mut().all(|reply| poll(reply).is_some()));
    proxied.pass(Duration::from_secs(10));
    broken(&proxied, &[], &Does::Waits);
    proxied.asked();
    assert!(asked(&proxied, 2).contains(&2), "ten failures, and ten seconds");
}

#[test]
fn more_than_256_upstreams_are_refused_and_so_are_none() {
    let new = |count: u16| {
        let targets: Vec<String> = (0..count).map(|number| format!(":{}", 1000 + number)).collect();
        Proxy::new(&targets, ProxyOptions::default(), &|_| Err(String::new())).err()
    };
    assert_eq!((new(256), new(257)), (None, Some(ProxyError::TooMany(256))));
    assert_eq!(new(0), Some(ProxyError::NoTarget));
}

#[test]
fn tls_is_set_up_by_the_name_of_the_server_and_its_refusal_told() {
    let new = |target: &str| {
        Proxy::new(&[target], ProxyOptions::default(), &|name| match name {
            "127.0.0.1" => {
                Ok(gannet_core::UpstreamTls { server_name: name.into(), settings: std::sync::Arc::new(()) })
            }
            _ => Err("no such authority".to_owned()),
        })
    };
    let proxy = new("https://127.0.0.1").expect("settings");
    let upstream = proxy.upstreams().next().expect("an upstream");
    assert_eq!(upstream.tls.as_ref().map(|tls| &*tls.server_name), Some("127.0.0.1"));
    let proxy = new("http://127.0.0.1").expect("no settings are needed");
    assert!(proxy.upstreams().next().expect("an upstream").tls.is_none());
    let error = new("https://[::1]:8443").err().expect("refused").to_string();
    assert!(error.contains("https://[::1]:8443") && error.contains("no such authority"), "{error}");
}

#[test]
fn an_upstream_has_5_s_to_be_connected_to_and_60_s_to_answer_and_without_a_byte() {
    let timeouts = |options: ProxyOptions| {
        let proxy = Proxy::new(&[":1"], options, &|_| Err(String::new())).expect("a target");
        let upstream = proxy.upstreams().next().expect("an upstream");
        [upstream.timeouts.connect, upstream.timeouts.head, upstream.timeouts.idle].map(|time| time.as_secs())
    };
    assert_eq!(timeouts(ProxyOptions::default()), [5, 60, 60]);
    let mut options = ProxyOptions::default();
    options.timeouts.head = Duration::from_secs(7);
    assert_eq!(timeouts(options), [5, 7, 60]);
}
