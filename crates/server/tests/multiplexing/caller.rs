//! A client of HTTP/2 that follows its plan, and checks what it is told.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::time::Duration;

use gannet_engine::Moment;
use gannet_engine::sim::Random;
use gannet_link::{ClientTls, Offer};
use gannet_proto::h2::{self, Event, RequestToSend, StreamKey};
use gannet_proto::{BodyLength, ResponseHead};

use super::frames::code;
use super::plan::{Plan, Planned};
use super::witness::{Answer, Witness};
use crate::caller::Over;
use crate::plan::{Break, Ending};
use crate::wire::Wire;
use crate::world::World;

/// Who waits to be asked for a body sends it unasked after this long (RFC 9110, 10.1.1).
const UNASKED: Duration = Duration::from_secs(3);

/// Nothing but the conversation itself ends a conversation: a client that fell silent in one leaves after this long.
const BORED: Duration = Duration::from_secs(100);

/// Bytes that wait to be written before it makes more.
const AHEAD: usize = 32 * 1024;

/// One client.
pub struct Caller {
    plan: Plan,
    random: Random,
    client: Option<Wire>,
    tls: Option<ClientTls>,
    protocol: h2::Client,
    head: ResponseHead,
    pub witness: Witness,
    /// By the order in which they were begun; streams are 1, 3, 5 and so on.
    begun: Vec<Begun>,
    unsent: Vec<u8>,
    unread: Vec<u8>,
    /// Whose turn it is to send a piece.
    turn: usize,
    written: usize,
    due: Moment,
    active: Moment,
    bored: Option<Moment>,
    broke: bool,
    mute: bool,
    ended: bool,
    /// The server has said that it takes no more streams, and which was the last that it takes.
    last: Option<u32>,
    /// The server takes it for one of HTTP/1.1.
    is_strange: bool,
    over: Option<Over>,
}

/// A request that was begun.
#[derive(Debug)]
struct Begun {
    key: StreamKey,
    sent: usize,
    has_finished: bool,
    waits_since: Option<Moment>,
    asked: bool,
    heard: usize,
    is_over: bool,
    /// The client reset it.
    dropped: bool,
}

impl Caller {
    pub fn new(plan: Plan, now: Moment, random: &mut Random) -> Caller {
        let limits = h2::Limits {
            stream_window_bytes: plan.window,
            connection_window_bytes: plan.connection_window,
            header_table_bytes: plan.table_bytes,
            ..h2::Limits::default()
        };
        Caller {
            due: now.after(plan.manners.arrives),
            protocol: h2::Client::new(limits, random.number()),
            plan,
            random: random.fork(),
            client: None,
            tls: None,
            head: ResponseHead::default(),
            witness: Witness::default(),
            begun: Vec::new(),
            unsent: Vec::new(),
            unread: Vec::new(),
            turn: 0,
            written: 0,
            active: now,
            bored: None,
            broke: false,
            mute: false,
            ended: false,
            last: None,
            is_strange: false,
            over: None,
        }
    }

    /// Speaks by TLS.
    pub fn by(mut self, tls: Option<ClientTls>) -> Caller {
        self.tls = tls;
        self
    }

    pub fn over(&self) -> Option<Over> {
        self.over
    }

    /// The statuses of all whole answers.
    pub fn statuses(&self) -> impl Iterator<Item = u16> {
        self.witness.answers.values().filter(|answer| answer.complete).map(|answer| answer.status)
    }

    /// For how long it has waited for something to happen.
    pub fn waits(&self, now: Moment) -> Duration {
        if self.over.is_some() { Duration::ZERO } else { now.since(self.active) }
    }

    /// When it next does something without being told something.
    pub fn next(&self, now: Moment) -> Option<Moment> {
        if self.over.is_some() {
            return None;
        }
        let unasked =
            self.begun.iter().filter_map(|begun| begun.waits_since.map(|since| since.after(UNASKED)));
        let moments = unasked.chain([Some(self.due), self.bored].into_iter().flatten());
        moments.filter(|moment| *moment > now).min()
    }

    /// Does what can be done now; says whether that was anything.
    pub fn step(&mut self, world: &World) -> bool {
        let now = world.now();
        if self.over.is_some() || now < self.due {
            return false;
        }
        if self.client.is_none() {
            let connected = match &self.tls {
                None => world.network.connect(crate::world::address()).map(Wire::Clear),
                Some(tls) => Wire::secure_with(&world.network, tls, Offer::Http2),
            };
            match connected {
                Ok(client) => self.client = Some(client),
                Err(_) => self.over = Some(Over::Refused),
            }
            self.protocol.start(&mut self.unsent);
            return true;
        }
        if self.bored.is_some_and(|bored| bored <= now) {
            self.hang_up();
            return true;
        }
        self.speak(now);
        let acted = self.write(now) | self.read(now) | self.leave();
        self.active = if acted { now } else { self.active };
        if acted && self.random.chance(self.plan.manners.pause) {
            self.due = now.after(self.random.duration(Duration::ZERO..=self.plan.manners.pause_at_most));
        }
        acted
    }

    /// Begins requests, and sends pieces of bodies, in turns.
    fn speak(&mut self, now: Moment) {
        if self.mute || self.ended {
            return;
        }
        while self.unsent.len() < AHEAD && self.may_begin() {
            self.begin(now);
        }
        let mut idle = 0;
        while self.unsent.len() < AHEAD && idle < self.begun.len() {
            self.turn = (self.turn + 1) % self.begun.len();
            idle = if self.send_piece(self.turn, now) { 0 } else { idle + 1 };
        }
        self.protocol.update_windows(&mut self.unsent);
    }

    fn may_begin(&self) -> bool {
        let under_way = self.begun.iter().filter(|begun| !begun.is_over).count();
        let Some(next) = self.plan.requests.get(self.begun.len()) else { return false };
        let offered = next.protocol.is_none() || self.protocol.takes_connect_protocol();
        // How many the server takes it knows from its settings.
        let most = if self.witness.settings.is_empty() { 1 } else { self.plan.manners.depth };
        under_way < most && offered && self.protocol.may_request() > 0
    }

    fn begin(&mut self, now: Moment) {
        let request = &self.plan.requests[self.begun.len()];
        let body = match (request.is_bodiless, request.told) {
            (true, _) => BodyLength::None,
            (false, true) => BodyLength::Known(request.body.len() as u64),
            (false, false) => BodyLength::Chunked,
        };
        let head = RequestToSend {
            method: request.method,
            method_text: "",
            scheme: if self.tls.is_some() { "https" } else { "http" },
            authority: "a",
            path: &request.target,
            protocol: request.protocol,
            fields: request.fields.as_bytes(),
            body,
            accepts_trailers: true,
        };
        let key = self.protocol.request(head, &mut self.unsent).expect("it was allowed");
        let waits_since = request.waits.then_some(now);
        self.begun.push(Begun {
            key,
            sent: 0,
            has_finished: request.is_bodiless,
            waits_since,
            asked: false,
            heard: 0,
            is_over: false,
            dropped: false,
        });
    }

    /// Sends a piece of a body; says whether it did.
    fn send_piece(&mut self, number: usize, now: Moment) -> bool {
        let (request, begun) = (&self.plan.requests[number], &mut self.begun[number]);
        if begun.is_over || begun.has_finished {
            return false;
        }
        if let Some(since) = begun.waits_since {
            if !begun.asked && now.since(since) < UNASKED {
                return false;
            }
            begun.waits_since = None;
        }
        let rest = request.body.len() - begun.sent;
        if rest > 0 {
            let most = rest.min(request.piece).min(self.protocol.room(begun.key));
            if most == 0 {
                return false;
            }
            let length = self.random.range(1..=most).max(most.min(16));
            let ends = length == rest && !request.trailers && self.random.chance(0.5);
            self.protocol.push(begun.key, length, ends, &mut self.unsent).expect("there is room");
            self.unsent.extend_from_slice(&request.body[begun.sent..begun.sent + length]);
            begun.sent += length;
            begun.has_finished = ends;
        } else {
            let trailers =
                if request.trailers { format!("X-Check: {}\r\n", request.id) } else { String::new() };
            self.protocol.finish(begun.key, trailers.as_bytes(), &mut self.unsent).expect("all was sent");
            begun.has_finished = true;
        }
        self.settle(number);
        true
    }

    /// Lets go of a stream that is over.
    fn settle(&mut self, number: usize) {
        let begun = &mut self.begun[number];
        let ended = self.protocol.receiving_ended(begun.key) && self.protocol.sending_ended(begun.key);
        if ended && !begun.is_over {
            begun.is_over = true;
            begun.waits_since = None;
            self.protocol.release(begun.key);
        }
    }

    fn write(&mut self, now: Moment) -> bool {
        if self.mute || self.ended {
            return false;
        }
        let before = self.before_break();
        if before == 0 {
            return self.break_off(now);
        }
        let most = before.min(self.plan.manners.write).min(self.unsent.len());
        if most == 0 {
            return false;
        }
        let count = self.random.magnitude(1..=most);
        let client = self.client.as_mut().expect("connected before it writes");
        match client.write(&self.unsent[..count]) {
            Ok(count) => {
                self.witness.wrote(&self.unsent[..count]);
                self.unsent.drain(..count);
                self.written += count;
                true
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            Err(error) if error.kind() == ErrorKind::Interrupted => true,
            Err(_) => {
                self.mute = true;
                true
            }
        }
    }

    /// Bytes until it breaks off.
    fn before_break(&self) -> usize {
        match self.plan.manners.ending {
            Ending::Breaks { after, .. } if !self.broke => after.saturating_sub(self.written),
            _ => usize::MAX,
        }
    }

    fn break_off(&mut self, now: Moment) -> bool {
        let Ending::Breaks { how, .. } = self.plan.manners.ending else { return false };
        self.broke = true;
        let converses = self.plan.requests.iter().any(|request| request.protocol.is_some());
        self.bored = converses.then(|| now.after(BORED));
        let client = self.client.as_mut().expect("connected before it writes");
        match how {
            Break::Vanishes => self.hang_up(),
            Break::Resets => {
                client.reset();
                self.hang_up();
            }
            Break::Ends => {
                // What was said before may end in the middle of a frame; then this is no frame either.
                let count = client.write(&self.plan.nonsense).unwrap_or(0);
                self.witness.wrote(&self.plan.nonsense[..count]);
                if count > 0 {
                    self.mute = true;
                    self.bored = Some(now.after(BORED));
                } else {
                    client.finish();
                    self.ended = true;
                }
            }
            Break::FallsSilent | Break::FallsAsleep => self.mute = true,
            Break::StopsReading => {}
        }
        true
    }

    fn is_deaf(&self) -> bool {
        let deaf = |how| matches!(how, Break::FallsAsleep | Break::StopsReading);
        self.broke && matches!(self.plan.manners.ending, Ending::Breaks { how, .. } if deaf(how))
    }

    fn read(&mut self, now: Moment) -> bool {
        let deaf = self.is_deaf();
        let Some(client) = &mut self.client else { return false };
        if deaf {
            // It does not read; but it is told to stop waiting when the connection is no more.
            if !client.is_open() {
                self.over = Some(if client.is_reset() { Over::Reset } else { Over::Ended });
                self.client = None;
            }
            return self.over.is_some();
        }
        let mut room = [0; 64 * 1024];
        let most = self.random.magnitude(1..=self.plan.manners.read);
        match client.read(&mut room[..most]) {
            Ok(0) => self.ends(Over::Ended),
            Ok(count) => {
                if self.is_taken_for_another(room[0]) {
                    return true;
                }
                self.witness.heard(&room[..count]).unwrap_or_else(|wrong| panic!("{wrong}; {self:?}"));
                // Of its own nonsense it knows nothing, nor of what that lets the server say.
                if !self.broke || self.plan.nonsense.is_empty() {
                    self.unread.extend_from_slice(&room[..count]);
                    self.understand(now);
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            Err(error) if error.kind() == ErrorKind::Interrupted => return true,
            Err(_) => self.ends(Over::Reset),
        }
        true
    }

    /// Its preface did not come in time: to the server it is no client of HTTP/2, and is told so by HTTP/1.1.
    fn is_taken_for_another(&mut self, first: u8) -> bool {
        self.is_strange |=
            self.witness.settings.is_empty() && self.witness.is_between_frames() && first == b'H';
        self.is_strange
    }

    fn understand(&mut self, now: Moment) {
        let unread = std::mem::take(&mut self.unread);
        let mut at = 0;
        loop {
            let handled = self.protocol.handle(&unread[at..], &mut self.head, &mut self.unsent);
            let event =
                handled.unwrap_or_else(|error| panic!("the server is not understood: {error}; {self:?}"));
            let consumed = self.take(event, now);
            at += consumed;
            if matches!(event, Event::Need { .. }) {
                break;
            }
        }
        self.unread = unread[at..].to_vec();
    }

    fn take(&mut self, event: Event, now: Moment) -> usize {
        match event {
            Event::Need { consumed } | Event::Window { consumed, .. } | Event::Priority { consumed, .. } => {
                consumed
            }
            Event::Head { stream, consumed, .. } | Event::Trailers { stream, consumed } => {
                self.heard(stream, 0);
                consumed
            }
            Event::Interim { stream, consumed } => {
                let number = number(stream);
                if self.head.status.code() == 100 {
                    self.begun[number].asked = true;
                }
                self.begun[number].waits_since = self.begun[number].waits_since.map(|_| now);
                consumed
            }
            Event::Data { stream, start, end, consumed, .. } => {
                self.protocol.consumed(stream, end - start);
                self.heard(stream, end - start);
                consumed
            }
            Event::Reset { stream, fault, consumed, .. } => {
                assert!(fault.is_none(), "the server did something wrong: {fault:?}; {self:?}");
                self.settle(number(stream));
                consumed
            }
            Event::GoAway { last_stream, consumed, .. } => {
                self.last = Some(last_stream);
                consumed
            }
            Event::Refused { .. } => panic!("a server is not refused"),
        }
    }

    /// Something of an answer came.
    fn heard(&mut self, key: StreamKey, bytes: usize) {
        let number = number(key);
        let begun = &mut self.begun[number];
        begun.heard += bytes;
        begun.asked = true;
        if !begun.is_over && self.plan.requests[number].enough.is_some_and(|enough| begun.heard >= enough) {
            begun.dropped = true;
            self.protocol.reset(key, h2::ErrorCode::CANCEL, &mut self.unsent);
        }
        self.settle(number);
    }

    fn ends(&mut self, over: Over) {
        self.over = Some(over);
        self.client = None;
    }

    fn hang_up(&mut self) {
        self.over = Some(Over::Left);
        self.client = None;
    }

    /// Leaves, when everything was said and answered.
    fn leave(&mut self) -> bool {
        if self.client.is_none() || self.begun.iter().any(|begun| !begun.is_over && !self.is_refused(begun)) {
            return false;
        }
        if self.begun.len() < self.plan.requests.len() && self.last.is_none() {
            return false;
        }
        match self.plan.manners.ending {
            Ending::Leaves => self.hang_up(),
            Ending::Ends if !self.ended && self.unsent.is_empty() => {
                self.client.as_mut().expect("it was there just now").finish();
                self.ended = true;
            }
            _ => return false,
        }
        true
    }

    /// The server has said that it does not deal with it.
    fn is_refused(&self, begun: &Begun) -> bool {
        self.last.is_some_and(|last| begun.key.id > last)
    }

    /// Checks, after it is over, that every request was answered as it has to be.
    pub fn check_all_answered(&self) {
        assert_eq!(self.begun.len(), self.plan.requests.len(), "all were begun: {self:?}");
        for (begun, request) in self.begun.iter().zip(&self.plan.requests) {
            let answer = self.answer(begun);
            let about = || format!("{} answered {answer:?}\n{self:?}", request.target);
            match request.expected.reset {
                Some(code) => assert_eq!(answer.reset, Some(code), "{}", about()),
                None => {
                    let stopped =
                        answer.reset.is_none_or(|code| code == code::NO_ERROR && !request.is_bodiless);
                    assert!(answer.complete && stopped, "{}", about());
                    assert_eq!(answer.status, request.expected.status, "{}", about());
                }
            }
            self.check_content(answer, request);
        }
        assert!(matches!(self.over, Some(Over::Left | Over::Ended)), "the end is in good order: {self:?}");
        assert!(self.over == Some(Over::Left) || self.witness.is_between_frames(), "cut off: {self:?}");
        if self.plan.manners.ending == Ending::Stays {
            let told = self.witness.go_aways.last().map(|told| told.1);
            assert_eq!(told, Some(code::NO_ERROR), "who idles is told that it ends: {self:?}");
        }
    }

    fn answer(&self, begun: &Begun) -> &Answer {
        static NONE: std::sync::LazyLock<Answer> = std::sync::LazyLock::new(Answer::default);
        self.witness.answers.get(&begun.key.id).unwrap_or(&NONE)
    }

    fn check_content(&self, answer: &Answer, request: &Planned) {
        let expected = &request.expected;
        if answer.status == 0 {
            return;
        }
        if expected.named {
            assert_eq!(answer.field("x-id"), Some(&*request.id.to_string()), "{self:?}");
        }
        if let Some(body) = &expected.body {
            // A conversation that is cut off ends, and so does what it has said.
            let whole = answer.complete && (request.protocol.is_none() || !self.broke);
            let same = if whole { answer.body == *body } else { body.starts_with(&answer.body) };
            assert!(same, "request {} has another body: {self:?}", request.id);
        }
        if expected.check && answer.complete {
            let check = answer.field("x-check").or(answer.trailer("x-check"));
            assert_eq!(check, Some(&*request.id.to_string()), "the trailer comes back: {self:?}");
        }
        let hints = answer.interims.iter().filter(|(status, _)| *status == 103).count();
        assert_eq!(hints, expected.hints, "hints come before the answer: {self:?}");
    }

    /// Checks what an ill-mannered client, or one on a bad network, was told: all that is complete is right, unless it says that it was too
    /// slow.
    pub fn check_what_was_answered(&self) {
        for (begun, request) in self.begun.iter().zip(&self.plan.requests) {
            let answer = self.answer(begun);
            if answer.status == 0 || answer.status == 408 {
                continue;
            }
            if request.expected.reset == Some(code::PROTOCOL_ERROR) {
                panic!("a malformed request is not answered: {self:?}");
            }
            assert_eq!(answer.status, request.expected.status, "{self:?}");
            // Its own nonsense may have become content.
            if !self.broke || self.plan.nonsense.is_empty() {
                self.check_content(answer, request);
            }
        }
    }
}

/// A request's number, by its stream.
fn number(key: StreamKey) -> usize {
    (key.id / 2) as usize
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "client over {:?}, tls {}, last {:?}:", self.over, self.tls.is_some(), self.last)?;
        writeln!(
            f,
            "  {:?}, windows {} {}",
            self.plan.manners, self.plan.window, self.plan.connection_window
        )?;
        writeln!(f, "  told {:?}, let {:?}", self.witness.settings, self.witness.opened)?;
        writeln!(f, "  told to go away: {:?} {:?}", self.witness.go_aways, self.witness.reasons)?;
        writeln!(
            f,
            "  unsent {}, unread {}, mute {}, broke {}",
            self.unsent.len(),
            self.unread.len(),
            self.mute,
            self.broke
        )?;
        let none = BTreeMap::new();
        let answers = if self.begun.is_empty() { &none } else { &self.witness.answers };
        for (begun, request) in self.begun.iter().zip(&self.plan.requests) {
            let target: String = request.target.chars().take(100).collect();
            writeln!(
                f,
                "  stream {}: {:?} {target} and {} bytes (sent {}, finished {}, over {}, dropped {}, waits {:?}, room {})",
                begun.key.id,
                request.method,
                request.body.len(),
                begun.sent,
                begun.has_finished,
                begun.is_over,
                begun.dropped,
                begun.waits_since,
                self.protocol.room(begun.key),
            )?;
            if let Some(answer) = answers.get(&begun.key.id) {
                let Answer { status, fields, body, complete, reset, interims, .. } = answer;
                writeln!(
                    f,
                    "    told {status} {fields:?}, {} bytes, complete: {complete}, reset {reset:?}, {interims:?}",
                    body.len()
                )?;
            }
        }
        writeln!(f, "  {} requests not begun", self.plan.requests.len() - self.begun.len())?;
        Ok(())
    }
}
