//! The simulated network: it behaves like TCP, goes wrong in every way it says, and does so the same way each time.

#[path = "simulator/echo.rs"]
mod echo;
#[path = "simulator/faults.rs"]
mod faults;
#[path = "simulator/outbound.rs"]
mod outbound;
#[path = "simulator/table.rs"]
mod table;
#[path = "simulator/takeover.rs"]
mod takeover;
#[path = "simulator/tcp.rs"]
mod tcp;
