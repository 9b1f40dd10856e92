//! Every deadline of the table, on a clock that passes only when it is told to.

use std::time::Duration;

use gannet_server::{Command, Limits, TABLE};

use crate::peer::{Peer, serve};
use crate::site;

const SECOND: Duration = Duration::from_secs(1);

fn defaults() -> Limits {
    Limits::default()
}

#[test]
fn the_table_says_the_defaults_that_hold() {
    let limits = defaults();
    let kibibytes = |bytes: u64| format!("{} KiB", bytes / 1024);
    let time = |time: Duration| match time.subsec_millis() {
        0 => format!("{} s", time.as_secs()),
        _ => format!("{} ms", time.as_millis()),
    };
    let each_upstream = |count: usize| format!("{count} for each worker and upstream");
    for row in TABLE {
        let holds = match row.name {
            "head_timeout" => time(limits.head_timeout),
            "body_grace" => time(limits.body_grace),
            "body_bytes_per_second" => limits.body_bytes_per_second.to_string(),
            "body_window_bytes" => kibibytes(limits.body_window_bytes as u64),
            "discard_bytes" => kibibytes(limits.discard_bytes),
            "output_bytes" => kibibytes(limits.output_bytes),
            "write_timeout" => time(limits.write_timeout),
            "idle_timeout" => time(limits.idle_timeout),
            "linger_timeout" => time(limits.linger_timeout),
            "tls_handshake_timeout" => time(limits.tls_handshake_timeout),
            "handshakes_per_turn" => limits.handshakes_per_turn.to_string(),
            "connections" => format!("{} or what descriptors allow", limits.connections),
            "connections_per_address" if limits.connections_per_address == usize::MAX => "unlimited".into(),
            "drain_grace" => time(limits.drain_grace),
            "drain_timeout" => time(limits.drain_timeout),
            "log_field_bytes" => kibibytes(limits.log_field_bytes as u64),
            "log_ring_bytes" => format!("{} MiB for each worker", limits.log_ring_bytes / 1024 / 1024),
            "worker_hold" => time(limits.worker_hold),
            "log_flush_timeout" => time(limits.log_flush_timeout),
            "upstream_connections" => each_upstream(limits.upstream.upstream_connections),
            "upstream_idle_connections" => each_upstream(limits.upstream.upstream_idle_connections),
            "upstream_h2_streams" => {
                let streams = limits.upstream.upstream_h2_streams;
                format!("{streams} for each connection, and for each that is being made")
            }
            "upstream_idle_timeout" => time(limits.upstream.upstream_idle_timeout),
            "upstream_takeover_delay" => time(limits.upstream.upstream_takeover_delay),
            "upstream_continue_timeout" => time(limits.upstream.upstream_continue_timeout),
            "upstream_window_bytes" => kibibytes(limits.upstream.upstream_window_bytes as u64),
            "upstream_output_bytes" => kibibytes(limits.upstream.upstream_output_bytes),
            name => panic!("{name} has no test"),
        };
        assert_eq!(row.default, holds, "{}", row.name);
    }
}

#[test]
fn head_timeout_a_head_that_comes_a_byte_a_second_is_answered_408_after_10_s() {
    serve(defaults(), async |world| {
        let mut peer = Peer::connect(world);
        for byte in b"GET / HTTP".chunks(1) {
            peer.say(byte);
            assert!(!peer.is_ended());
            world.run(SECOND).await;
        }
        world.run(SECOND / 5).await;
        assert_eq!((peer.statuses(), peer.is_ended()), (vec![408], true));
    });
}

#[test]
fn head_timeout_a_connection_that_says_nothing_at_first_is_closed_without_a_word() {
    serve(defaults(), async |world| {
        let mut peer = Peer::connect(world);
        peer.assert_ends_after(10 * SECOND, world).await;
        assert!(peer.hear().is_empty() && peer.is_ended());
    });
}

#[test]
fn head_timeout_empty_lines_keep_nobody_connected_and_are_no_request() {
    serve(defaults(), async |world| {
        let mut peer = Peer::connect(world);
        peer.say("\r\n");
        world.run(5 * SECOND).await;
        peer.say("\r\n");
        peer.assert_ends_after(5 * SECOND, world).await;
        assert!(peer.hear().is_empty());
    });
}

#[test]
fn head_timeout_runs_for_each_head_from_its_first_byte() {
    serve(defaults(), async |world| {
        let mut peer = Peer::connect(world);
        for _ in 0..3 {
            world.run(9 * SECOND).await;
            peer.say("GET /plain HTTP/1.1\r\n");
            world.run(9 * SECOND).await;
            peer.say("Host: a\r\n\r\n");
        }
        world.run(SECOND).await;
        assert_eq!(peer.statuses(), [200, 200, 200]);
    });
}

#[test]
fn head_timeout_does_not_run_while_a_request_waits_for_the_answers_before_it() {
    serve(defaults(), async |world| {
        let mut peer = Peer::connect(world);
        peer.client.set_capacity(1000);
        peer.get("/plain?length=50000");
        peer.say("GET /plain HTT");
        world.run(SECOND).await;
        peer.say("P/1.1\r\nHost: a\r\n\r\n");
        for _ in 0..60 {
            world.run(SECOND).await;
            peer.hear();
        }
        assert_eq!(peer.statuses(), [200, 200]);
    });
}

#[test]
fn body_grace_a_body_may_pause_for_less_than_10_s() {
    serve(defaults(), async |world| {
        let mut peer = Peer::connect(world);
        peer.post("/collect", 4);
        peer.say("ab");
        world.run(SECOND * 9 + SECOND / 2).await;
        peer.say("cd");
        world.run(SECOND).await;
        assert_eq!(peer.statuses(), [200]);
        peer.post("/collect", 4);
        peer.say("ab");
        world.run(10 * SECOND + SECOND / 5).await;
        assert_eq!((peer.statuses(), peer.is_ended(), site::live()), (vec![200, 408], true, 0));
    });
}

#[test]
fn body_bytes_per_second_a_body_of_one_byte_a_second_is_answered_408_and_its_handler_dropped() {
    serve(defaults(), async |world| {
        let mut peer = Peer::connect(world);
        peer.post("/collect", 100);
        for _ in 0..10 {
            assert!(!peer.is_ended());
            peer.say("x");
            world.run(SECOND).await;
        }
        world.run(SECOND / 4).await;
        assert_eq!((peer.statuses(), peer.is_ended(), site::live()), (vec![408], true, 0));
    });
}

#[test]
fn body_bytes_per_second_a_body_of_240_bytes_a_second_may_take_its_time() {
    serve(defaults(), async |world| {
        let mut peer = Peer::connect(world);
        peer.post("/collect", 240 * 90);
        for _ in 0..90 {
            peer.say([b'x'; 240]);
            world.run(SECOND).await;
        }
        assert_eq!(peer.statuses(), [200]);
    });
}

#[test]
fn a_body_that_its_handler_is_slow_to_read_is_not_too_slow() {
    let limits = Limits { body_window_bytes: 1000, ..defaults() };
    serve(limits, async |world| {
        let mut peer = Peer::connect(world);
        peer.post("/slowly?ms=15000", 50_000);
        peer.say([b'x'; 50_000]);
        world.run(100 * SECOND).await;
        assert_eq!(peer.statuses(), [200]);
    });
}

#[test]
fn write_timeout_a_client_that_never_reads_is_gone_after_30_s() {
    serve(defaults(), async |world| {
        let mut peer = Peer::connect(world);
        peer.client.set_capacity(1000);
        peer.get("/plain?length=100000");
        world.run(29 * SECOND).await;
        assert_eq!(world.connections(), 1);
        world.run(SECOND + SECOND / 5).await;
        world.assert_nothing_leaked();
    });
}

#[test]
fn write_timeout_a_client_that_reads_a_little_now_and_then_stays() {
    serve(defaults(), async |world| {
        let mut peer = Peer::connect(world);
        peer.client.set_capacity(1000);
        peer.get("/plain?length=10000");
        for _ in 0..12 {
            world.run(25 * SECOND).await;
            peer.hear();
        }
        assert_eq!(peer.statuses(), [200]);
    });
}

#[test]
fn write_timeout_ends_also_those_who_ended_their_half() {
    serve(defaults(), async |world| {
        let mut peer = Peer::connect(world);
        peer.client.set_capacity(1000);
        peer.get("/plain?length=100000");
        peer.client.finish();
        world.run(30 * SECOND + SECOND / 5).await;
        world.assert_nothing_leaked();
    });
}

#[test]
fn idle_timeout_a_connection_without_requests_is_closed_after_75_s() {
    serve(defaults(), async |world| {
        let mut peer = Peer::connect(world);
        for _ in 0..2 {
            peer.get("/plain");
            world.run(70 * SECOND).await;
        }
        peer.assert_ends_after(5 * SECOND, world).await;
        assert_eq!(peer.statuses(), [200, 200]);
        world.assert_nothing_leaked();
    });
}

#[test]
fn linger_timeout_who_goes_on_sending_after_the_last_answer_is_cut_off_after_2_s() {
    serve(defaults(), async |world| {
        let mut peer = Peer::connect(world);
        peer.say("GET /plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        for _ in 0..19 {
            world.run(SECOND / 10).await;
            assert_eq!(peer.push(1000), 1000, "it is discarded, and not refused");
        }
        assert_eq!((peer.statuses(), peer.is_ended(), world.connections()), (vec![200], true, 1));
        world.run(SECOND / 4).await;
        world.assert_nothing_leaked();
    });
}

#[test]
fn lingering_ends_with_the_client() {
    serve(defaults(), async |world| {
        let mut peer = Peer::connect(world);
        peer.say("GET /plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        world.run(SECOND / 10).await;
        assert_eq!((peer.statuses(), world.connections()), (vec![200], 1));
        peer.client.finish();
        world.run(Duration::ZERO).await;
        world.assert_nothing_leaked();
    });
}

#[test]
fn drain_grace_an_idle_connection_has_500_ms_for_a_last_request() {
    serve(defaults(), async |world| {
        let (mut idle, mut late) = (Peer::connect(world), Peer::connect(world));
        for peer in [&mut idle, &mut late] {
            peer.get("/plain");
        }
        world.run(SECOND).await;
        world.command(Command::Drain);
        world.run(SECOND / 10 * 4).await;
        assert!(!idle.is_ended() && !world.is_done());
        late.get("/plain");
        world.run(SECOND / 5).await;
        assert!(idle.is_ended() && late.is_ended());
        assert_eq!((idle.statuses(), late.statuses()), (vec![200], vec![200, 200]));
        assert!(late.hear()[1].closes(), "the answer says that it is the last");
        late.client.finish();
        world.run(Duration::ZERO).await;
        assert!(world.is_done());
    });
}

#[test]
fn draining_finishes_what_runs_and_accepts_what_waits() {
    serve(defaults(), async |world| {
        let mut busy = Peer::connect(world);
        busy.get("/later?ms=20000&id=7");
        world.run(SECOND).await;
        let mut waits = Peer::connect(world);
        waits.get("/plain");
        world.command(Command::Drain);
        world.run(SECOND).await;
        assert_eq!(waits.statuses(), [200]);
        assert!(world.network.connect(crate::world::address()).is_err(), "nobody listens any more");
        world.run(20 * SECOND).await;
        assert_eq!(busy.statuses(), [200]);
        drop((busy, waits));
        world.run(SECOND).await;
        assert!(world.is_done());
        world.assert_nothing_leaked();
    });
}

#[test]
fn drain_timeout_what_is_not_finished_after_30_s_is_aborted() {
    serve(defaults(), async |world| {
        let mut peer = Peer::connect(world);
        peer.get("/later?ms=100000");
        world.run(SECOND).await;
        world.command(Command::Drain);
        world.run(SECOND * 29).await;
        assert!(!world.is_done() && site::live() == 1);
        world.run(SECOND + SECOND / 10).await;
        assert!(world.is_done() && peer.is_ended() && peer.statuses().is_empty());
        world.assert_nothing_leaked();
    });
}

#[test]
fn stopping_ends_everything_at_once() {
    serve(defaults(), async |world| {
        let mut peer = Peer::connect(world);
        peer.get("/later?ms=100000");
        world.run(SECOND).await;
        world.command(Command::Stop);
        world.run(Duration::ZERO).await;
        assert!(world.is_done() && peer.is_ended());
        world.assert_nothing_leaked();
    });
}
