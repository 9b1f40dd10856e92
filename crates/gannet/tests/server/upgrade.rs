//! Upgrades: both halves of the connection, and the bytes behind the request.

use gannet::prelude::*;
use gannet::{BackendChoice, Upgraded};

use crate::rig::{Client, HTTP_2, Over, Server, on_each_backend, serve};

on_each_backend!(
    bytes_behind_the_request_are_the_first_of_the_conversation,
    a_conversation_carries_much_in_both_directions_at_once,
    when_the_client_ends_its_half_the_conversation_hears_of_it_and_may_say_more,
    when_the_conversation_ends_so_does_the_connection_after_its_last_words,
    last_words_that_do_not_fit_the_socket_are_sent_all_the_same,
    dropping_the_writer_ends_our_half_and_the_conversation_reads_on,
    who_did_not_offer_to_upgrade_is_told_that_it_is_required,
    a_panic_in_a_conversation_ends_its_connection_and_no_other,
    a_client_that_breaks_the_connection_is_noticed_by_a_conversation_that_reads,
    who_asks_by_http_2_for_a_protocol_that_is_not_spoken_is_not_told_that_it_is,
);

const OFFER: &str = "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";

/// Sends everything back until the client ends its half.
async fn echo(mut upgraded: Upgraded) {
    while let Some(Ok(chunk)) = upgraded.reader.next().await {
        if upgraded.writer.send(chunk).await.is_err() {
            return;
        }
    }
}

/// Answers `/echo` by upgrading to `conversation`.
fn app<F>(conversation: impl Fn(Upgraded) -> F + Clone + Send + Sync + 'static) -> App
where
    F: Future<Output = ()> + 'static,
{
    let upgrade = move |_: Request| Response::upgrade("echo", conversation.clone());
    App::new().get("/", "hello").get("/echo", upgrade)
}

/// A client whose connection was upgraded.
fn upgraded(server: &gannet::Running) -> Client {
    let mut client = Client::connect(server);
    let head = client.send(OFFER).head();
    let options = (head.status, head.field("connection"), head.field("upgrade"));
    assert_eq!(options, (101, Some("upgrade"), Some("echo")));
    client
}

fn bytes_behind_the_request_are_the_first_of_the_conversation(backend: BackendChoice) {
    let server = serve(app(echo), backend);
    let mut client = Client::connect(&server);
    client.send([OFFER, "GET / no HTTP any more"].concat());
    assert_eq!(client.head().status, 101);
    assert_eq!(client.take(22), b"GET / no HTTP any more");
    assert_eq!(client.send("and more").take(8), b"and more");
}

fn a_conversation_carries_much_in_both_directions_at_once(backend: BackendChoice) {
    let server = serve(app(echo), backend);
    let mut client = upgraded(&server);
    let sent: Vec<u8> = (0..20_000_000_u32).map(|n| (n % 251) as u8).collect();
    let (mut stream, copy) = (client.stream(), sent.clone());
    let sender = std::thread::spawn(move || std::io::Write::write_all(&mut stream, &copy));
    assert!(client.take(sent.len()) == sent, "what came back is what was sent");
    sender.join().expect("no panic").expect("all was taken");
}

fn when_the_client_ends_its_half_the_conversation_hears_of_it_and_may_say_more(backend: BackendChoice) {
    let farewell = async |mut upgraded: Upgraded| {
        let mut heard = 0;
        while let Some(Ok(chunk)) = upgraded.reader.next().await {
            heard += chunk.len();
        }
        tokio::task::yield_now().await;
        upgraded.writer.send(format!("heard {heard}")).await.expect("the client still reads");
    };
    let server = serve(app(farewell), backend);
    let mut client = upgraded(&server);
    assert_eq!(client.send([b'x'; 200_000]).finish().rest(), b"heard 200000");
}

fn when_the_conversation_ends_so_does_the_connection_after_its_last_words(backend: BackendChoice) {
    let terse = async |mut upgraded: Upgraded| {
        let _ = upgraded.reader.next().await;
        upgraded.writer.send("bye").await.expect("the client is there");
    };
    let server = serve(app(terse), backend);
    let mut client = upgraded(&server);
    assert_eq!(client.send("hello").rest(), b"bye");
}

fn last_words_that_do_not_fit_the_socket_are_sent_all_the_same(backend: BackendChoice) {
    let verbose = async |mut upgraded: Upgraded| {
        for _ in 0..5 {
            upgraded.writer.send(vec![b'x'; 4_000_000]).await.expect("the client is there");
        }
    };
    let server = serve(app(verbose), backend);
    let mut client = upgraded(&server);
    let mut other = Client::connect(&server);
    assert_eq!(other.get("/").says(), (200, "hello"), "the server goes on while it cannot send");
    assert_eq!(client.send("still here").rest().len(), 20_000_000);
    assert_eq!(other.get("/").says(), (200, "hello"));
}

fn dropping_the_writer_ends_our_half_and_the_conversation_reads_on(backend: BackendChoice) {
    let (told, heard) = std::sync::mpsc::channel();
    let listener = move |Upgraded { mut reader, mut writer }: Upgraded| {
        let told = told.clone();
        async move {
            writer.send("go on").await.expect("the client is there");
            drop(writer);
            let mut heard = 0;
            while let Some(Ok(chunk)) = reader.next().await {
                heard += chunk.len();
            }
            told.send(heard).expect("the test listens");
        }
    };
    let server = serve(app(listener), backend);
    let mut client = upgraded(&server);
    assert_eq!(client.rest(), b"go on");
    client.send([b'x'; 100_000]).finish();
    assert_eq!(heard.recv_timeout(crate::rig::PATIENCE), Ok(100_000));
}

fn who_did_not_offer_to_upgrade_is_told_that_it_is_required(backend: BackendChoice) {
    let server = serve(app(echo), backend);
    let mut client = Client::connect(&server);
    let answer = client.get("/echo");
    assert_eq!((answer.status, answer.field("upgrade")), (426, Some("echo")));
    assert_eq!(client.get("/").says(), (200, "hello"), "the connection goes on");
    // RFC 9110, 7.8: a server ignores Upgrade in a request of HTTP/1.0.
    let old = OFFER.replace("HTTP/1.1", "HTTP/1.0");
    assert_eq!(client.send(old).answer().status, 426);
}

fn who_asks_by_http_2_for_a_protocol_that_is_not_spoken_is_not_told_that_it_is(backend: BackendChoice) {
    let server = Server::start(app(echo), Over { backend, speaks: HTTP_2 });
    let address = server.socket_addresses()[0].to_string();
    let front = Server::start(App::new().proxy("/*", address), Over { backend, speaks: HTTP_2 });
    for server in [&server, &front] {
        let mut client = Client::connect(server);
        // Any success would say so (RFC 9113, 8.5).
        client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
        assert_eq!(client.head().status, 501);
        client.end_conversation();
        assert_eq!(client.get("/").says(), (200, "hello"));
    }
}

fn a_panic_in_a_conversation_ends_its_connection_and_no_other(backend: BackendChoice) {
    let fragile = async |mut upgraded: Upgraded| {
        let _ = upgraded.reader.next().await;
        panic!("this panic is part of a test");
    };
    let server = serve(app(fragile), backend);
    let mut other = Client::connect(&server);
    other.get("/");
    upgraded(&server).send("hello").ends();
    assert_eq!(other.get("/").says(), (200, "hello"));
    let stillborn = |_: Upgraded| -> std::future::Ready<()> { panic!("this panic is part of a test") };
    let server = serve(app(stillborn), backend);
    Client::connect(&server).send(OFFER).ends();
    assert_eq!(Client::connect(&server).get("/").says(), (200, "hello"));
}

fn a_client_that_breaks_the_connection_is_noticed_by_a_conversation_that_reads(backend: BackendChoice) {
    let (told, heard) = std::sync::mpsc::channel();
    let patient = move |mut upgraded: Upgraded| {
        let dropped = crate::rig::TellWhenDropped(told.clone());
        async move {
            let _dropped = dropped;
            let _ = upgraded.reader.next().await;
        }
    };
    let server = serve(app(patient), backend);
    upgraded(&server).reset();
    assert_eq!(heard.recv_timeout(crate::rig::PATIENCE), Ok("dropped"));
}
