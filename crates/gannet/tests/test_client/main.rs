//! The test client: what it says and hears is what clients with sockets do, and its time is virtual.

mod assertions;
mod conversations;
mod requests;
mod time;
mod websocket;
