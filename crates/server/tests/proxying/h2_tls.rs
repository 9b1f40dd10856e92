//! Upstreams over TLS: what they choose is what is spoken.

use std::sync::Arc;

use gannet_core::{Counter, UpstreamProtocol, UpstreamTls};
use gannet_engine::sim::{Faults, Network};
use gannet_features::proxy::{Proxy, ProxyOptions};
use gannet_link::ServerTls;
use gannet_proto::h2::{self, ErrorCode};
use gannet_server::{Preamble, Site, SiteBuilder};

use crate::h2_rig::{Heard, MOMENT, Stage};
use crate::peer::Peer;
use crate::rig::{Upstream, upstream_address};
use crate::site;
use crate::wire::{Wire, client_tls, http1_tls, server_tls};
use crate::world::{Setup, World, simulate};

pub fn front(protocol: UpstreamProtocol) -> Arc<Site> {
    let settings = Arc::new(client_tls());
    let tls = move |_: &str| Ok(UpstreamTls { server_name: "a".into(), settings: settings.clone() });
    let target = format!("https://{}", upstream_address(0));
    let options = ProxyOptions { protocol, ..ProxyOptions::default() };
    let proxy = Proxy::new(&[target], options, &tls).expect("an address");
    let mut site = SiteBuilder::new();
    site.endpoint(None, "/*", proxy.factory());
    Arc::new(site.build().expect("one pattern is no mistake"))
}

/// A proxy, and this server as its upstream over TLS.
async fn world(protocol: UpstreamProtocol, tls: ServerTls) -> World {
    let network = Network::new(0, Faults::none());
    let mut world = World::new(network, &front(protocol), &Setup::default());
    let preamble = Preamble { tls: Some(tls), ..Preamble::default() };
    world.start(upstream_address(0), &site::site(false), &Setup { preamble, ..Setup::default() });
    world
}

async fn ask(count: usize, world: &mut World) -> Vec<u16> {
    let mut peers: Vec<Peer> = (0..count).map(|_| Peer::connect(world)).collect();
    peers.iter_mut().for_each(|peer| peer.get("/later?id=1001&length=10&ms=5&yields=0"));
    world.run(crate::rig::SECOND).await;
    peers.iter_mut().flat_map(|peer| peer.statuses()).collect()
}

#[test]
fn what_an_upstream_chooses_over_tls_is_spoken() {
    use UpstreamProtocol::{Http1, Http2, Negotiated};
    for (protocol, tls, statuses, connections) in [
        // Once it is known that it speaks HTTP/2 all share what there is.
        (Negotiated, server_tls(), [200; 4], 1),
        (Negotiated, http1_tls(), [200; 4], 4),
        (Http1, server_tls(), [200; 4], 4),
        (Http2, server_tls(), [200; 4], 1),
        (Http2, http1_tls(), [502; 4], 2),
    ] {
        simulate(async {
            let mut world = world(protocol, tls).await;
            assert_eq!(ask(1, &mut world).await, statuses[..1], "{protocol:?}");
            assert_eq!(ask(4, &mut world).await, statuses, "{protocol:?}");
            assert_eq!(world.counted(Counter::UpstreamConnected), connections, "{protocol:?}");
        });
    }
}

#[test]
fn requests_that_come_before_anything_is_known_have_connections_of_their_own_and_share_them_afterwards() {
    simulate(async {
        let mut world = world(UpstreamProtocol::Negotiated, server_tls()).await;
        assert_eq!(ask(4, &mut world).await, [200; 4]);
        assert_eq!(ask(40, &mut world).await, [200; 40]);
        assert_eq!(world.counted(Counter::UpstreamConnected), 4);
        world.run(100 * crate::rig::SECOND).await;
        assert_eq!(world.held_by_clients(), (0, 0));
        world.assert_nothing_leaked();
    });
}

#[test]
fn an_upgrade_goes_by_http_1_1_to_an_upstream_that_would_rather_have_http_2() {
    simulate(async {
        let mut world = world(UpstreamProtocol::Negotiated, server_tls()).await;
        assert_eq!(ask(1, &mut world).await, [200]);
        let mut peer = Peer::connect(&world);
        peer.say(
            "GET /upgrade?id=1001 HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nhello",
        );
        world.run(MOMENT).await;
        assert_eq!(peer.conversation(), b"hello");
        assert_eq!(ask(1, &mut world).await, [200]);
        assert_eq!(world.counted(Counter::UpstreamConnected), 2, "the next request shares the first again");
    });
}

#[test]
fn a_request_that_an_upstream_wants_by_http_1_1_it_gets_so() {
    simulate(async {
        let network = Network::new(0, Faults::none());
        let upstream = Upstream::listen(&network);
        let mut world = World::new(network, &front(UpstreamProtocol::Negotiated), &Setup::default());
        let mut peer = Peer::connect(&world);
        peer.get("/a");
        world.run(MOMENT).await;
        let mut stage =
            Stage::of(Wire::serving(upstream.accept().client, &server_tls()), h2::Limits::default());
        let mut heard = Vec::new();
        for _ in 0..6 {
            heard.extend(stage.hear());
            world.run(MOMENT).await;
        }
        assert!(matches!(&heard[..], [Heard::Request { stream: 1, .. }]), "{heard:?}");
        stage.reset(1, ErrorCode::HTTP_1_1_REQUIRED);
        world.run(MOMENT).await;
        let mut other = Wire::serving(upstream.accept().client, &server_tls());
        let mut said = Vec::new();
        for _ in 0..10 {
            let mut room = [0; 4096];
            if let Ok(count) = other.read(&mut room) {
                said.extend_from_slice(&room[..count]);
            }
            world.run(MOMENT).await;
        }
        assert!(said.starts_with(b"GET /a HTTP/1.1\r\n"), "{}", said.escape_ascii());
        other.write(b"HTTP/1.1 204 No Content\r\n\r\n").expect("it is open");
        world.run(MOMENT).await;
        assert_eq!((peer.statuses(), world.counted(Counter::UpstreamRetried)), (vec![204], 1));
    });
}
