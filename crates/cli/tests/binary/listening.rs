//! Where the binary listens: Unix sockets, sockets that were handed over, shared ports, both families.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::rig::{Gannet, exchange, gannet};
use crate::{complaint, serve, site};

on_each_backend! {
    a_unix_socket_is_served_beside_an_address_by_every_worker_and_removed_at_the_end
    sockets_that_are_handed_over_are_served_by_every_worker_without_any_flag
}

/// One request over a Unix socket, and all that is answered.
fn exchange_unix(path: &Path) -> String {
    let mut stream = UnixStream::connect(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .expect("a request can be sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer comes, and its end");
    answer
}

/// The binary, started by a shell that hands it the standard input as descriptor 3 and, if wanted, the standard error as 4.
fn handed(descriptors: usize, first: OwnedFd) -> Command {
    let second = if descriptors > 1 { "exec 4<&2 2>&1; " } else { "" };
    let script =
        format!("exec 3<&0 0</dev/null; {second}LISTEN_FDS={descriptors} LISTEN_PID=$$ exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_gannet"));
    command.stdin(first).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn a_unix_socket_is_served_beside_an_address_by_every_worker_and_removed_at_the_end(backend: &str) {
    let folder = site();
    let path = folder.path().join("socket");
    let listen = format!("unix:{}", path.display());
    let mut command = serve(folder.path());
    command.args(["--listen", &listen, "--workers", "2", "--backend", backend]);
    let mut server = Gannet::start(&mut command);
    assert!(server.banner.contains(&listen), "{}", server.banner);
    assert!(fs::metadata(&path).expect("it is there").file_type().is_socket());
    assert!(exchange(server.address(), "GET", "/").ends_with("<h1>Here</h1>"), "{backend}");
    for _ in 0..20 {
        let answer = exchange_unix(&path);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("<h1>Here</h1>"), "{answer}");
    }
    let taken = complaint(gannet().arg(folder.path()).args(["--listen", &listen]), 1);
    assert!(taken.contains(&listen) && taken.contains("another program listens there"), "{taken}");
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code, Some(0), "{backend}");
    assert!(!path.exists(), "{backend}: the socket is left behind");
}

#[test]
fn a_unix_socket_left_by_a_killed_server_is_replaced_and_its_mode_is_the_umask_s() {
    let folder = site();
    let path = folder.path().join("socket");
    // Of a killed process the kernel ends io_uring a little later.
    let mut command = gannet();
    command.arg(folder.path()).args(["--backend", "epoll", "--listen", &unix(&path)]);
    let mut server = Gannet::start(&mut command);
    server.signal(Signal::KILL);
    server.wait();
    assert!(path.exists());
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 0117; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_gannet")]);
    shell.stdout(Stdio::piped()).stderr(Stdio::piped());
    let _server = Gannet::start(shell.arg(folder.path()).arg("--listen").arg(unix(&path)));
    assert!(exchange_unix(&path).ends_with("<h1>Here</h1>"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
}

#[test]
fn a_path_too_long_for_a_unix_socket_is_told_with_its_length() {
    let line = complaint(gannet().args(["--listen", &format!("unix:/{}", "x".repeat(107))]), 1);
    assert!(line.contains("108 bytes") && line.contains("107"), "{line}");
}

fn unix(path: &Path) -> String {
    format!("unix:{}", path.display())
}

fn sockets_that_are_handed_over_are_served_by_every_worker_without_any_flag(backend: &str) {
    let folder = site();
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = tcp.local_addr().expect("it is bound");
    let path = folder.path().join(backend);
    let unix = UnixListener::bind(&path).expect("a path that is free");
    let mut command = handed(2, tcp.into());
    command.stderr(OwnedFd::from(unix)).arg(folder.path());
    let mut server = Gannet::start(command.args(["--workers", "2", "--backend", backend]));
    assert_eq!(server.addresses, [address], "{}", server.banner);
    for _ in 0..20 {
        assert!(exchange(address, "GET", "/").ends_with("<h1>Here</h1>"), "{backend}");
        assert!(exchange_unix(&path).ends_with("<h1>Here</h1>"), "{backend}");
    }
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code, Some(0), "{backend}");
    assert!(path.exists(), "who made the socket removes it");
}

#[test]
fn sockets_that_are_handed_over_are_used_beside_others_only_when_asked_for() {
    let folder = site();
    let tcp = || TcpListener::bind("127.0.0.1:0").unwrap();
    let mut both = handed(1, tcp().into());
    both.arg(folder.path()).args(["--listen", "systemd", "--listen", "127.0.0.1:0"]);
    assert_eq!(Gannet::start(&mut both).addresses.len(), 2);
    let mut other = handed(1, tcp().into());
    let mut server =
        Gannet::start(other.arg(folder.path()).args(["--listen", "127.0.0.1:0", "--log", "text"]));
    assert_eq!(server.addresses.len(), 1);
    server.signal(Signal::TERM);
    let log = server.wait().stderr;
    assert!(log.contains("add --listen systemd"), "{log}");
    let none = complaint(gannet().arg(folder.path()).args(["--listen", "systemd"]), 1);
    assert!(none.contains("no sockets were handed over"), "{none}");
}

#[test]
fn what_is_handed_over_and_cannot_be_accepted_from_is_named_with_the_reason() {
    let folder = site();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    let file = fs::File::open(folder.path().join("index.html")).unwrap();
    for (descriptor, expected) in [
        (OwnedFd::from(datagrams), "is no stream socket (ListenStream=)"),
        (OwnedFd::from(connection), "does not listen (Accept=no)"),
        (OwnedFd::from(file), "is no socket"),
    ] {
        let mut command = handed(1, descriptor);
        let line = complaint(command.env("LISTEN_FDNAMES", "web.socket").arg(folder.path()), 1);
        assert!(
            line.contains(&format!("descriptor 3 (web.socket), which was handed over, {expected}")),
            "{line}"
        );
    }
    let mut shell = Command::new("sh");
    let script = "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" \"$@\" 3<&-";
    shell.args(["-c", script, env!("CARGO_BIN_EXE_gannet")]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let line = complaint(shell.arg(folder.path()), 1);
    assert!(line.contains("descriptor 3, which was not handed over"), "{line}");
}

#[test]
fn the_service_manager_is_told_when_it_serves_and_when_it_stops() {
    let folder = site();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    let told = || {
        let mut room = [0; 64];
        let count = manager.recv(&mut room).unwrap();
        String::from_utf8_lossy(&room[..count]).into_owned()
    };
    let mut server = Gannet::start(serve(folder.path()).env("NOTIFY_SOCKET", &path));
    assert_eq!(told(), "READY=1");
    assert!(exchange(server.address(), "GET", "/").ends_with("<h1>Here</h1>"));
    server.signal(Signal::TERM);
    assert_eq!(told(), "STOPPING=1");
    assert_eq!(server.wait().code, Some(0));
}

#[test]
fn a_port_is_another_process_s_too_when_both_share_it() {
    let folder = site();
    let shared = |address: &str| {
        let mut command = gannet();
        command.arg(folder.path()).args(["--share-port", "--listen", address]);
        command
    };
    let mut first = Gannet::start(&mut shared("127.0.0.1:0"));
    let address = first.address().to_string();
    let second = Gannet::start(&mut shared(&address));
    assert_eq!(second.addresses, first.addresses);
    let line = complaint(gannet().arg(folder.path()).args(["--listen", &address]), 1);
    assert!(line.contains("another program listens there"), "{line}");
    first.signal(Signal::TERM);
    assert_eq!(first.wait().code, Some(0));
    assert!(exchange(second.address(), "GET", "/").ends_with("<h1>Here</h1>"), "the other goes on");
}

#[test]
fn localhost_is_served_over_both_families() {
    if TcpListener::bind("[::1]:0").is_err() {
        eprintln!("left out: this machine has no IPv6");
        return;
    }
    let folder = site();
    // A port that is free for both.
    let free = TcpListener::bind("[::1]:0").unwrap().local_addr().unwrap().port();
    let server = Gannet::start(gannet().arg(folder.path()).args(["--listen", &format!("localhost:{free}")]));
    let expected = [SocketAddr::from(([127, 0, 0, 1], free)), format!("[::1]:{free}").parse().unwrap()];
    assert_eq!(server.addresses, expected);
    for address in expected {
        assert!(exchange(address, "GET", "/").ends_with("<h1>Here</h1>"), "{address}");
    }
}

#[test]
fn pinned_workers_are_each_kept_on_one_core() {
    let folder = site();
    let own = cores(&fs::read_to_string("/proc/self/status").unwrap());
    for (flag, pinned) in [("GANNET_PIN=false", false), ("GANNET_PIN=true", true)] {
        let (name, value) = flag.split_once('=').unwrap();
        let server = Gannet::start(
            serve(folder.path()).args(["--workers", "2", "--access-log", "off"]).env(name, value),
        );
        // Others have names of the same beginning: the watchdog, which is not pinned.
        let workers = [server.threads("gannet-0\n"), server.threads("gannet-1\n")].concat();
        assert_eq!(workers.len(), 2);
        for status in workers {
            let cores = cores(&status);
            assert!(if pinned { !cores.contains([',', '-']) } else { cores == own }, "{flag}: {cores}");
        }
    }
}

/// The cores that a thread may use, as its status has them (proc(5)).
fn cores(status: &str) -> String {
    let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    line.expect("a status says it").trim().to_owned()
}
