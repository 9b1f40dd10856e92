//! Every filter on every protocol: one table of what is asked of an application behind a filter, and what is answered, over HTTP/1.1 and HTTP/2, in clear text and over TLS, on
//! each backend that this machine can run.

mod case;
#[expect(dead_code, reason = "shared with the tests of the server, which use all of it")]
#[path = "../common/client/mod.rs"]
mod client;
#[path = "../common/mod.rs"]
mod common;
#[expect(dead_code, unused_imports, reason = "shared with the tests of the server, which use all of it")]
#[path = "../server/rig.rs"]
mod rig;
mod rows;

use crate::client::Client;
use crate::rig::{Over, Server, Serves, on_each_protocol};

on_each_protocol!(every_filter_does_what_its_row_says);

fn every_filter_does_what_its_row_says(over: Over) {
    for row in rows::all() {
        let server = Server::start((row.app)(), over);
        let mut client: Option<Client> = None;
        for case in &row.cases {
            let connected = client.get_or_insert_with(|| server.client());
            connected.send(&case.request);
            let answer = if case.has_no_body { connected.head() } else { connected.answer() };
            case.check(&answer, over.speaks, row.name);
            // What is refused before its body has come may end the connection.
            if case.ends {
                client = None;
            }
        }
    }
}
