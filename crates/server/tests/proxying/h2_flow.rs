//! Windows and turns: what is not read is not asked for, and stops nobody else.

use crate::h2_rig::{Heard, MOMENT, Stage, proxy};
use crate::peer::Peer;
use crate::rig::SECOND;

#[test]
fn what_a_client_does_not_read_is_not_asked_of_the_upstream_and_others_go_on() {
    proxy(async |world, upstream| {
        let mut peers: Vec<Peer> = (0..40).map(|_| Peer::connect(world)).collect();
        for (number, peer) in peers.iter_mut().enumerate() {
            if number > 0 {
                peer.client.set_capacity(1000);
            }
            peer.get(&format!("/{number}"));
        }
        world.run(MOMENT).await;
        let mut stage = Stage::accept(upstream);
        let asked = stage.asked();
        assert_eq!(asked.len(), 40);
        let mut sent = vec![0; 40];
        for (stream, _) in &asked {
            stage.respond(*stream, 200, b"", Some(300_000));
        }
        for _ in 0..100 {
            for (number, (stream, _)) in asked.iter().enumerate() {
                let room = stage.protocol.room(stage.key(*stream)).min(300_000 - sent[number]);
                if room > 0 {
                    stage.push(*stream, &vec![b'x'; room], sent[number] + room == 300_000);
                    sent[number] += room;
                    world.run(MOMENT).await;
                }
            }
            world.run(SECOND / 100).await;
            stage.hear();
            peers[0].hear();
        }
        assert_eq!(peers[0].statuses(), [200], "who reads gets all of it");
        for (number, sent) in sent.iter().enumerate().skip(1) {
            assert!((65_535..250_000).contains(sent), "{number} was asked for {sent}");
        }
        assert!(world.blocks() < 800, "{} blocks", world.blocks());
        drop(peers);
        world.run(MOMENT).await;
        let resets = stage.hear().into_iter().filter(|heard| matches!(heard, Heard::Reset { .. })).count();
        assert_eq!(resets, 39);
        assert_eq!(world.held_by_clients(), (1, 0));
    });
}

#[test]
fn bodies_of_several_requests_go_out_in_turns_within_the_upstream_s_windows() {
    proxy(async |world, upstream| {
        let mut peers: Vec<Peer> = (0..3).map(|_| Peer::connect(world)).collect();
        for peer in &mut peers {
            peer.post("/", 100_000);
            assert_eq!(peer.push(100_000), 100_000);
        }
        world.run(MOMENT).await;
        let mut stage = Stage::accept(upstream);
        let (mut received, mut apart) = ([0_usize; 3], 0);
        for _ in 0..200 {
            for heard in stage.hear() {
                if let Heard::Data { stream, bytes, .. } = heard {
                    received[(stream as usize - 1) / 2] += bytes.len();
                    let (least, most) = (received.iter().min().unwrap(), received.iter().max().unwrap());
                    apart = apart.max(most - least);
                }
            }
            world.run(MOMENT).await;
        }
        assert_eq!(received, [100_000; 3]);
        assert!(apart <= 66_000, "none is ahead of others by more than its window: {apart}");
        for stream in [1, 3, 5] {
            stage.answer(stream, "yes");
        }
        world.run(MOMENT).await;
        assert!(peers.iter_mut().all(|peer| peer.statuses() == [200]));
    });
}

#[test]
fn an_upstream_s_window_of_a_few_bytes_is_kept_to() {
    proxy(async |world, upstream| {
        let mut peer = Peer::connect(world);
        peer.post("/", 5000);
        assert_eq!(peer.push(5000), 5000);
        let limits = gannet_proto::h2::Limits { stream_window_bytes: 1000, ..Default::default() };
        world.run(MOMENT).await;
        let mut stage = Stage::accept_by(upstream, limits);
        // What was sent before its settings came is within the window that everybody has at first.
        let mut received = 0;
        for _ in 0..20 {
            for heard in stage.hear() {
                if let Heard::Data { bytes, .. } = heard {
                    received += bytes.len();
                }
            }
            world.run(MOMENT).await;
        }
        assert_eq!(received, 5000);
        stage.answer(1, "yes");
        world.run(MOMENT).await;
        assert_eq!(peer.statuses(), [200]);
        peer.post("/", 5000);
        assert_eq!(peer.push(5000), 5000);
        world.run(MOMENT).await;
        let mut pieces = Vec::new();
        for _ in 0..20 {
            for heard in stage.hear() {
                if let Heard::Data { bytes, .. } = heard {
                    pieces.push(bytes.len());
                }
            }
            world.run(MOMENT).await;
        }
        assert_eq!(pieces.iter().sum::<usize>(), 5000);
        assert!(pieces.iter().all(|piece| *piece <= 1000), "{pieces:?}");
    });
}

#[test]
fn a_large_body_goes_through_both_ways_at_the_pace_of_who_reads() {
    proxy(async |world, upstream| {
        let mut peer = Peer::connect(world);
        peer.client.set_capacity(10_000);
        peer.post("/", 400_000);
        world.run(MOMENT).await;
        let mut stage = Stage::accept(upstream);
        stage.client.client().set_capacity(10_000);
        let (mut pushed, mut received, mut sent) = (0, 0, 0);
        stage.hear();
        stage.respond(1, 200, b"", Some(400_000));
        for _ in 0..2000 {
            pushed += peer.push(400_000 - pushed);
            for heard in stage.hear() {
                if let Heard::Data { bytes, .. } = heard {
                    received += bytes.len();
                }
            }
            let room = stage.protocol.room(stage.key(1)).min(400_000 - sent).min(2000);
            if room > 0 && received > sent {
                stage.push(1, &vec![b'y'; room], false);
                sent += room;
            }
            peer.hear();
            world.run(SECOND / 1000).await;
            assert!(world.blocks() < 40, "{} blocks", world.blocks());
        }
        assert_eq!((pushed, received, sent), (400_000, 400_000, 400_000));
        stage.finish(1, b"");
        world.run(MOMENT).await;
        assert_eq!(peer.statuses(), [200]);
    });
}
