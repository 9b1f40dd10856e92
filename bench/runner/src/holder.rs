//! Connections that are held open by processes of their own, for as many as one process has no descriptors.
//!
//! `gannet-bench hold ADDRESS PATH BODY_BYTES BLOCK COUNT` opens the connections from addresses of its own block, has one
//! answer over each, and says so on a line; for each line that it is sent it asks once more over each, and says so; at the
//! end of its input it ends.

use std::{
    env,
    io::{self, BufRead, BufReader, Write},
    net::SocketAddr,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use crate::{
    client::{Client, Expected, Load, LoadError},
    work::Protocol,
};

/// The first argument that makes the bench a holder.
pub const NAME: &str = "hold";
/// Holders use the blocks from here on.
const FIRST_BLOCK: u8 = 10;

/// A process that holds connections; dropped, it is killed and waited for.
pub struct Holder {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    connections: usize,
}

impl Holder {
    /// Starts the process, which begins to connect.
    pub fn start(load: &Load, number: usize, connections: usize) -> Result<Holder, LoadError> {
        let block = FIRST_BLOCK + u8::try_from(number).map_err(io::Error::other)?;
        let mut command = Command::new(env::current_exe()?);
        command.args([NAME, &load.address.to_string(), &load.paths[0]]);
        command.args([load.expected.body_bytes().to_string(), block.to_string(), connections.to_string()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => {
                Ok(Holder { child, input, output: BufReader::new(output), connections })
            }
            _ => Err(io::Error::other("a holder has no pipes").into()),
        }
    }

    /// Waits until all of its connections have been answered. It may take as long as its own client waits.
    pub fn wait(&mut self) -> Result<(), LoadError> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        match line.trim() {
            told if told == self.connections.to_string() => Ok(()),
            "" => Err(io::Error::other("a process that holds connections ended").into()),
            told => Err(io::Error::other(told.to_owned()).into()),
        }
    }

    /// Has it ask over each of its connections once more; wait for it afterwards.
    pub fn ask(&mut self) -> Result<(), LoadError> {
        Ok(self.input.write_all(b"\n")?)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill, only to collect.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the process does; what goes wrong is told on the line that is waited for.
pub fn run(arguments: &[String]) -> Result<(), String> {
    hold(arguments).map_err(|error| {
        println!("{error}");
        error
    })
}

fn hold(arguments: &[String]) -> Result<(), String> {
    let [address, path, body_bytes, block, connections] = arguments else {
        return Err(format!("usage: gannet-bench {NAME} ADDRESS PATH BODY_BYTES BLOCK COUNT"));
    };
    let number = |text: &str| text.parse::<u64>().map_err(|_| format!("not a number: {text}"));
    let connections = number(connections)? as usize;
    let block = u8::try_from(number(block)?).map_err(|error| error.to_string())?;
    let load = Load {
        protocol: Protocol::Http1,
        address: address.parse::<SocketAddr>().map_err(|error| format!("{address}: {error}"))?,
        tls: None,
        paths: vec![path.clone()],
        fields: String::new(),
        connections: 1,
        depth: 1,
        expected: Expected::whole(number(body_bytes)?),
        copied: false,
    };
    let mut client =
        Client::connect_from(&Load { connections, ..load }, block).map_err(|error| error.to_string())?;
    let mut lines = io::stdin().lines();
    loop {
        client.ask_each().map_err(|error| error.to_string())?;
        println!("{connections}");
        match lines.next() {
            Some(line) => line.map_err(|error| error.to_string())?,
            None => return Ok(()),
        };
    }
}
