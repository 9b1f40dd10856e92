//! A proxy on the simulated network, and an upstream that does what a test says.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gannet_engine::sim::{Acceptor, Client, Faults, Network};
use gannet_features::proxy::{Proxy, ProxyOptions};
use gannet_server::{Site, SiteBuilder};

use crate::peer::Peer;
use crate::world::{Setup, World, simulate};

pub const SECOND: Duration = Duration::from_secs(1);

/// Where upstreams listen.
pub fn upstream_address(number: u8) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 100 + number], 80))
}

/// Passes everything on to upstreams.
pub fn front(options: ProxyOptions, upstreams: &[SocketAddr]) -> Arc<Site> {
    let targets: Vec<String> = upstreams.iter().map(ToString::to_string).collect();
    let proxy = Proxy::new(&targets, options, &|_| Err("there is no TLS here".to_owned()));
    let mut site = SiteBuilder::new();
    site.endpoint(None, "/*", proxy.expect("each target is an address").factory());
    Arc::new(site.build().expect("one pattern is no mistake"))
}

/// Runs `test` on a proxy of one worker, on a network where nothing goes wrong.
pub fn proxy(test: impl AsyncFnOnce(&mut World, &Upstream)) {
    proxy_by(&Setup::default(), test);
}

/// The same, of more workers, or with other limits.
pub fn proxy_by(setup: &Setup, test: impl AsyncFnOnce(&mut World, &Upstream)) {
    simulate(async {
        let network = Network::new(0, Faults::none());
        let upstream = Upstream::listen(&network);
        let site = front(ProxyOptions::default(), &[upstream_address(0)]);
        let mut world = World::new(network, &site, setup);
        test(&mut world, &upstream).await;
    });
}

/// An upstream of a test.
pub struct Upstream {
    acceptor: Acceptor,
}

/// A connection that a proxy made to it.
pub struct Link {
    pub client: Client,
    ended: bool,
}

impl Upstream {
    pub fn listen(network: &Network) -> Upstream {
        Upstream { acceptor: network.listen(upstream_address(0)) }
    }

    pub fn accept(&self) -> Link {
        self.next().expect("the proxy has connected")
    }

    /// The next connection, if there is one.
    pub fn next(&self) -> Option<Link> {
        Some(Link { client: self.acceptor.accept()?, ended: false })
    }

    /// A client's request for a path, and the connection that it came by; an answer is awaited there.
    pub async fn asked(&self, peer: &mut Peer, target: &str, world: &mut World) -> Link {
        peer.get(target);
        world.run(Duration::ZERO).await;
        let mut link = self.accept();
        link.assert_asked("GET", target);
        link
    }
}

impl Link {
    /// What has come since the last time.
    pub fn hear(&mut self) -> String {
        let (mut heard, mut room) = (Vec::new(), vec![0; 64 * 1024]);
        while !self.ended {
            match self.client.read(&mut room) {
                Ok(0) => self.ended = true,
                Ok(count) => heard.extend_from_slice(&room[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => self.ended = true,
            }
        }
        String::from_utf8(heard).expect("tests send text")
    }

    /// Hears a request for `target`, and nothing else.
    pub fn assert_asked(&mut self, method: &str, target: &str) {
        let heard = self.hear();
        assert!(heard.starts_with(&format!("{method} {target} HTTP/1.1\r\n")), "{heard}");
        assert_eq!(heard.matches("\r\n\r\n").count(), 1, "{heard}");
    }

    /// Says all of it.
    pub fn say(&mut self, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        assert_eq!(self.client.write(text).expect("the connection is open"), text.len(), "there is room");
    }

    /// Answers with a text.
    pub fn answer(&mut self, text: &str) {
        self.say(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len()));
    }

    /// Whether the proxy has neither ended the connection nor its half.
    pub fn is_open(&self) -> bool {
        self.client.is_open()
    }
}
