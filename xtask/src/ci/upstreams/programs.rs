//! The upstreams: how each is started, and where it then listens.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::{PATIENCE, Place};

pub const NODE: &str = include_str!("node.js");
pub const PYTHON: &str = include_str!("server.py");
const NGINX: &str = include_str!("nginx.conf");

/// An upstream; killed when dropped.
pub struct Upstream {
    child: Child,
    /// What `gannet proxy` calls it.
    pub target: String,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a program that says where it listens in its first line.
fn spawn(program: &mut Command) -> Result<Upstream, String> {
    let mut child = program
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let stdout = child.stdout.take();
    let mut upstream = Upstream { child, target: String::new() };
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut lines = stdout.into_iter().flat_map(|stdout| BufReader::new(stdout).lines());
        // Nobody listens any more where it took too long.
        let _ = sender.send(lines.next());
    });
    match receiver.recv_timeout(PATIENCE) {
        Ok(Some(Ok(line))) => upstream.target = line,
        _ => return Err("it does not say where it listens".to_owned()),
    }
    Ok(upstream)
}

pub fn node(place: &Place) -> Result<Upstream, String> {
    spawn(Command::new("node").arg(place.folder.join("node.js")).arg("0"))
}

pub fn node_unix(place: &Place) -> Result<Upstream, String> {
    let socket = place.folder.join("node.sock");
    // One that was killed leaves it there.
    let _ = fs::remove_file(&socket);
    spawn(Command::new("node").arg(place.folder.join("node.js")).arg(socket))
}

pub fn python_1_0(place: &Place) -> Result<Upstream, String> {
    spawn(Command::new("python3").arg(place.folder.join("server.py")).arg("HTTP/1.0"))
}

pub fn python_1_1(place: &Place) -> Result<Upstream, String> {
    spawn(Command::new("python3").arg(place.folder.join("server.py")).arg("HTTP/1.1"))
}

pub fn nginx(place: &Place) -> Result<Upstream, String> {
    start_nginx(place, |clear, _| clear)
}

pub fn nginx_tls(place: &Place) -> Result<Upstream, String> {
    start_nginx(place, |_, secure| format!("https://{secure}"))
}

/// nginx says nothing of where it listens: it is given ports that were free, and asked until it is there.
fn start_nginx(place: &Place, target: fn(String, String) -> String) -> Result<Upstream, String> {
    let free = || {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        listener.local_addr().map(|address| address.to_string()).map_err(|error| error.to_string())
    };
    let (clear, secure) = (free()?, free()?);
    let authority = &place.authority;
    let configuration = NGINX
        .replace("FOLDER", &place.folder.to_string_lossy())
        .replace("CLEAR", &clear)
        .replace("SECURE", &secure)
        .replace("CERTIFICATE", &authority.file("upstream", "pem"))
        .replace("KEY", &authority.file("upstream", "key"));
    let file = place.folder.join("nginx.conf");
    fs::write(&file, configuration).map_err(|error| error.to_string())?;
    let child = Command::new("nginx")
        .args(["-e", "stderr", "-c"])
        .arg(&file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let upstream = Upstream { child, target: target(clear.clone(), secure) };
    let begun = Instant::now();
    while TcpStream::connect(&clear).is_err() {
        if begun.elapsed() > PATIENCE {
            return Err("nobody listens".to_owned());
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(upstream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_has_all_its_places() {
        for place in ["FOLDER", "CLEAR", "SECURE", "CERTIFICATE", "KEY"] {
            assert!(NGINX.contains(place), "{place}");
        }
    }
}
