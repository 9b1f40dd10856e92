//! The access log: a line for each request, or a number that says how many there are not.

use std::fs::{self, OpenOptions};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gannet::prelude::*;
use gannet::{AccessLog, BackendChoice, Limits, LogDestination, LogFormat};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tokio::sync::Notify;

use crate::metrics::{settled, watched};
use crate::rig::{Client, PATIENCE, block_on, on_each_backend, serve};

on_each_backend!(
    every_request_of_a_burst_has_a_line_or_is_counted_as_dropped,
    a_line_says_what_was_asked_and_answered_in_both_formats,
    nothing_that_a_client_sends_breaks_a_line,
    what_was_not_answered_or_not_read_is_logged_too,
    a_response_that_was_cut_is_logged_with_what_the_kernel_took,
    an_upgrade_is_logged_when_its_conversation_is_over,
    whoever_stops_reading_the_log_holds_nobody_up,
    a_full_disk_is_counted_and_harms_nobody,
    a_log_that_was_moved_away_is_opened_anew,
);

fn log(format: LogFormat, path: &Path) -> AccessLog {
    AccessLog { format, destination: LogDestination::File(path.into()) }
}

/// The lines that are in the file once the server has ended.
fn lines(path: &Path) -> Vec<String> {
    let text = fs::read(path).expect("the log is there");
    assert!(text.is_empty() || text.ends_with(b"\n"), "the last line has an end");
    String::from_utf8(text).expect("lines are UTF-8").lines().map(str::to_owned).collect()
}

const LINES: &str = "gannet_access_log_lines_total";

fn every_request_of_a_burst_has_a_line_or_is_counted_as_dropped(backend: BackendChoice) {
    // Room for all, and room for a few.
    for log_ring_bytes in [1024 * 1024, 4096] {
        let folder = tempfile::tempdir().expect("room for a folder");
        let path = folder.path().join("log");
        let limits = Limits { log_ring_bytes, ..Limits::default() };
        let app = App::new().get("/*", "hello").limits(limits).access_log(log(LogFormat::Combined, &path));
        let (server, mut admin) = watched(app, backend);
        let mut clients: Vec<_> = (0..4).map(|_| Client::connect(&server)).collect();
        for round in 0..100 {
            for (number, client) in clients.iter_mut().enumerate() {
                let ask = |index| format!("GET /{number}/{round}/{index} HTTP/1.1\r\nHost: a\r\n\r\n");
                client.send((0..25).map(ask).collect::<String>());
            }
            for client in &mut clients {
                (0..25).for_each(|_| assert_eq!(client.answer().status, 200));
            }
        }
        let metrics = settled(&mut admin, |metrics| metrics.sum("gannet_requests_total") >= 10_000.0);
        let dropped = metrics.get(&format!("{LINES}{{result=\"dropped\"}}"));
        drop(server);
        let lines = lines(&path);
        assert_eq!(lines.len() as f64 + dropped, 10_000.0);
        assert!(log_ring_bytes < 1024 * 1024 || dropped == 0.0, "{dropped} of 10,000 were dropped");
        for number in 0..4 {
            let client = format!("\"GET /{number}/");
            let targets = lines.iter().filter_map(|line| line.split_once(&client)?.1.split_once(' '));
            let numbers = targets.filter_map(|(target, _)| target.split_once('/'));
            let places: Vec<Option<(u32, u32)>> =
                numbers.map(|(round, index)| round.parse().ok().zip(index.parse().ok())).collect();
            assert!(
                places.is_sorted_by(|one, other| one < other),
                "a connection's lines are in order, and none twice"
            );
        }
    }
}

fn a_line_says_what_was_asked_and_answered_in_both_formats(backend: BackendChoice) {
    for format in [LogFormat::Combined, LogFormat::Json] {
        let folder = tempfile::tempdir().expect("room for a folder");
        let path = folder.path().join("log");
        let app = App::new().get("/page/*", "hello").access_log(log(format, &path));
        let (server, mut admin) = watched(app, backend);
        let mut client = Client::connect(&server);
        let fields = "Host: a.example\r\nReferer: http://b.example/\r\nUser-Agent: test/1.0 (x)\r\n\r\n";
        client.send(format!("GET /page/1?q=2 HTTP/1.1\r\n{fields}")).answer();
        client.send("HEAD /none HTTP/1.1\r\nHost: a\r\n\r\n").head();
        client.send("GET /page/ HTTP/1.0\r\n\r\n").answer();
        settled(&mut admin, |metrics| metrics.sum("gannet_requests_total") >= 3.0);
        drop(server);
        let lines = lines(&path);
        assert_eq!(lines.len(), 3);
        if format == LogFormat::Combined {
            let rest = |line: &str| line.split_once("+0000] ").map(|(_, rest)| rest.to_owned());
            assert!(lines[0].starts_with("127.0.0.1 - - ["), "{}", lines[0]);
            let expected = "\"GET /page/1?q=2 HTTP/1.1\" 200 5 \"http://b.example/\" \"test/1.0 (x)\"";
            assert_eq!(rest(&lines[0]).as_deref(), Some(expected));
            assert_eq!(rest(&lines[1]).as_deref(), Some("\"HEAD /none HTTP/1.1\" 404 0 \"-\" \"-\""));
            assert_eq!(rest(&lines[2]).as_deref(), Some("\"GET /page/ HTTP/1.0\" 200 5 \"-\" \"-\""));
        } else {
            let expected = "\"remote_address\":\"127.0.0.1\",\"method\":\"GET\",\"target\":\"/page/1?q=2\",\"version\":\"HTTP/1.1\",\"status\":200,\"bytes\":5,\"duration_us\":";
            assert!(lines[0].contains(expected), "{}", lines[0]);
            assert!(
                lines[0].contains("\"user_agent\":\"test/1.0 (x)\",\"route\":\"/page/*\"}"),
                "{}",
                lines[0]
            );
            assert!(lines[1].contains("\"status\":404,") && !lines[1].contains("route"), "{}", lines[1]);
        }
    }
}

fn nothing_that_a_client_sends_breaks_a_line(backend: BackendChoice) {
    let folder = tempfile::tempdir().expect("room for a folder");
    let path = folder.path().join("log");
    let server = serve(App::new().get("/*", "hello").access_log(log(LogFormat::Combined, &path)), backend);
    let mut asked = 0;
    for byte in 0..=u8::MAX {
        for place in ["target", "field"] {
            let mut request = b"GET /a".to_vec();
            request.extend((place == "target").then_some(byte));
            request.extend(b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\nUser-Agent: a".iter());
            request.extend((place == "field").then_some(byte));
            request.extend(b"b\r\n\r\n");
            let mut client = Client::connect(&server);
            client.send(request);
            asked += usize::from(!client.rest_of_broken().is_empty());
        }
    }
    drop(server);
    let lines = lines(&path);
    assert_eq!((asked, lines.len()), (512, 512), "each was answered, and has a line");
    for line in lines {
        let quotes = line.matches('"').count();
        assert!(quotes == 6 && line.bytes().all(|byte| (b' '..0x7f).contains(&byte)), "{line}");
    }
}

fn what_was_not_answered_or_not_read_is_logged_too(backend: BackendChoice) {
    let folder = tempfile::tempdir().expect("room for a folder");
    let path = folder.path().join("log");
    let begun = Arc::new(Notify::new());
    let told = begun.clone();
    let never = move |_: Request| {
        told.notify_one();
        std::future::pending::<&str>()
    };
    let app = App::new().get("/never", never).access_log(log(LogFormat::Combined, &path));
    let (server, mut admin) = watched(app, backend);
    let mut client = Client::connect(&server);
    client.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
    block_on(begun.notified());
    client.reset();
    settled(&mut admin, |metrics| metrics.sum("gannet_requests_total") >= 1.0);
    for wrong in ["GET /known HTTP/1.1\r\nno colon\r\n\r\n", "nothing\r\n\r\n"] {
        let mut client = Client::connect(&server);
        assert_eq!(client.send(wrong).answer().status, 400);
    }
    drop(server);
    let rest: Vec<_> = lines(&path)
        .iter()
        .filter_map(|line| line.split_once("] ").map(|(_, rest)| rest.to_owned()))
        .collect();
    assert_eq!(rest[0], "\"GET /never HTTP/1.1\" 000 0 \"-\" \"-\"");
    assert!(rest[1].starts_with("\"GET /known HTTP/1.1\" 400 "), "{}", rest[1]);
    assert!(rest[2].starts_with("\"-\" 400 "), "{}", rest[2]);
    assert_eq!(rest.len(), 3);
}

fn a_response_that_was_cut_is_logged_with_what_the_kernel_took(backend: BackendChoice) {
    const LENGTH: usize = 50_000_000;
    let folder = tempfile::tempdir().expect("room for a folder");
    let path = folder.path().join("log");
    let large = gannet::Bytes::from(vec![b'x'; LENGTH]);
    let app = App::new().get("/large", move |_: Request| Response::bytes(large.clone()));
    let server = serve(app.access_log(log(LogFormat::Json, &path)), backend);
    let mut client = Client::connect(&server);
    client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n").head();
    let received = client.take(1_000_000).len() as u64;
    client.reset();
    let begun = Instant::now();
    while server.connections() > 0 {
        assert!(begun.elapsed() < PATIENCE, "the reset is noticed");
        std::thread::yield_now();
    }
    drop(server);
    let lines = lines(&path);
    let bytes =
        lines[0].split("\"bytes\":").nth(1).and_then(|rest| rest.split(',').next()?.parse::<u64>().ok());
    let bytes = bytes.expect("a number");
    assert!(bytes >= received && bytes < LENGTH as u64, "{bytes}");
    assert!(lines[0].contains("\"status\":200,") && lines[0].ends_with(",\"cut\":true}"), "{}", lines[0]);
}

fn an_upgrade_is_logged_when_its_conversation_is_over(backend: BackendChoice) {
    let folder = tempfile::tempdir().expect("room for a folder");
    let path = folder.path().join("log");
    let echo = |_: Request| {
        Response::upgrade("echo", |mut upgraded| async move {
            while let Some(Ok(chunk)) = upgraded.reader.next().await {
                let _ = upgraded.writer.send(chunk).await; // the client may have left
            }
        })
    };
    let app = App::new().get("/echo", echo).access_log(log(LogFormat::Combined, &path));
    let (server, mut admin) = watched(app, backend);
    let mut client = Client::connect(&server);
    client.send("GET /echo HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
    assert_eq!(client.head().status, 101);
    assert_eq!(client.send("hello").take(5), b"hello");
    client.finish().ends();
    let metrics = settled(&mut admin, |metrics| metrics.sum("gannet_requests_total") >= 1.0);
    assert_eq!(metrics.sum("gannet_request_duration_seconds_count"), 0.0, "a conversation has no speed");
    assert_eq!(metrics.get("gannet_responses_cut_total"), 0.0);
    drop(server);
    let lines = lines(&path);
    assert!(lines.len() == 1 && lines[0].contains("\"GET /echo HTTP/1.1\" 101 5 "), "{lines:?}");
}

fn whoever_stops_reading_the_log_holds_nobody_up(backend: BackendChoice) {
    let folder = tempfile::tempdir().expect("room for a folder");
    let path = folder.path().join("fifo");
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a FIFO can be made");
    let mut reader =
        OpenOptions::new().read(true).write(true).open(&path).expect("a FIFO can be opened for both");
    let limits = Limits {
        log_ring_bytes: 16 * 1024,
        log_flush_timeout: Duration::from_millis(50),
        ..Limits::default()
    };
    let app = App::new().get("/", "hello").limits(limits).access_log(log(LogFormat::Combined, &path));
    let (server, mut admin) = watched(app, backend);
    let mut client = Client::connect(&server);
    let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let dropped = format!("{LINES}{{result=\"dropped\"}}");
    // More than a pipe, a ring and what the writer holds of it take.
    for _ in 0..200 {
        client.send(request.repeat(25));
        (0..25).for_each(|_| assert_eq!(client.answer().status, 200));
    }
    settled(&mut admin, |metrics| {
        metrics.get(&dropped) > 0.0 && metrics.sum("gannet_requests_total") == 5000.0
    });
    let begun = Instant::now();
    drop(server);
    assert!(begun.elapsed() < PATIENCE, "the end does not wait for whoever reads the log");
    let mut first = [0; 12];
    reader.read_exact(&mut first).expect("what was written before is there");
    assert_eq!(&first, b"127.0.0.1 - ");
}

fn a_full_disk_is_counted_and_harms_nobody(backend: BackendChoice) {
    let log = log(LogFormat::Combined, Path::new("/dev/full"));
    let (server, mut admin) = watched(App::new().get("/", "hello").access_log(log), backend);
    let mut client = Client::connect(&server);
    for _ in 0..3 {
        assert_eq!(client.get("/").says(), (200, "hello"));
    }
    let failed = format!("{LINES}{{result=\"failed\"}}");
    let metrics = settled(&mut admin, |metrics| metrics.get(&failed) == 3.0);
    assert_eq!(metrics.get(&format!("{LINES}{{result=\"written\"}}")), 0.0);
    assert_eq!(client.get("/").says(), (200, "hello"));
}

fn a_log_that_was_moved_away_is_opened_anew(backend: BackendChoice) {
    let folder = tempfile::tempdir().expect("room for a folder");
    let (path, moved) = (folder.path().join("log"), folder.path().join("log.1"));
    let app = App::new().get("/*", "hello").access_log(log(LogFormat::Combined, &path));
    let (server, mut admin) = watched(app, backend);
    let mut client = Client::connect(&server);
    client.get("/before");
    settled(&mut admin, |metrics| metrics.sum("gannet_requests_total") >= 1.0);
    fs::rename(&path, &moved).expect("moved");
    server.reopen_access_log();
    let begun = Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < PATIENCE, "it is opened anew");
        std::thread::yield_now();
    }
    client.get("/after");
    drop(server);
    let (before, after) = (lines(&moved), lines(&path));
    assert!(before.len() == 1 && before[0].contains("GET /before "), "{before:?}");
    assert!(after.len() == 1 && after[0].contains("GET /after "), "{after:?}");
}
