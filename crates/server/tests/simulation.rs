//! The whole server in the simulator, also as a proxy: several workers on one thread, virtual time, everything drawn from a seed.

#[path = "simulation/bounds.rs"]
mod bounds;
#[path = "simulation/caller.rs"]
mod caller;
#[path = "simulation/conduct.rs"]
mod conduct;
#[path = "simulation/content.rs"]
mod content;
#[path = "simulation/conversations.rs"]
mod conversations;
#[path = "simulation/deadlines.rs"]
mod deadlines;
#[path = "simulation/peer.rs"]
mod peer;
#[path = "simulation/plan.rs"]
mod plan;
#[path = "simulation/proxy_header.rs"]
mod proxy_header;
#[path = "simulation/reader.rs"]
mod reader;
#[path = "simulation/seeds.rs"]
mod simulation;
#[path = "simulation/site.rs"]
mod site;
#[path = "simulation/tls.rs"]
mod tls;
#[path = "simulation/wire.rs"]
mod wire;
#[path = "simulation/world.rs"]
mod world;

mod multiplexing;

#[path = "proxying/asker.rs"]
mod asker;
#[path = "proxying/h2_rig.rs"]
mod h2_rig;

#[path = "proxying/deadlines.rs"]
mod proxy_deadlines;
#[path = "proxying/h2_exchanges.rs"]
mod proxy_h2_exchanges;
#[path = "proxying/h2_failures.rs"]
mod proxy_h2_failures;
#[path = "proxying/h2_flow.rs"]
mod proxy_h2_flow;
#[path = "proxying/h2_lies.rs"]
mod proxy_h2_lies;
#[path = "proxying/h2_pools.rs"]
mod proxy_h2_pools;
#[path = "proxying/h2_smuggling.rs"]
mod proxy_h2_smuggling;
#[path = "proxying/h2_tls.rs"]
mod proxy_h2_tls;
#[path = "proxying/h2_translation.rs"]
mod proxy_h2_translation;
#[path = "proxying/h2_tunnels.rs"]
mod proxy_h2_tunnels;
#[path = "proxying/handshakes.rs"]
mod proxy_handshakes;
#[path = "proxying/interim.rs"]
mod proxy_interim;
#[path = "proxying/lies.rs"]
mod proxy_lies;
#[path = "proxying/pools.rs"]
mod proxy_pools;
#[path = "proxying/seeds.rs"]
mod proxy_seeds;
#[path = "proxying/rig.rs"]
mod rig;
