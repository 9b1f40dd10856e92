//! The real binary, as a user starts it and an init system stops it: what it says, serves and leaves behind.

/// Runs each named function as a test, once on each backend.
macro_rules! on_each_backend {
    ($($test:ident)+) => {
        mod epoll {
            $(#[test] fn $test() { if gannet_testing::is_wanted("epoll") { super::$test("epoll") } })+
        }
        mod uring {
            $(#[test] fn $test() { if $crate::rig::has_uring() { super::$test("uring") } })+
        }
    };
}

#[path = "binary/listening.rs"]
mod listening;
#[path = "binary/proxy.rs"]
mod proxy;
#[path = "binary/rig.rs"]
mod rig;
#[path = "binary/tls.rs"]
mod tls;
#[path = "binary/without_io_uring.rs"]
mod without_io_uring;

use std::fs::{self, File, Permissions};
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Signal, getuid};
use tempfile::TempDir;

use rig::{Ended, Gannet, exchange, free_port, gannet, receive_head, send};

on_each_backend! {
    a_folder_is_served
    the_banner_is_one_line_with_version_address_folder_backend_workers_and_time
    sigterm_finishes_what_runs_and_ends_with_0
    a_second_signal_ends_it_at_once_whoever_still_downloads
}

/// More than the buffers of a connection hold, so that a client that does not read holds its download up.
const LARGE_BYTES: u64 = 64 * 1024 * 1024;

/// A folder with a page, a folder in it, and a large file that takes no room.
fn site() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be filled");
    fs::write(folder.path().join("index.html"), "<h1>Here</h1>").expect("a temporary folder can be filled");
    fs::create_dir(folder.path().join("below")).expect("a temporary folder can be filled");
    fs::write(folder.path().join("below/note.txt"), "note\n").expect("a temporary folder can be filled");
    File::create(folder.path().join("large.bin"))
        .expect("a temporary folder can be filled")
        .set_len(LARGE_BYTES)
        .expect("a temporary folder can be filled");
    folder
}

/// A command that serves the folder on a free port.
fn serve(folder: &Path) -> Command {
    let mut command = gannet();
    command.arg(folder).args(["--listen", "127.0.0.1:0"]);
    command
}

fn serving(folder: &Path, backend: &str) -> Gannet {
    Gannet::start(serve(folder).args(["--backend", backend]))
}

/// It ends with this status, having said one line on the standard error and nothing on the other.
fn complaint(command: &mut Command, status: i32) -> String {
    let ended = Ended::of(command);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(status), ""), "{command:?}: {}", ended.stderr);
    let line = ended.stderr.strip_prefix("error: ").and_then(|rest| rest.strip_suffix('\n'));
    let line = line.unwrap_or_else(|| panic!("{command:?} says {:?}", ended.stderr));
    assert!(!line.contains('\n'), "{command:?} says {line:?}");
    line.to_owned()
}

fn a_folder_is_served(backend: &str) {
    let folder = site();
    let server = serving(folder.path(), backend);
    let ask = |method: &str, target: &str| exchange(server.address(), method, target);
    let index = ask("GET", "/");
    assert!(index.starts_with("HTTP/1.1 200 OK\r\n"), "{backend}: {index}");
    assert!(has_field(&index, "content-type", "text/html; charset=utf-8"), "{backend}: {index}");
    assert!(index.ends_with("\r\n\r\n<h1>Here</h1>"), "{backend}: {index}");
    let note = ask("GET", "/below/note.txt");
    assert!(note.ends_with("\r\n\r\nnote\n"), "{backend}: {note}");
    let head = ask("HEAD", "/");
    assert!(has_field(&head, "content-length", "13") && head.ends_with("\r\n\r\n"), "{backend}: {head}");
    for outside in ["/none", "/../Cargo.toml", "/%2e%2e/Cargo.toml"] {
        let missing = ask("GET", outside);
        assert!(missing.starts_with("HTTP/1.1 404 Not Found\r\n"), "{backend} {outside}: {missing}");
    }
    let post = ask("POST", "/");
    assert!(post.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{backend}: {post}");
    assert!(has_field(&post, "allow", "GET, HEAD, OPTIONS"), "{backend}: {post}");
}

#[test]
fn a_folder_without_an_index_is_listed_unless_listings_are_off() {
    let folder = site();
    for (flags, status, names_it) in [
        (&[][..], "200 OK", true),
        (&["--listing", "on"], "200 OK", true),
        (&["--listing", "off"], "404 Not Found", false),
    ] {
        let server = Gannet::start(serve(folder.path()).args(flags));
        let answer = exchange(server.address(), "GET", "/below/");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{flags:?}: {answer}");
        assert_eq!(answer.contains("note.txt"), names_it, "{flags:?}");
        assert!(exchange(server.address(), "GET", "/below/note.txt").ends_with("note\n"), "{flags:?}");
    }
}

/// Names of fields are the same in any case (RFC 9110, 5.1).
pub fn has_field(answer: &str, name: &str, value: &str) -> bool {
    let fields = answer.lines().filter_map(|line| line.split_once(": "));
    fields.into_iter().any(|(other, found)| other.eq_ignore_ascii_case(name) && found == value)
}

fn the_banner_is_one_line_with_version_address_folder_backend_workers_and_time(backend: &str) {
    let folder = site();
    let mut command = serve(Path::new("./below"));
    command.args(["--workers", "1", "--backend", backend]).current_dir(folder.path());
    let server = Gannet::start(&mut command);
    let parts: Vec<&str> = server.banner.split("   ").collect();
    let [version, url, shown_folder, engine, ready] = parts[..] else { panic!("{}", server.banner) };
    assert_eq!(version, format!("Gannet {}", env!("CARGO_PKG_VERSION")));
    assert_eq!(url, format!("http://{}", server.address()));
    let shown = if backend == "uring" { "io_uring" } else { backend };
    assert_eq!((shown_folder, engine), ("./below", format!("{shown}, 1 worker").as_str()));
    let milliseconds = ready.strip_prefix("ready in ").and_then(|rest| rest.strip_suffix(" ms"));
    let milliseconds: u64 = milliseconds.and_then(|number| number.parse().ok()).expect(ready);
    assert!(milliseconds > 0, "rounded up");
}

#[test]
fn the_environment_configures_it_and_several_addresses_are_all_served() {
    let folder = site();
    let mut command = gannet();
    command.env("GANNET_LISTEN", "127.0.0.1:0,127.0.0.2:0").env("GANNET_WORKERS", "2");
    let server = Gannet::start(command.arg(folder.path()).env("GANNET_BACKEND", "epoll"));
    assert!(server.banner.contains("   epoll, 2 workers   "), "{}", server.banner);
    assert_eq!(server.addresses.len(), 2, "{}", server.banner);
    for address in &server.addresses {
        assert!(exchange(*address, "GET", "/").ends_with("<h1>Here</h1>"), "{address}");
    }
}

#[test]
fn a_bare_port_takes_ipv4_and_ipv6_and_is_shown_as_localhost() {
    let folder = site();
    let server = Gannet::start(gannet().arg(folder.path()).args(["--listen", "0"]));
    assert!(server.banner.contains("   http://localhost:"), "{}", server.banner);
    let port = server.address().port();
    assert!(exchange(([127, 0, 0, 1], port).into(), "GET", "/").ends_with("<h1>Here</h1>"));
    if TcpListener::bind("[::1]:0").is_ok() {
        assert!(exchange(([0, 0, 0, 0, 0, 0, 0, 1], port).into(), "GET", "/").ends_with("<h1>Here</h1>"));
    }
}

fn sigterm_finishes_what_runs_and_ends_with_0(backend: &str) {
    let folder = site();
    let mut server = serving(folder.path(), backend);
    let mut download = send(server.address(), "GET", "/large.bin");
    receive_head(&mut download);
    server.signal(Signal::TERM);
    let received = io::copy(&mut download, &mut io::sink()).expect("the download goes on");
    assert_eq!(received, LARGE_BYTES, "{backend}");
    drop(download);
    let ended = server.wait();
    assert_eq!(ended.code, Some(0), "{backend}: {}", ended.stderr);
}

fn a_second_signal_ends_it_at_once_whoever_still_downloads(backend: &str) {
    let folder = site();
    let mut server = serving(folder.path(), backend);
    let mut download = send(server.address(), "GET", "/large.bin");
    receive_head(&mut download);
    // Two different ones: of the same kind, two that are pending are one (signal(7)).
    server.signal(Signal::TERM);
    server.signal(Signal::INT);
    assert_eq!(server.wait().code, Some(0), "{backend}");
    let received = io::copy(&mut download, &mut io::sink());
    assert!(!matches!(received, Ok(LARGE_BYTES)), "{backend}: the download was finished");
}

#[test]
fn quiet_says_nothing_from_start_to_end() {
    let folder = site();
    let port = free_port();
    let mut command = gannet();
    command.arg(folder.path()).args(["-q", "--listen", &format!("127.0.0.1:{port}")]);
    let mut server = Gannet::start_on(&mut command, port);
    assert!(exchange(server.address(), "GET", "/").starts_with("HTTP/1.1 200 OK\r\n"));
    server.signal(Signal::INT);
    let ended = server.wait();
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "", ""));
}

#[test]
fn a_standard_output_that_nobody_reads_is_no_reason_to_fail() {
    let folder = site();
    let port = free_port();
    let mut command = gannet();
    command.arg(folder.path()).args(["--listen", &format!("127.0.0.1:{port}")]);
    let mut server = Gannet::start_on(command.stdout(unread()), port);
    assert!(exchange(server.address(), "GET", "/").starts_with("HTTP/1.1 200 OK\r\n"));
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code, Some(0));
    let ended = Ended::of(gannet().arg("--help").stdout(unread()));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_log_that_nobody_reads_is_no_reason_to_fail() {
    let folder = site();
    let mut server = Gannet::start(serve(folder.path()).args(["--log-level", "trace"]).stderr(unread()));
    assert!(exchange(server.address(), "GET", "/").starts_with("HTTP/1.1 200 OK\r\n"));
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code, Some(0));
    let ended = Ended::of(gannet().arg("--wrong").stderr(unread()));
    assert_eq!(ended.code, Some(2), "the status tells where no line can");
}

/// A pipe whose other end is closed.
fn unread() -> Stdio {
    let (_, writer) = io::pipe().expect("a pipe can be had");
    writer.into()
}

#[test]
fn the_log_is_json_where_no_terminal_reads_it_and_text_when_asked_for() {
    let folder = site();
    let logged = |options: &[&str]| {
        let mut server = Gannet::start(
            serve(folder.path()).args(["--backend", "epoll", "--log-level", "debug"]).args(options),
        );
        server.signal(Signal::TERM);
        let log = server.wait().stderr;
        log.lines().next().unwrap_or_default().to_owned()
    };
    let json = logged(&[]);
    assert!(json.starts_with("{\"timestamp\":\"") && json.contains("\"backend\":\"epoll\""), "{json}");
    let text = logged(&["--log", "text"]);
    assert!(text.contains("DEBUG serving") && text.contains("backend=\"epoll\""), "{text}");
    assert!(!text.contains('\x1b'), "no colour where no terminal is: {text}");
    assert_eq!(logged(&["--log", "off"]), "");
}

#[test]
fn requests_are_logged_on_the_standard_output_in_the_format_of_the_log() {
    let folder = site();
    for (format, begins) in [("text", "127.0.0.1 - - ["), ("json", "{\"time\":\"")] {
        let mut server = Gannet::start(serve(folder.path()).args(["--log", format]));
        exchange(server.address(), "GET", "/?\"\\");
        exchange(server.address(), "GET", "/");
        server.signal(Signal::TERM);
        let log = server.wait().stdout;
        assert!(log.lines().count() == 2 && log.lines().all(|line| line.starts_with(begins)), "{log}");
    }
    let mut server = Gannet::start(serve(folder.path()).args(["--access-log", "off"]));
    exchange(server.address(), "GET", "/");
    server.signal(Signal::TERM);
    assert_eq!(server.wait().stdout, "");
}

#[test]
fn sigusr1_opens_the_access_log_anew_and_ends_nothing() {
    let folder = site();
    let logs = tempfile::tempdir().unwrap();
    let (path, moved) = (logs.path().join("log"), logs.path().join("log.1"));
    let mut server = Gannet::start(serve(folder.path()).arg("--access-log").arg(&path));
    fs::rename(&path, &moved).unwrap();
    server.signal(Signal::USR1);
    let began = std::time::Instant::now();
    while !path.exists() {
        assert!(began.elapsed() < std::time::Duration::from_secs(20), "it is opened anew");
        std::thread::yield_now();
    }
    exchange(server.address(), "GET", "/");
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code, Some(0));
    assert_eq!(fs::read_to_string(&moved).unwrap(), "");
    assert!(fs::read_to_string(&path).unwrap().contains("\"target\":\"/\""));
}

#[test]
fn an_access_log_that_cannot_be_opened_is_named_with_the_reason() {
    let folder = site();
    let line = complaint(serve(folder.path()).args(["--access-log", "/no/such/log"]), 1);
    assert!(line.starts_with("the access log /no/such/log cannot be opened: no such file"), "{line}");
}

#[test]
fn the_banner_says_where_health_and_metrics_are_told() {
    let folder = site();
    let mut server = Gannet::start(serve(folder.path()).args(["--admin", "127.0.0.1:0"]));
    let (_, rest) = server.banner.split_once("   admin http://").expect("it is said");
    let admin = rest.split(' ').next().and_then(|address| address.parse().ok()).expect("an address");
    assert!(exchange(admin, "GET", "/healthz").ends_with("ok\n"));
    assert!(exchange(admin, "GET", "/metrics").ends_with("# EOF\n"));
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code, Some(0));
}

#[test]
fn a_taken_port_is_named_and_another_advised() {
    let folder = site();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for workers in ["1", "2"] {
        let mut command = gannet();
        command.arg(folder.path()).args(["--listen", &address, "--workers", workers]);
        let line = complaint(&mut command, 1);
        assert!(line.contains(&address) && line.contains("in use") && line.contains("--listen"), "{line}");
    }
}

#[test]
fn a_backend_of_another_system_is_refused_with_those_that_there_are() {
    let line = complaint(serve(site().path()).args(["--backend", "kqueue"]), 1);
    assert_eq!(
        line,
        "the kqueue backend is not available: this system's are uring and epoll; --backend auto takes the best of them"
    );
}

#[test]
fn a_folder_that_cannot_be_served_is_named_with_the_reason() {
    let folder = site();
    let inside = |name: &str| complaint(serve(Path::new(name)).current_dir(folder.path()), 1);
    assert_eq!(inside("none"), "there is no folder none; name one that exists, or create it");
    assert_eq!(
        inside("a\nb\x1b[1m"),
        "there is no folder a\\nb\\u{1b}[1m; name one that exists, or create it"
    );
    assert_eq!(inside("index.html"), "index.html is not a folder; name the folder that holds it");
}

#[test]
fn a_folder_that_is_not_ours_to_read_is_named_with_the_reason() {
    let folder = site();
    let closed = folder.path().join("below");
    fs::set_permissions(&closed, Permissions::from_mode(0o000)).unwrap();
    let mut command = if getuid().is_root() { nobodys_gannet(folder.path()) } else { gannet() };
    let line = complaint(command.arg(&closed).args(["--listen", "127.0.0.1:0"]), 1);
    assert!(line.contains("below is not ours to read") && line.contains("chmod"), "{line}");
}

/// A copy of the binary in this folder, run by nobody: root may read anything, and nobody may not reach every target folder.
fn nobodys_gannet(folder: &Path) -> Command {
    let copy = folder.join("gannet");
    // Copied by another process: a child that some other test forks meanwhile would inherit the copy open for writing, and
    // what is being written cannot be run (execve(2), ETXTBSY).
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_gannet")).arg(&copy).status();
    assert!(copied.is_ok_and(|status| status.success()), "the binary can be copied");
    fs::set_permissions(folder, Permissions::from_mode(0o755))
        .expect("a folder of ours can be opened to all");
    let mut command = Command::new(copy);
    command.uid(65534).gid(65534).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn wrong_usage_is_told_in_one_line_with_status_2() {
    let flag = complaint(gannet().args(["--port", "80"]), 2);
    assert_eq!(flag, "there is no flag --port; the port is part of the address: --listen 127.0.0.1:8080");
    let address = complaint(gannet().args(["--listen", "localhost"]), 2);
    assert!(
        address.contains("--listen localhost") && address.contains("such as 127.0.0.1:8080"),
        "{address}"
    );
    let variable = complaint(gannet().env("GANNET_WORKERS", "many"), 2);
    assert!(variable.starts_with("GANNET_WORKERS=many: "), "{variable}");
}

#[test]
fn a_limit_of_descriptors_too_low_to_serve_is_told_with_one_that_does() {
    let folder = site();
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -n 50; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_gannet")]);
    shell.stdout(Stdio::piped()).stderr(Stdio::piped());
    let line = complaint(shell.arg(folder.path()).args(["--listen", "127.0.0.1:0"]), 1);
    assert!(line.contains("50 open descriptors") && line.contains("ulimit -n 1024"), "{line}");
}

#[test]
fn version_and_help_are_told_with_status_0() {
    let version = Ended::of(gannet().arg("--version"));
    let expected = format!("gannet {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!((version.code, version.stdout, version.stderr), (Some(0), expected, String::new()));
    let help = Ended::of(gannet().arg("--help"));
    assert_eq!(help.code, Some(0));
    assert!(help.stdout.contains("--listen"), "{}", help.stdout);
}
