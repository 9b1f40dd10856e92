//! Clients of every kind, a proxy, and one upstream or several behind it, on networks of every kind, from seeds.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use gannet_core::{Counter, UpstreamError, UpstreamProtocol};
use gannet_engine::Moment;
use gannet_engine::sim::{Network, Random};
use gannet_features::proxy::{Balance, Ejection, ProxyOptions};

use crate::caller::{Caller, Over};
use crate::plan::Plan;
use crate::rig::{front, upstream_address};
use crate::simulation::{
    AFTERWARDS, Actor, LARGEST, Replay, Tally, Weather, drain, faults, order, seeds, serve, setup,
};
use crate::site;
use crate::wire;
use crate::world::{Setup, World, address, simulate};

/// Seeds to go through unless told otherwise.
const USUAL: u64 = 400;

/// Longer than any seed takes.
const PATIENCE: Duration = Duration::from_secs(100_000);

/// Clients of one seed, at most.
const CLIENTS: usize = 12;

/// A client whose request shares the connection between proxy and upstream with those of all others.
#[derive(Debug)]
struct Sharing(Caller);

impl Actor for Sharing {
    fn step(&mut self, world: &World) -> bool {
        self.0.step(world)
    }

    fn over(&self) -> Option<Over> {
        self.0.over()
    }

    fn waits(&self, now: Moment) -> Duration {
        self.0.waits(now)
    }

    fn next(&self, now: Moment) -> Option<Moment> {
        self.0.next(now)
    }

    fn window_blocks(setup: &Setup) -> usize {
        let window = setup.limits.body_window_bytes.max(setup.limits.h2.stream_window_bytes as usize);
        CLIENTS * (2 * window.div_ceil(setup.block_bytes) + 3)
    }
}

/// What happened to connections to upstreams in all seeds.
#[derive(Default)]
struct Links {
    connected: u64,
    reused: u64,
    taken_over: u64,
    retried: u64,
    failed: u64,
}

impl Links {
    fn count(&mut self, world: &World) {
        self.connected += world.counted(Counter::UpstreamConnected);
        self.reused += world.counted(Counter::UpstreamReused);
        self.taken_over += world.counted(Counter::UpstreamTakenOver);
        self.retried += world.counted(Counter::UpstreamRetried);
        self.failed += world.counted(Counter::UpstreamFailed);
    }
}

fn options(weather: Weather, random: &mut Random) -> ProxyOptions {
    let failures = *random.pick(&[0, 1, 3]);
    let balance = *random.pick(&[Balance::RoundRobin, Balance::LeastConnections]);
    let ejection = Ejection { failures, ..Ejection::default() };
    let protocol = *random.pick(&[UpstreamProtocol::Http1, UpstreamProtocol::Http2]);
    let mut options = ProxyOptions { balance, ejection, protocol, ..ProxyOptions::default() };
    if weather == Weather::Fair {
        options.timeouts.idle = PATIENCE;
    }
    options
}

/// A server of the pair. What waits for blocks at a proxy may hold those of both its sides, so there are enough.
fn server(weather: Weather, clients: usize, random: &mut Random) -> Setup {
    let mut setup = setup(weather, clients, random);
    let upstream = &mut setup.limits.upstream;
    upstream.upstream_window_bytes = setup.limits.body_window_bytes;
    upstream.upstream_output_bytes = setup.limits.output_bytes;
    if random.chance(0.2) {
        upstream.upstream_idle_connections = random.range(0..=2);
    }
    upstream.upstream_takeover_delay = random.duration(Duration::from_micros(10)..=Duration::from_secs(1));
    upstream.upstream_idle_timeout = random.duration(Duration::from_millis(1)..=Duration::from_secs(60));
    setup.blocks = 8192;
    if weather == Weather::Fair {
        // An upstream waits for a client that is slow to read, and must not lose its patience.
        setup.limits.write_timeout = PATIENCE;
    }
    setup
}

/// One seed: a proxy, its upstreams, its clients, and what must be left in the end.
async fn run(seed: u64, weather: Weather, test: &'static str, tally: &mut Tally, links: &mut Links) {
    let mut random = Random::new(seed);
    let faults = faults(weather, &mut random);
    // What passes through a socket a byte at a time is not large.
    let most = LARGEST.min(faults.capacity.start() * 1000);
    let network = Network::new(seed, faults);
    let _replay = Replay { seed, test, network: &network };
    if std::env::var_os("GANNET_SEED").is_some() {
        network.keep_trace(usize::MAX);
    }
    let clients = random.magnitude(1..=CLIENTS);
    let setup = server(weather, clients, &mut random);
    let upstreams: Vec<SocketAddr> = (0..random.range(1..=3) as u8).map(upstream_address).collect();
    let options = options(weather, &mut random);
    let protocol = options.protocol;
    let mut world = World::new(network.clone(), &front(options, &upstreams), &setup);
    for upstream in &upstreams {
        let mut setup = server(weather, 100, &mut random);
        if weather == Weather::Fair {
            // One that finds out too late that it has had enough of a body closes without a word, and the next request, whosever it is, meets that.
            setup.limits.discard_bytes = u64::MAX;
        }
        world.start(*upstream, &site::strict_site(), &setup);
    }
    let tls = wire::client_tls();
    let mut callers: Vec<Caller> = (1..=clients as u64)
        .map(|client| {
            let proper = weather == Weather::Fair || random.chance(0.5);
            let plan = if proper { Plan::proper } else { Plan::improper }(client, most, &mut random);
            let plan = match protocol {
                UpstreamProtocol::Http2 => plan.by_websocket(),
                _ => plan,
            };
            let tls = random.chance(0.2).then(|| tls.clone());
            Caller::new(plan, world.now(), &mut random).by(tls)
        })
        .collect();
    let told = if random.chance(0.5) { address() } else { *random.pick(&upstreams) };
    let order = order(weather, told, &world, &mut random);
    if protocol == UpstreamProtocol::Http2 {
        let mut sharing: Vec<Sharing> = callers.into_iter().map(Sharing).collect();
        serve(&mut world, &mut sharing, &setup, order).await;
        callers = sharing.into_iter().map(|sharing| sharing.0).collect();
    } else {
        serve(&mut world, &mut callers, &setup, order).await;
    }
    for caller in &callers {
        match weather {
            Weather::Fair => caller.check_all_answered(),
            Weather::Foul => caller.check_what_was_answered(&failures()),
        }
        tally.count(caller);
    }
    drop(callers);
    world.run(AFTERWARDS).await;
    world.assert_nothing_leaked();
    links.count(&world);
    drain(&mut world).await;
}

/// What a client may be told in the place of its answer: that it is too slow, or what became of the upstream.
fn failures() -> Vec<u16> {
    let errors =
        [UpstreamError::Closed, UpstreamError::HeadTimeout, UpstreamError::Busy, UpstreamError::RequestBody];
    errors.iter().map(|error| error.status().code()).chain([408]).collect()
}

fn run_all(weather: Weather, test: &'static str) -> (Range<u64>, Tally, Links) {
    let (seeds, mut tally, mut links) = (seeds(USUAL), Tally::default(), Links::default());
    simulate(async {
        for seed in seeds.clone() {
            run(seed, weather, test, &mut tally, &mut links).await;
        }
    });
    (seeds, tally, links)
}

#[test]
fn through_a_proxy_every_request_of_a_client_that_behaves_gets_its_own_answer_whole() {
    let test = "through_a_proxy_every_request";
    let (seeds, tally, links) = run_all(Weather::Fair, test);
    let statuses = [101, 200, 204, 400, 404, 405, 417, 500, 501, 505];
    tally.assert_seen(&seeds, &statuses, &[Over::Left, Over::Ended]);
    let seen = [links.connected, links.reused, links.taken_over];
    assert!(seeds.end - seeds.start < USUAL || seen.iter().all(|count| *count > 20), "{seen:?}");
}

#[test]
fn through_a_proxy_whatever_anybody_does_no_answer_is_wrong_or_anothers_and_nothing_leaks() {
    let test = "through_a_proxy_whatever_anybody_does";
    let (seeds, tally, links) = run_all(Weather::Foul, test);
    let ends = [Over::Left, Over::Ended, Over::Reset];
    tally.assert_seen(&seeds, &[101, 200, 400, 404, 500, 502], &ends);
    let seen = [links.connected, links.reused, links.taken_over, links.retried, links.failed];
    assert!(seeds.end - seeds.start < USUAL || seen.iter().all(|count| *count > 2), "{seen:?}");
}
