//! Conversations over WebSockets, and what is published for all of them: no message is lost, doubled or out of order for who keeps up, whatever the network does; and nobody
//! harms another.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use gannet_core::ws::{
    CloseCode, Event, Limits as Said, Receiver, Role, handshake, write_close, write_message,
};
use gannet_core::{Method, scan};
use gannet_engine::sim::{Client, Faults, Network, Random};
use gannet_features::broadcast::{Broadcast, SlowSubscriber};
use gannet_features::events::Events;
use gannet_features::websocket::{WebSocket, WebSocketOptions, WebSocketResult, WebSockets};
use gannet_proto::ws::{CloseFrame, Kind};
use gannet_server::{Command, Limits, Site, SiteBuilder};

use crate::peer::Peer;
use crate::simulation::{Replay, seeds};
use crate::world::{Setup, World, simulate};

/// The key of RFC 6455's example; who is not asked to prove anything may say it again.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// Steps of one seed.
const STEPS: usize = 400;
/// Seeds to go through unless told otherwise.
const USUAL: u64 = 300;
/// After its clients have left a server lets go of everything within this.
const AFTERWARDS: Duration = Duration::from_secs(150);

thread_local! {
    /// What was published, in order.
    static PUBLISHED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn publish(broadcast: &Broadcast, message: String) {
    PUBLISHED.with_borrow_mut(|all| all.push(message.clone()));
    broadcast.send(message);
}

/// Who says something has it published; `/echo` has it back alone.
fn site(broadcast: &Broadcast, options: &WebSocketOptions) -> Arc<Site> {
    let mut site = SiteBuilder::new();
    let all = broadcast.clone();
    let talk = move |mut socket: WebSocket| {
        let all = all.clone();
        async move {
            socket.subscribe(&all);
            socket.send("subscribed").await?;
            while let Some(message) = socket.recv().await? {
                publish(&all, message.as_text().unwrap_or_default().to_owned());
            }
            WebSocketResult::Ok(())
        }
    };
    let echo = async |mut socket: WebSocket| {
        while let Some(message) = socket.recv().await? {
            socket.send(message).await?;
        }
        WebSocketResult::Ok(())
    };
    site.route(Some(Method::Get), "/talk", WebSockets::new(talk).options(options.clone()));
    site.route(Some(Method::Get), "/echo", WebSockets::new(echo).options(options.clone()));
    Arc::new(site.build().expect("no pattern is there twice"))
}

/// A client of WebSockets.
struct Talker {
    client: Client,
    /// What was not taken yet.
    waiting: Vec<u8>,
    head: Vec<u8>,
    is_open: bool,
    receiver: Receiver,
    message: Vec<u8>,
    heard: Vec<String>,
    pings: usize,
    closed: Option<Option<CloseFrame>>,
    gone: bool,
}

impl Talker {
    fn new(client: Client, path: &str) -> Talker {
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
        );
        Talker {
            client,
            waiting: head.into_bytes(),
            head: Vec::new(),
            is_open: false,
            receiver: Receiver::new(Role::Client, scan::Level::detect()),
            message: Vec::new(),
            heard: Vec::new(),
            pings: 0,
            closed: None,
            gone: false,
        }
    }

    fn say(&mut self, text: &str, mask: u32) {
        write_message(Kind::Text, text.as_bytes(), Some(mask.to_ne_bytes()), &mut self.waiting);
    }

    /// Sends what waits, as much as is taken.
    fn send(&mut self) {
        while !self.waiting.is_empty() && !self.gone {
            match self.client.write(&self.waiting) {
                Ok(count) => _ = self.waiting.drain(..count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.gone = true,
            }
        }
    }

    /// Reads what has come, up to `most` bytes.
    fn hear(&mut self, most: usize) {
        let mut room = vec![0; most];
        match self.client.read(&mut room) {
            Ok(0) => self.gone = true,
            Ok(count) => self.take(&room[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => self.gone = true,
        }
    }

    fn hear_all(&mut self) {
        let mut before = usize::MAX;
        while !self.gone && before != self.client.unread() {
            before = self.client.unread();
            self.hear(64 * 1024);
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let mut bytes = bytes;
        if !self.is_open {
            let before = self.head.len();
            self.head.extend_from_slice(bytes);
            let Some(end) = self.head.windows(4).position(|four| four == b"\r\n\r\n").map(|end| end + 4)
            else {
                return;
            };
            let head = String::from_utf8_lossy(&self.head[..end]).into_owned();
            assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
            let accept = handshake::accept(KEY.as_bytes());
            assert!(head.contains(std::str::from_utf8(&accept).expect("letters")), "{head}");
            self.is_open = true;
            bytes = &bytes[end - before..];
        }
        let limits = Said::default();
        while let Some(event) = self
            .receiver
            .poll_event(&mut bytes, &limits, &mut self.message, None)
            .expect("what a server may say")
        {
            match event {
                Event::Text => {
                    self.heard.push(String::from_utf8(std::mem::take(&mut self.message)).expect("text"));
                }
                Event::Ping(_) => self.pings += 1,
                Event::Close(frame) => self.closed = Some(frame),
                Event::Pong(_) => {}
                Event::Binary => panic!("nobody has sent that"),
            }
        }
    }

    fn closed_by(&self) -> Option<CloseCode> {
        self.closed.flatten().map(|frame| frame.code())
    }
}

/// What a client does with what it hears.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Conduct {
    KeepsUp,
    /// It reads some bytes now and then.
    Dawdles,
    /// It leaves without a word.
    Leaves,
}

#[test]
fn what_is_published_reaches_who_keeps_up_once_and_in_order_and_who_does_not_misses_only_some() {
    for seed in seeds(USUAL) {
        simulate(conversation(seed));
    }
}

async fn conversation(seed: u64) {
    let mut random = Random::new(seed);
    let faults = if random.chance(0.5) {
        Faults::benign()
    } else {
        Faults { accept_failure: 0.0, ..Faults::default() }
    };
    let network = Network::new(seed, faults);
    let _replay = Replay { seed, test: "what_is_published_reaches", network: &network };
    PUBLISHED.with_borrow_mut(Vec::clear);
    let broadcast = Broadcast::bounded(random.range(1..=64), SlowSubscriber::DropOldest);
    let setup = Setup {
        workers: random.range(1..=3),
        block_bytes: random.magnitude(64..=16 * 1024),
        ..Setup::default()
    };
    let mut world = World::new(network.clone(), &site(&broadcast, &WebSocketOptions::new()), &setup);
    let mut talkers: Vec<(Conduct, Talker)> = Vec::new();
    for step in 0..STEPS {
        match random.range(0..=9) {
            0 if talkers.len() < 12 => {
                let conduct =
                    *random.pick(&[Conduct::KeepsUp, Conduct::KeepsUp, Conduct::Dawdles, Conduct::Leaves]);
                talkers.push((conduct, Talker::new(world.connect(), "/talk")));
            }
            1..=3 => {
                publish(&broadcast, format!("published {step} {}", "x".repeat(random.magnitude(0..=5000))));
            }
            4 | 5 if !talkers.is_empty() => {
                let at = random.range(0..=talkers.len() - 1);
                let (conduct, talker) = &mut talkers[at];
                if *conduct == Conduct::Leaves && random.chance(0.2) {
                    talker.client.reset();
                    talker.gone = true;
                } else if talker.is_open {
                    talker.say(&format!("said {step}"), random.number() as u32);
                }
            }
            _ => {}
        }
        for (conduct, talker) in &mut talkers {
            talker.send();
            match conduct {
                Conduct::Dawdles if random.chance(0.7) => {}
                Conduct::Dawdles => talker.hear(random.magnitude(1..=2000)),
                Conduct::KeepsUp | Conduct::Leaves => talker.hear_all(),
            }
        }
        world.settle();
        world
            .advance_to(
                world.now().after(random.duration(Duration::from_micros(1)..=Duration::from_millis(2))),
            )
            .await;
        // Who keeps up has heard all before there is more.
        settle_keepers(&mut world, &mut talkers).await;
    }
    for (conduct, talker) in &talkers {
        check(*conduct, talker);
    }
    end(&mut world, talkers).await;
}

/// Until those who keep up have heard what was published.
async fn settle_keepers(world: &mut World, talkers: &mut [(Conduct, Talker)]) {
    for _ in 0..2000 {
        world.settle();
        let mut any = false;
        for (conduct, talker) in talkers.iter_mut() {
            talker.send();
            if *conduct != Conduct::Dawdles {
                let before = talker.heard.len();
                talker.hear_all();
                any |= talker.heard.len() > before;
            }
        }
        match world.network.next_event() {
            Some(moment) if moment <= world.now().after(Duration::from_millis(50)) => {
                world.advance_to(moment).await;
            }
            _ if any => {}
            _ => return,
        }
    }
}

/// What a client has heard is of what was published: all of it from some point on, or without what it was too slow for.
fn check(conduct: Conduct, talker: &Talker) {
    let Some((first, heard)) = talker.heard.split_first() else { return };
    assert_eq!(first, "subscribed");
    PUBLISHED.with_borrow(|all| {
        let Some(first) = heard.first() else { return };
        let start = all.iter().position(|message| message == first).expect("it was published");
        if conduct == Conduct::KeepsUp {
            let expected = &all[start..(start + heard.len()).min(all.len())];
            assert!(heard == expected, "a message was lost, doubled or out of order");
            assert!(
                talker.gone || start + heard.len() == all.len(),
                "{} are missing",
                all.len() - start - heard.len()
            );
            return;
        }
        let mut rest = all[start..].iter();
        assert!(
            heard.iter().all(|message| rest.any(|one| one == message)),
            "a message was doubled or out of order"
        );
    });
}

/// The server ends: who is there is told so, and nothing is left.
async fn end(world: &mut World, mut talkers: Vec<(Conduct, Talker)>) {
    world.command(Command::Drain);
    for _ in 0..200 {
        world.settle();
        for (_, talker) in &mut talkers {
            talker.hear_all();
            if talker.closed.is_some() && talker.waiting.is_empty() && !talker.gone {
                write_close(talker.closed.flatten().as_ref(), Some([1, 2, 3, 4]), &mut talker.waiting);
            }
            talker.send();
        }
        world.run(Duration::from_millis(5)).await;
    }
    for (conduct, talker) in &talkers {
        let told = talker.closed_by() == Some(CloseCode::GOING_AWAY);
        assert!(
            told || talker.client.is_reset() || *conduct == Conduct::Leaves || !talker.is_open,
            "{:?}",
            talker.closed
        );
    }
    drop(talkers);
    world.run(AFTERWARDS).await;
    assert!(world.is_done(), "nobody is left to wait for");
    world.assert_nothing_leaked();
}

/// Runs `test` on a server whose network is as it should be.
fn serve(options: &WebSocketOptions, test: impl AsyncFnOnce(&mut World)) {
    simulate(async {
        let network = Network::new(0, Faults::none());
        let site = site(&Broadcast::new(), options);
        let mut world = World::new(network, &site, &Setup { limits: Limits::default(), ..Setup::default() });
        test(&mut world).await;
    });
}

fn open(world: &mut World) -> Talker {
    let mut talker = Talker::new(world.connect(), "/echo");
    talker.send();
    world.settle();
    talker.hear_all();
    assert!(talker.is_open);
    talker
}

#[test]
fn who_is_too_slow_misses_the_oldest_or_the_newest_or_is_closed() {
    for (slow, heard, closed) in [
        (SlowSubscriber::DropOldest, &["subscribed", "3", "4"][..], None),
        (SlowSubscriber::DropNewest, &["subscribed", "0", "1"], None),
        (SlowSubscriber::Close, &["subscribed"], Some(CloseCode::TRY_AGAIN_LATER)),
    ] {
        let broadcast = Broadcast::bounded(2, slow);
        simulate(async {
            let network = Network::new(0, Faults::none());
            let mut world =
                World::new(network, &site(&broadcast, &WebSocketOptions::new()), &Setup::default());
            let mut talker = Talker::new(world.connect(), "/talk");
            talker.send();
            world.settle();
            // All before the worker has its next turn: nothing of it can be sent between.
            (0..5).for_each(|number| broadcast.send(number.to_string()));
            world.settle();
            talker.hear_all();
            assert_eq!(
                (&talker.heard[..], talker.closed_by()),
                (&heard.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>()[..], closed),
                "{slow:?}"
            );
            drop(talker);
            world.run(AFTERWARDS).await;
            world.assert_nothing_leaked();
        });
        assert_eq!(broadcast.subscribers(), 0);
    }
}

#[test]
fn events_go_on_with_a_comment_where_nothing_is_said_and_end_with_the_server() {
    let broadcast = Broadcast::new();
    let all = broadcast.clone();
    let mut site = SiteBuilder::new();
    site.route(Some(Method::Get), "/events", move |events: Events| events.subscribe(&all));
    let site = Arc::new(site.build().expect("no pattern is there twice"));
    simulate(async {
        let mut world = World::new(Network::new(0, Faults::none()), &site, &Setup::default());
        let mut peer = Peer::connect(&world);
        peer.get("/events");
        world.settle();
        let said = |peer: &mut Peer| String::from_utf8(peer.hear()[0].body.clone()).expect("text");
        assert_eq!(said(&mut peer), "");
        broadcast.send("one\ntwo");
        broadcast.send(vec![0_u8, 1]); // no text
        world.settle();
        assert_eq!(said(&mut peer), "data: one\ndata: two\n\n");
        world.run(Duration::from_secs(16)).await;
        assert_eq!(said(&mut peer), "data: one\ndata: two\n\n:\n\n");
        world.run(Duration::from_secs(10)).await;
        broadcast.send("three");
        world.run(Duration::from_secs(10)).await;
        assert!(said(&mut peer).ends_with("data: three\n\n"), "no comment is needed yet");
        assert_eq!(broadcast.subscribers(), 1);
        world.command(Command::Drain);
        world.settle();
        peer.hear();
        assert!(peer.hear()[0].complete, "so that a browser comes again");
        assert_eq!(broadcast.subscribers(), 0);
        drop(peer);
        world.run(AFTERWARDS).await;
        assert!(world.is_done());
        world.assert_nothing_leaked();
    });
}

#[test]
fn a_client_of_which_nothing_is_heard_is_asked_and_one_that_does_not_answer_is_gone() {
    serve(&WebSocketOptions::new(), async |world| {
        let (mut silent, mut lively) = (open(world), open(world));
        world.run(Duration::from_secs(29)).await;
        silent.hear_all();
        assert_eq!(silent.pings, 0);
        for _ in 0..3 {
            lively.say("here", 7);
            lively.send();
            world.run(Duration::from_secs(2)).await;
            silent.hear_all();
            lively.hear_all();
            assert_eq!((silent.pings, lively.pings), (1, 0));
        }
        world.run(Duration::from_secs(27)).await;
        silent.hear_all();
        assert_eq!(silent.closed_by(), Some(CloseCode::GOING_AWAY));
        lively.hear_all();
        assert_eq!((lively.closed, lively.heard.len()), (None, 3));
        drop((silent, lively));
        world.run(AFTERWARDS).await;
        world.assert_nothing_leaked();
    });
}

#[test]
fn a_close_that_is_not_answered_ends_the_connection_after_a_while() {
    serve(&WebSocketOptions::new(), async |world| {
        let mut talker = open(world);
        world.command(Command::Drain);
        world.run(Duration::from_secs(4)).await;
        talker.hear_all();
        assert_eq!((talker.closed_by(), talker.gone), (Some(CloseCode::GOING_AWAY), false));
        world.run(Duration::from_secs(4)).await;
        talker.hear_all();
        assert!(talker.gone, "the connection has ended");
        drop(talker);
        world.run(AFTERWARDS).await;
        world.assert_nothing_leaked();
    });
}

#[test]
fn a_client_that_sends_and_reads_nothing_holds_little_and_others_are_served() {
    serve(&WebSocketOptions::new(), async |world| {
        let (mut greedy, mut other) = (open(world), open(world));
        let text = "x".repeat(1000);
        for _ in 0..2000 {
            greedy.say(&text, 9);
        }
        for _ in 0..200 {
            greedy.send();
            world.settle();
        }
        assert!(!greedy.waiting.is_empty(), "the server stops reading of who does not read");
        other.say("hello", 3);
        other.send();
        world.settle();
        other.hear_all();
        assert_eq!(other.heard, ["hello"]);
        for _ in 0..10_000 {
            greedy.hear_all();
            greedy.send();
            world.settle();
        }
        assert_eq!(greedy.heard.len(), 2000, "and goes on when it does");
        drop((greedy, other));
        world.run(AFTERWARDS).await;
        world.assert_nothing_leaked();
    });
}

#[test]
fn what_breaks_the_protocol_is_told_by_its_code_and_nobody_else_hears_of_it() {
    serve(&WebSocketOptions::new().message_bytes(1000), async |world| {
        let mut other = open(world);
        let large = [&[0x82, 0xfe, 0x04, 0x00, 0, 0, 0, 0][..], &[0; 1024]].concat();
        let flood: Vec<u8> = [0x89, 0x80, 0, 0, 0, 0].repeat(3000);
        let rows: [(&str, &[u8], u16); 12] = [
            ("no mask", b"\x81\x02hi", 1002),
            ("a reserved bit", b"\xc1\x82\0\0\0\0hi", 1002),
            ("an opcode that is none", b"\x83\x80\0\0\0\0", 1002),
            ("a fragmented Ping", b"\x09\x80\0\0\0\0", 1002),
            ("a Ping of 126 bytes", b"\x89\xfe\x00\x7e\0\0\0\0", 1002),
            ("a continuation of nothing", b"\x80\x80\0\0\0\0", 1002),
            ("a length with its top bit set", b"\x82\xff\x80\0\0\0\0\0\0\0\0\0\0\0", 1002),
            ("a Close of one byte", b"\x88\x81\0\0\0\0\x03", 1002),
            ("a close code that none may have", b"\x88\x82\0\0\0\0\x03\xed", 1002),
            ("bad UTF-8 across fragments", b"\x01\x81\0\0\0\0\xc3\x80\x81\0\0\0\0\x28", 1007),
            ("a message that is too large", &large, 1009),
            ("a flood of Pings", &flood, 1008),
        ];
        for (what, bytes, code) in rows {
            let mut bad = open(world);
            bad.waiting.extend_from_slice(bytes);
            for _ in 0..100 {
                bad.send();
                world.settle();
                bad.hear_all();
            }
            assert_eq!(bad.closed_by().map(CloseCode::number), Some(code), "{what}");
            assert!(bad.gone, "{what}: the connection ends");
            other.say(what, 5);
            other.send();
            world.settle();
            other.hear_all();
            assert_eq!(other.heard.last().map(String::as_str), Some(what));
        }
        drop(other);
        world.run(AFTERWARDS).await;
        world.assert_nothing_leaked();
    });
}
