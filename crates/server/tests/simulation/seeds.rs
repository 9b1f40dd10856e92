//! Clients of every kind, on networks of every kind, from seeds.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use gannet_engine::Moment;
use gannet_engine::sim::{Faults, Network, Random};
use gannet_server::{Command, Limits};

use crate::caller::{Caller, Over};
use crate::plan::{DISCARDED, Plan};
use crate::site;
use crate::wire;
use crate::world::{Setup, World, address, simulate};

/// Steps of one seed: more is a standstill.
const STEPS: usize = 2_000_000;

/// The largest body.
pub const LARGEST: usize = 300_000;

/// After its clients have left a server lets go of everything within this.
pub const AFTERWARDS: Duration = Duration::from_secs(150);

/// Longer than any deadline of the server, and any pause of its handlers.
const LONGEST: Duration = Duration::from_secs(150);

/// Seeds to go through unless told otherwise.
const USUAL: u64 = 5000;

/// What a seed may bring.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weather {
    /// Nothing is lost, and everybody behaves: every request has to be answered.
    Fair,
    /// Anything.
    Foul,
}

/// Says how to see a failure again.
pub struct Replay<'a> {
    pub seed: u64,
    pub test: &'static str,
    pub network: &'a Network,
}

impl Drop for Replay<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.network.trace());
            eprintln!(
                "seed {} failed; to see it again:\n    GANNET_SEED={} cargo test -p gannet-server --test simulation {}",
                self.seed, self.seed, self.test
            );
        }
    }
}

pub fn setup(weather: Weather, clients: usize, random: &mut Random) -> Setup {
    let mut limits = Limits::default();
    if random.chance(0.5) {
        limits.output_bytes = random.magnitude(1..=64 * 1024) as u64;
        limits.body_window_bytes = random.magnitude(1..=64 * 1024);
        limits.discard_bytes = random.magnitude(DISCARDED..=256 * 1024) as u64;
    } else {
        limits.discard_bytes = DISCARDED as u64;
    }
    if weather == Weather::Fair {
        // A network that is fast enough for requests may not be for a handshake, which is longer.
        limits.tls_handshake_timeout = LONGEST;
    }
    let (workers, block_bytes) = (random.range(1..=4), random.magnitude(64..=16 * 1024));
    let mut blocks = 4096;
    if weather == Weather::Foul {
        let scarce =
            |random: &mut Random, most| if random.chance(0.2) { random.range(1..=most) } else { 1000 };
        limits.connections = scarce(random, clients);
        limits.connections_per_address = scarce(random, clients);
        // As the host has it: a block for each connection, and some to share.
        blocks = limits.connections.min(clients) * 2 + scarce(random, 20);
    }
    Setup { workers, limits, block_bytes, blocks, ..Setup::default() }
}

/// What a server is told while its clients are busy, and when.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    moment: Moment,
    server: SocketAddr,
    command: Command,
}

/// What a server is told, if it is told something.
pub fn order(weather: Weather, server: SocketAddr, world: &World, random: &mut Random) -> Option<Order> {
    let told = *random.pick(&[None, None, None, None, Some(Command::Drain), Some(Command::Stop)]);
    let wait = Duration::from_millis(random.magnitude(0..=10_000) as u64);
    let told = told.filter(|_| weather == Weather::Foul);
    told.map(|command| Order { moment: world.now().after(wait), server, command })
}

pub fn faults(weather: Weather, random: &mut Random) -> Faults {
    let any = Faults::from_seed(random);
    match (weather, random.range(0..=2)) {
        (Weather::Fair, 0) => Faults::none(),
        (Weather::Fair, 1) => Faults::benign(),
        (Weather::Fair, _) => {
            fast_enough(Faults { reset: 0.0, loss: 0.0, refusal: 0.0, silence: 0.0, ..any })
        }
        (Weather::Foul, _) => any,
    }
}

/// Nobody shall be too slow for the server because the network is.
fn fast_enough(faults: Faults) -> Faults {
    let most = Duration::from_micros(50) * u32::try_from(*faults.capacity.start()).unwrap_or(u32::MAX);
    Faults {
        delay_at_most: faults.delay_at_most.min(most),
        late_at_most: faults.late_at_most.min(most),
        ..faults
    }
}

/// A client of a seed.
pub trait Actor: Debug {
    /// Does what can be done now; says whether that was anything.
    fn step(&mut self, world: &World) -> bool;
    /// How its connection ended, if it has.
    fn over(&self) -> Option<Over>;
    /// For how long it has waited for something to happen.
    fn waits(&self, now: Moment) -> Duration;
    /// When it next does something without being told something.
    fn next(&self, now: Moment) -> Option<Moment>;
    /// Blocks that the server may hold for what it has said.
    fn window_blocks(setup: &Setup) -> usize;
}

impl Actor for Caller {
    fn step(&mut self, world: &World) -> bool {
        Caller::step(self, world)
    }

    fn over(&self) -> Option<Over> {
        Caller::over(self)
    }

    fn waits(&self, now: Moment) -> Duration {
        Caller::waits(self, now)
    }

    fn next(&self, now: Moment) -> Option<Moment> {
        Caller::next(self, now)
    }

    fn window_blocks(setup: &Setup) -> usize {
        // Chunks are merged until they use half of their blocks; one block is being received, one parsed.
        2 * setup.limits.body_window_bytes.div_ceil(setup.block_bytes) + 3
    }
}

/// One seed: a server, its clients, and what must be left in the end.
async fn run(seed: u64, weather: Weather, test: &'static str, tally: &mut Tally) {
    let mut random = Random::new(seed);
    let faults = faults(weather, &mut random);
    // What passes through a socket a byte at a time is not large.
    let most = LARGEST.min(faults.capacity.start() * 2000);
    let network = Network::new(seed, faults);
    let _replay = Replay { seed, test, network: &network };
    if std::env::var_os("GANNET_SEED").is_some() {
        network.keep_trace(usize::MAX);
    }
    let clients = random.magnitude(1..=12);
    let setup = setup(weather, clients, &mut random);
    let mut world = World::new(network.clone(), &site::site(random.chance(0.3)), &setup);
    let tls = wire::client_tls();
    let mut callers: Vec<Caller> = (1..=clients as u64)
        .map(|client| {
            let proper = weather == Weather::Fair || random.chance(0.4);
            let plan = if proper { Plan::proper } else { Plan::improper }(client, most, &mut random);
            // A record for every few bytes is no more than many steps.
            let by_tls = random.chance(0.3) && setup.limits.output_bytes >= 1024;
            let tls = by_tls.then(|| tls.clone());
            Caller::new(plan, world.now(), &mut random).by(tls)
        })
        .collect();
    let order = order(weather, address(), &world, &mut random);
    serve(&mut world, &mut callers, &setup, order).await;
    for caller in &callers {
        match weather {
            Weather::Fair => caller.check_all_answered(),
            Weather::Foul => caller.check_what_was_answered(&[408]),
        }
        tally.count(caller);
    }
    drop(callers);
    world.run(AFTERWARDS).await;
    world.assert_nothing_leaked();
    drain(&mut world).await;
}

/// Lets server and clients act until all clients are done.
pub async fn serve<C: Actor>(world: &mut World, callers: &mut [C], setup: &Setup, mut order: Option<Order>) {
    // Whoever waits for a place waits for all that are before it.
    let places = setup.limits.connections.min(callers.len());
    let patience = LONGEST * u32::try_from(callers.len() / places).expect("few clients");
    for _ in 0..STEPS {
        world.settle();
        assert_within_bounds::<C>(world);
        let mut acted = false;
        for caller in &mut *callers {
            acted |= caller.step(world);
        }
        if acted {
            continue;
        }
        if callers.iter().all(|caller| caller.over().is_some()) {
            return;
        }
        let now = world.now();
        if let Some(Order { server, command, .. }) = order.take_if(|order| order.moment <= now) {
            world.command_at(server, command);
            continue;
        }
        let forgotten = callers.iter().find(|caller| caller.waits(now) > patience);
        assert!(forgotten.is_none(), "left waiting: {forgotten:?}");
        let told = order.map(|order| order.moment);
        let next = callers.iter().filter_map(|caller| caller.next(now)).chain(world.next_event()).chain(told);
        let next = next.min().unwrap_or_else(|| panic!("a standstill: {callers:?}"));
        world.advance_to(next).await;
    }
    panic!("no end after {STEPS} steps: {callers:?}");
}

/// A worker holds no more than its connections may.
fn assert_within_bounds<C: Actor>(world: &World) {
    for (blocks, connections, setup) in world.usage() {
        let Setup { limits, block_bytes, .. } = setup;
        let window = C::window_blocks(setup);
        // Two outputs, of pieces that share received blocks from 4 KiB on.
        let output = 2 * (limits.output_bytes as usize / 4096 + 1);
        // What a conversation has said and the connection has not yet taken.
        let channel = 64 * 1024 / block_bytes + 1;
        let most = connections * (window + output + channel);
        assert!(blocks <= most, "{blocks} blocks, {most} for {connections} connections: {setup:?}");
    }
}

pub async fn drain(world: &mut World) {
    world.command(Command::Drain);
    world.run(Duration::from_secs(1)).await;
    assert!(world.is_done(), "nothing is left to finish, so draining is quick");
}

/// What happened in all seeds: a simulation in which nothing happens shows nothing.
#[derive(Default)]
pub struct Tally {
    answers: BTreeMap<u16, usize>,
    ends: BTreeMap<String, usize>,
}

impl Tally {
    pub fn count(&mut self, caller: &Caller) {
        self.note(caller.over(), caller.statuses());
    }

    pub fn note(&mut self, over: Option<Over>, statuses: impl Iterator<Item = u16>) {
        *self.ends.entry(format!("{over:?}")).or_default() += 1;
        for status in statuses {
            *self.answers.entry(status).or_default() += 1;
        }
    }

    /// Checks that each of these happened now and then.
    pub fn assert_seen(&self, seeds: &Range<u64>, statuses: &[u16], ends: &[Over]) {
        let Tally { answers, ends: ended } = self;
        let enough = (seeds.end - seeds.start) as usize / 100;
        let seen = |count: Option<&usize>| count.is_some_and(|count| *count >= enough) || enough == 0;
        assert!(statuses.iter().all(|status| seen(answers.get(status))), "{answers:?}");
        assert!(ends.iter().all(|end| seen(ended.get(&format!("{:?}", Some(end))))), "{ended:?}");
    }
}

/// The seeds to go through, so many unless told otherwise: `GANNET_SEED` names one, `GANNET_SEEDS` how many.
pub fn seeds(usual: u64) -> Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|value: String| value.parse::<u64>().ok());
    match (number("GANNET_SEED"), number("GANNET_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count) => 0..count.unwrap_or(usual),
    }
}

fn run_all(weather: Weather, test: &'static str) -> (Range<u64>, Tally) {
    let (seeds, mut tally) = (seeds(USUAL), Tally::default());
    simulate(async {
        for seed in seeds.clone() {
            run(seed, weather, test, &mut tally).await;
        }
    });
    (seeds, tally)
}

#[test]
fn every_request_of_a_client_that_behaves_is_answered_in_order_and_nothing_leaks() {
    let (seeds, tally) = run_all(Weather::Fair, "every_request_of_a_client_that_behaves");
    let statuses = [101, 200, 204, 400, 404, 405, 417, 500, 501, 505];
    tally.assert_seen(&seeds, &statuses, &[Over::Left, Over::Ended]);
}

#[test]
fn whatever_clients_and_networks_do_no_answer_is_wrong_and_nothing_leaks() {
    let (seeds, tally) = run_all(Weather::Foul, "whatever_clients_and_networks_do");
    let ends = [Over::Left, Over::Ended, Over::Reset, Over::Refused];
    tally.assert_seen(&seeds, &[101, 200, 400, 404, 408, 500], &ends);
}

#[test]
fn a_seed_gives_the_same_run_each_time() {
    let run_again = |seed| {
        simulate(async move {
            let mut random = Random::new(seed);
            let network = Network::new(seed, faults(Weather::Foul, &mut random));
            let _replay = Replay { seed, test: "a_seed", network: &network };
            let setup = setup(Weather::Foul, 1, &mut random);
            let mut world = World::new(network.clone(), &site::site(false), &setup);
            let plan = Plan::improper(1, 9000, &mut random);
            let mut callers = vec![Caller::new(plan, world.now(), &mut random)];
            serve(&mut world, &mut callers, &setup, None).await;
            network.fingerprint()
        })
    };
    for seed in 0..20 {
        assert_eq!(run_again(seed), run_again(seed), "seed {seed}");
    }
    assert_ne!(run_again(1), run_again(2));
}
