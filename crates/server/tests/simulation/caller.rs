//! A client that follows its plan, and checks what it is told.

use std::io::ErrorKind;
use std::time::Duration;

use gannet_engine::Moment;
use gannet_engine::sim::Random;
use gannet_link::ClientTls;

use crate::plan::{Break, Closes, Ending, Plan, Planned};
use crate::reader::{Answer, Reader};
use crate::wire::Wire;
use crate::world::World;

/// Who waits to be asked for a body sends it unasked after this long (RFC 9110, 10.1.1).
const UNASKED: Duration = Duration::from_secs(3);

/// Nothing but the conversation itself ends a conversation: a client that fell silent in one leaves after this long.
const BORED: Duration = Duration::from_secs(100);

/// One client.
pub struct Caller {
    plan: Plan,
    random: Random,
    client: Option<Wire>,
    /// By TLS, if there is some.
    tls: Option<ClientTls>,
    reader: Reader,
    /// The request being sent, and how much of it is.
    sending: usize,
    offset: usize,
    /// Bytes written in all.
    written: usize,
    /// Does nothing until then.
    due: Moment,
    /// When it began to wait to be asked for a body.
    waits_since: Option<Moment>,
    /// It has broken off as planned.
    broke: bool,
    /// When it last did something, or was told something.
    active: Moment,
    /// When it leaves a conversation that it does not follow any more.
    bored: Option<Moment>,
    /// It writes no more.
    mute: bool,
    /// It ended its half.
    ended: bool,
    over: Option<Over>,
}

/// How a connection ended, as the client saw it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Over {
    /// It was not let in.
    Refused,
    /// The client closed it.
    Left,
    /// The server ended it in good order.
    Ended,
    /// It was reset.
    Reset,
}

impl Caller {
    pub fn new(plan: Plan, now: Moment, random: &mut Random) -> Caller {
        Caller {
            due: now.after(plan.manners.arrives),
            plan,
            random: random.fork(),
            client: None,
            tls: None,
            reader: Reader::default(),
            sending: 0,
            offset: 0,
            written: 0,
            waits_since: None,
            broke: false,
            bored: None,
            active: now,
            mute: false,
            ended: false,
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
        self.reader.answers.iter().filter(|answer| answer.complete).map(|answer| answer.status)
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
        let unasked = self.waits_since.map(|since| since.after(UNASKED));
        [Some(self.due), unasked, self.bored].into_iter().flatten().filter(|moment| *moment > now).min()
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
                Some(tls) => Wire::secure(&world.network, tls),
            };
            match connected {
                Ok(client) => self.client = Some(client),
                Err(_) => self.over = Some(Over::Refused),
            }
            return true;
        }
        if self.bored.is_some_and(|bored| bored <= now) {
            self.hang_up();
            return true;
        }
        let acted = self.write(now) | self.read() | self.leave();
        self.active = if acted { now } else { self.active };
        if acted && self.random.chance(self.plan.manners.pause) {
            self.due = now.after(self.random.duration(Duration::ZERO..=self.plan.manners.pause_at_most));
        }
        acted
    }

    fn write(&mut self, now: Moment) -> bool {
        let Some(range) = self.writable(now) else { return false };
        let request = &self.plan.requests[self.sending];
        let bytes = if self.offset < request.head.len() { &request.head } else { &request.body };
        let bytes = &bytes[range];
        let most = self.before_break().min(self.plan.manners.write).min(bytes.len());
        if most == 0 {
            return self.break_off(now);
        }
        let count = self.random.magnitude(1..=most);
        let client = self.client.as_mut().expect("connected before it writes");
        match client.write(&bytes[..count]) {
            Ok(count) => {
                self.offset += count;
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

    /// What of the present request's part (head or body) may be written now.
    fn writable(&mut self, now: Moment) -> Option<std::ops::Range<usize>> {
        if self.mute || self.ended {
            return None;
        }
        // It is told to send no more requests; and no more of this one, once that is answered (RFC 9112, 9.6).
        let last = self.reader.answers.last().filter(|answer| answer.closes());
        if last.is_some_and(|answer| answer.complete || self.offset == 0) {
            return None;
        }
        let request = self.plan.requests.get(self.sending)?;
        let (head, body) = (request.head.len(), request.body.len());
        if self.offset == head + body {
            (self.sending, self.offset, self.waits_since) = (self.sending + 1, 0, None);
            return self.writable(now);
        }
        if self.offset == 0 && self.sending >= self.reader.complete_answers() + self.plan.manners.depth {
            return None;
        }
        if self.offset < head {
            return Some(self.offset..head);
        }
        if self.offset == head && request.waits && !self.may_send_body(now) {
            return None;
        }
        Some(self.offset - head..body)
    }

    /// Whether the server asked for the body, or took too long to.
    fn may_send_body(&mut self, now: Moment) -> bool {
        let since = *self.waits_since.get_or_insert(now);
        let asked = self.reader.continued && self.reader.answers.len() == self.sending;
        asked || now.since(since) >= UNASKED
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
        let converses = self.plan.requests.iter().any(|request| request.expected.conversation.is_some());
        self.bored = converses.then(|| now.after(BORED));
        let client = self.client.as_mut().expect("connected before it writes");
        match how {
            Break::Vanishes => self.hang_up(),
            Break::Resets => {
                client.reset();
                self.hang_up();
            }
            Break::Ends => {
                client.finish();
                self.ended = true;
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

    fn read(&mut self) -> bool {
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
                let asked =
                    |number: usize| self.plan.requests.get(number).map_or_else(Default::default, |r| r.asked);
                let taken = self.reader.take(&room[..count], asked);
                taken.unwrap_or_else(|error| panic!("{error}; after {:?}", self.reader.answers));
                self.check_pairing();
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            Err(error) if error.kind() == ErrorKind::Interrupted => return true,
            Err(_) => self.ends(Over::Reset),
        }
        true
    }

    fn ends(&mut self, over: Over) {
        if over == Over::Ended {
            self.reader.end();
        }
        self.over = Some(over);
        self.client = None;
    }

    fn hang_up(&mut self) {
        self.over = Some(Over::Left);
        self.client = None;
    }

    /// Leaves, when everything was said and answered.
    fn leave(&mut self) -> bool {
        let Some(client) = &mut self.client else { return false };
        let all_said = self.sending == self.plan.requests.len();
        let conversed = self.reader.answers.last().is_some_and(|answer| answer.status == 101);
        if conversed && all_said && !self.ended {
            client.finish();
            self.ended = true;
            return true;
        }
        let all_answered = self.reader.complete_answers() == self.plan.requests.len();
        if !all_answered || conversed {
            return false;
        }
        match self.plan.manners.ending {
            Ending::Leaves => self.hang_up(),
            Ending::Ends if !self.ended => {
                client.finish();
                self.ended = true;
            }
            _ => return false,
        }
        true
    }

    /// Each answer is to the request whose turn it is.
    fn check_pairing(&self) {
        let begun = self.sending + usize::from(self.offset > 0);
        // Where there is no conversation its first words are taken for another request.
        let refused = |(answer, request): (&Answer, &Planned)| {
            request.expected.conversation.is_some() && answer.status != request.expected.status
        };
        let taken_for_one = self.reader.answers.iter().zip(&self.plan.requests).any(refused);
        let most = begun + usize::from(taken_for_one);
        assert!(self.reader.answers.len() <= most, "an answer that nobody asked for: {self:?}");
        if let (Some(answer), Some(request)) =
            (self.reader.answers.last(), self.plan.requests.get(self.reader.answers.len().wrapping_sub(1)))
            && let Some(id) = answer.field("x-id")
        {
            assert_eq!(id, request.id.to_string(), "answers in order, one each: {self:?}");
        }
    }

    /// Checks, after it is over, that every request was answered as it has to be.
    pub fn check_all_answered(&self) {
        // Who finds out too late that a body is more than it wants to discard closes without having said so.
        let mut excused = false;
        for (number, request) in self.plan.requests.iter().enumerate() {
            let Some(answer) = self.reader.answers.get(number) else {
                assert!(excused || request.expected.fails, "request {number} has no answer: {self:?}");
                return;
            };
            if self.check_answer(answer, request) {
                assert_eq!(self.reader.answers.len(), number + 1, "nothing follows the last answer");
                let said = request.expected.conversation.as_deref().unwrap_or_default();
                assert!(said == self.reader.conversation, "all is said again: {self:?}");
                return;
            }
            excused = request.expected.closes == Closes::Perhaps;
        }
        self.check_end();
    }

    fn check_end(&self) {
        let left = matches!(self.over, Some(Over::Left | Over::Ended));
        assert!(left && self.reader.is_between_answers(), "the end is in good order: {self:?}");
    }

    /// Checks an answer; says whether it was the last.
    fn check_answer(&self, answer: &Answer, request: &Planned) -> bool {
        let expected = &request.expected;
        let about = || format!("{}\nanswered {answer:?}\n{self:?}", String::from_utf8_lossy(&request.head));
        assert_eq!(answer.status, expected.status, "{}", about());
        assert_ne!(answer.complete, expected.fails, "complete, or failed: {}", about());
        self.check_content(answer, request, answer.complete);
        let closes = answer.closes() || expected.conversation.is_some();
        match expected.closes {
            Closes::Never => assert!(!closes, "keeps the connection: {}", about()),
            Closes::Always => assert!(closes || expected.fails, "closes the connection: {}", about()),
            Closes::Perhaps => {}
        }
        closes || expected.fails
    }

    fn check_content(&self, answer: &Answer, request: &Planned, whole: bool) {
        let expected = &request.expected;
        if expected.named {
            assert_eq!(answer.field("x-id"), Some(&*request.id.to_string()), "{self:?}");
        }
        if let Some(body) = &expected.body {
            let same = if whole { answer.body == *body } else { body.starts_with(&answer.body) };
            assert!(same, "request {} has another body: {self:?}", request.id);
        }
        if expected.check && whole {
            let check = answer.field("x-check").or(answer.trailer("x-check"));
            assert_eq!(check, Some(&*request.id.to_string()), "the trailer comes back: {self:?}");
        }
        if let Some(said) = &expected.conversation {
            assert!(said.starts_with(&self.reader.conversation), "said again: {self:?}");
        }
    }

    /// Checks what an ill-mannered client, or one on a bad network, was told: all that is complete is right, unless it says that something
    /// `failed`.
    pub fn check_what_was_answered(&self, failed: &[u16]) {
        for (number, (answer, request)) in self.reader.answers.iter().zip(&self.plan.requests).enumerate() {
            // Who ends its half within a body is told that this is no body, if the handler waited for the rest of it.
            let cut_short = matches!(self.over, Some(Over::Ended)) && number == self.sending;
            if cut_short && answer.status == 400 {
                assert!(answer.closes(), "nothing comes behind a body that was cut short: {self:?}");
                continue;
            }
            if answer.status != request.expected.status && failed.contains(&answer.status) {
                let is_ours = answer.status == 408 && failed == [408];
                assert!(answer.closes() || !is_ours, "who is too late is disconnected: {self:?}");
                continue;
            }
            assert_eq!(answer.status, request.expected.status, "{self:?}");
            // Where only the connection's end says where a body ends, nobody can tell an early end from a late one.
            let framed = answer.field("content-length").is_some() || !request.asked.http10;
            self.check_content(answer, request, answer.complete && framed);
        }
        let closing = self.reader.answers.iter().position(Answer::closes);
        let last = self.reader.answers.len().wrapping_sub(1);
        assert!(closing.is_none_or(|number| number == last), "nothing follows the last answer: {self:?}");
    }
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "client over {:?}, sending {} at {}:", self.over, self.sending, self.offset)?;
        writeln!(f, "  {:?}", self.plan.manners)?;
        for (number, request) in self.plan.requests.iter().enumerate() {
            let head = String::from_utf8_lossy(&request.head);
            writeln!(f, "  asks {:?} and {} bytes", head, request.body.len())?;
            if let Some(answer) = self.reader.answers.get(number) {
                let Answer { status, fields, body, complete, .. } = answer;
                writeln!(f, "  told {status} {fields:?}, {} bytes, complete: {complete}", body.len())?;
            }
        }
        for Answer { status, fields, .. } in self.reader.answers.iter().skip(self.plan.requests.len()) {
            writeln!(f, "  told {status} {fields:?} unasked")?;
        }
        Ok(())
    }
}
