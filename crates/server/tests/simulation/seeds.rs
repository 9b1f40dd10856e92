//! Clients of every kind, on networks of every kind, from seeds.

use std::time::Duration;

use gannet_engine::sim::{Faults, Network, Random};
use gannet_server::{Command, Limits};

use crate::caller::Caller;
use crate::plan::Plan;
use crate::site;
use crate::world::{Setup, World, simulate};

/// Steps of one seed: more is a standstill.
const PATIENCE: usize = 500_000;

/// The largest body.
const LARGEST: usize = 300_000;

/// After its clients have left a server lets go of everything within this.
const AFTERWARDS: Duration = Duration::from_secs(150);

/// What a seed may bring.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Weather {
    /// Nothing is lost, and everybody behaves: every request has to be answered.
    Fair,
    /// Anything.
    Foul,
}

/// Says how to see a failure again.
struct Replay<'a> {
    seed: u64,
    test: &'static str,
    network: &'a Network,
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

fn setup(random: &mut Random) -> Setup {
    let mut limits = Limits::default();
    if random.chance(0.5) {
        limits.output_bytes = random.magnitude(1..=64 * 1024) as u64;
        limits.body_window_bytes = random.magnitude(1..=64 * 1024);
        limits.discard_bytes = random.magnitude(1000..=256 * 1024) as u64;
    } else {
        limits.discard_bytes = 1000;
    }
    Setup {
        workers: random.range(1..=4),
        limits,
        block_bytes: random.magnitude(64..=16 * 1024),
        blocks: 4096,
    }
}

fn faults(weather: Weather, random: &mut Random) -> Faults {
    let any = Faults::from_seed(random);
    match (weather, random.range(0..=2)) {
        (Weather::Fair, 0) => Faults::none(),
        (Weather::Fair, 1) => Faults::benign(),
        (Weather::Fair, _) => fast_enough(Faults { reset: 0.0, loss: 0.0, ..any }),
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

/// One seed: a server, its clients, and what must be left in the end.
async fn run(seed: u64, weather: Weather, test: &'static str) {
    let mut random = Random::new(seed);
    let faults = faults(weather, &mut random);
    // What passes through a socket a byte at a time is not large.
    let most = LARGEST.min(faults.capacity.start() * 2000);
    let network = Network::new(seed, faults);
    let _replay = Replay { seed, test, network: &network };
    if std::env::var_os("GANNET_SEED").is_some() {
        network.keep_trace(usize::MAX);
    }
    let setup = setup(&mut random);
    let mut world = World::new(network.clone(), &site::site(random.chance(0.3)), &setup);
    let now = world.now();
    let mut callers: Vec<Caller> = (1..=random.magnitude(1..=12) as u64)
        .map(|client| {
            let proper = weather == Weather::Fair || random.chance(0.4);
            let plan = if proper { Plan::proper } else { Plan::improper }(client, most, &mut random);
            Caller::new(plan, now, &mut random)
        })
        .collect();
    serve(&mut world, &mut callers, &setup).await;
    for caller in &callers {
        match weather {
            Weather::Fair => caller.check_all_answered(),
            Weather::Foul => caller.check_what_was_answered(),
        }
    }
    drop(callers);
    world.run(AFTERWARDS).await;
    world.assert_nothing_leaked();
    drain(&mut world, &setup).await;
}

/// Lets server and clients act until all clients are done.
async fn serve(world: &mut World, callers: &mut [Caller], setup: &Setup) {
    for _ in 0..PATIENCE {
        world.settle();
        assert_within_bounds(world, setup);
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
        let next = callers.iter().filter_map(|caller| caller.next(now)).chain(world.next_event()).min();
        let forgotten = callers.iter().find(|caller| caller.is_forgotten(now));
        assert!(forgotten.is_none(), "left waiting: {forgotten:?}");
        world.advance_to(next.unwrap_or_else(|| panic!("a standstill: {callers:?}"))).await;
    }
    panic!("no end after {PATIENCE} steps: {callers:?}");
}

/// A worker holds no more than its connections may.
fn assert_within_bounds(world: &World, setup: &Setup) {
    let Setup { limits, block_bytes, .. } = setup;
    // Chunks are merged until they use half of their blocks; one block is being received, one parsed.
    let window = 2 * limits.body_window_bytes.div_ceil(*block_bytes) + 3;
    // Two outputs, of pieces that share received blocks from 4 KiB on.
    let output = 2 * (limits.output_bytes as usize / 4096 + 1);
    // What a conversation has said and the connection has not yet taken.
    let channel = 64 * 1024 / block_bytes + 1;
    for (blocks, connections) in world.usage() {
        let most = connections * (window + output + channel);
        assert!(blocks <= most, "{blocks} blocks, {most} for {connections} connections: {setup:?}");
    }
}

async fn drain(world: &mut World, setup: &Setup) {
    let began = world.now();
    world.command(Command::Drain);
    world.run(Duration::from_secs(1)).await;
    assert!(world.is_done(), "nothing is left to finish, so draining is quick");
    assert!(world.now().since(began) <= setup.limits.drain_timeout);
}

/// The seeds to go through: `GANNET_SEED` names one, `GANNET_SEEDS` how many.
fn seeds(usual: u64) -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|value: String| value.parse::<u64>().ok());
    match (number("GANNET_SEED"), number("GANNET_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count) => 0..count.unwrap_or(usual),
    }
}

#[test]
fn every_request_of_a_client_that_behaves_is_answered_in_order_and_nothing_leaks() {
    let test = "every_request_of_a_client_that_behaves";
    simulate(async {
        for seed in seeds(1000) {
            run(seed, Weather::Fair, test).await;
        }
    });
}

#[test]
fn whatever_clients_and_networks_do_no_answer_is_wrong_and_nothing_leaks() {
    let test = "whatever_clients_and_networks_do";
    simulate(async {
        for seed in seeds(1000) {
            run(seed, Weather::Foul, test).await;
        }
    });
}

#[test]
fn a_seed_gives_the_same_run_each_time() {
    let run_again = |seed| {
        simulate(async move {
            let mut random = Random::new(seed);
            let network = Network::new(seed, faults(Weather::Foul, &mut random));
            let _replay = Replay { seed, test: "a_seed", network: &network };
            let setup = setup(&mut random);
            let mut world = World::new(network.clone(), &site::site(false), &setup);
            let plan = Plan::improper(1, 9000, &mut random);
            let mut callers = vec![Caller::new(plan, world.now(), &mut random)];
            serve(&mut world, &mut callers, &setup).await;
            network.fingerprint()
        })
    };
    for seed in 0..20 {
        assert_eq!(run_again(seed), run_again(seed), "seed {seed}");
    }
    assert_ne!(run_again(1), run_again(2));
}
