//! Clients of HTTP/2 of every kind, on networks of every kind, from seeds.

use std::ops::Range;
use std::time::Duration;

use gannet_engine::Moment;
use gannet_engine::sim::{Network, Random};

use super::caller::Caller;
use super::plan::Plan;
use crate::caller::Over;
use crate::simulation::{
    AFTERWARDS, Actor, LARGEST, Replay, Tally, Weather, drain, faults, order, seeds, serve, setup,
};
use crate::world::{Setup, World, address, simulate};
use crate::{site, wire};

/// Seeds to go through unless told otherwise.
const USUAL: u64 = 800;

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
        let h2 = setup.limits.h2;
        // Chunks of a stream are merged until they use half of their blocks, but for the last one.
        2 * (h2.connection_window_bytes as usize).div_ceil(setup.block_bytes) + 2 * h2.streams as usize + 8
    }
}

fn multiplexed(weather: Weather, clients: usize, random: &mut Random) -> Setup {
    let mut setup = setup(weather, clients, random);
    if weather == Weather::Fair {
        // Where blocks are used up nothing is read, which may be what a stream waits for.
        setup.blocks = 65_536;
    }
    let h2 = &mut setup.limits.h2;
    if random.chance(0.5) {
        h2.stream_window_bytes = random.magnitude(1024..=100_000) as u32;
        h2.connection_window_bytes = random.magnitude(65_535..=1_000_000) as u32;
        h2.header_table_bytes = random.magnitude(0..=8192) as u32;
        h2.streams = random.magnitude(1..=128) as u32;
    }
    setup
}

/// One seed: a server, its clients, and what must be left in the end.
async fn run(seed: u64, weather: Weather, test: &'static str, tally: &mut Tally) {
    let mut random = Random::new(seed);
    let faults = faults(weather, &mut random);
    // What passes through a socket a byte at a time is not large.
    let most = LARGEST.min(faults.capacity.start() * 500);
    let network = Network::new(seed, faults);
    let _replay = Replay { seed, test, network: &network };
    if std::env::var_os("GANNET_SEED").is_some() {
        network.keep_trace(usize::MAX);
    }
    let clients = random.magnitude(1..=8);
    let setup = multiplexed(weather, clients, &mut random);
    let mut world = World::new(network.clone(), &site::site(random.chance(0.3)), &setup);
    let tls = wire::client_tls();
    let mut callers: Vec<Caller> = (1..=clients as u64)
        .map(|client| {
            let proper = weather == Weather::Fair || random.chance(0.3);
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
            Weather::Foul => caller.check_what_was_answered(),
        }
        tally.note(caller.over(), caller.statuses());
    }
    drop(callers);
    world.run(AFTERWARDS).await;
    world.assert_nothing_leaked();
    drain(&mut world).await;
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
fn every_stream_of_a_client_that_behaves_is_answered_and_nothing_leaks() {
    let (seeds, tally) = run_all(Weather::Fair, "every_stream_of_a_client_that_behaves");
    tally.assert_seen(&seeds, &[200, 204, 404, 405, 414, 431, 500], &[Over::Left, Over::Ended]);
}

#[test]
fn whatever_clients_of_many_streams_and_networks_do_no_answer_is_wrong_and_nothing_leaks() {
    let (seeds, tally) = run_all(Weather::Foul, "whatever_clients_of_many_streams");
    let ends = [Over::Left, Over::Ended, Over::Reset, Over::Refused];
    tally.assert_seen(&seeds, &[200, 404, 408, 500], &ends);
}

#[test]
fn a_seed_of_many_streams_gives_the_same_run_each_time() {
    let run_again = |seed| {
        simulate(async move {
            let mut random = Random::new(seed);
            let network = Network::new(seed, faults(Weather::Foul, &mut random));
            let _replay = Replay { seed, test: "a_seed_of_many_streams", network: &network };
            let setup = multiplexed(Weather::Foul, 1, &mut random);
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
