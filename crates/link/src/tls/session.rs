//! A session: one connection's TLS.

use std::cell::Cell;
use std::fmt;
use std::io;

use gannet_block::{Block, Chunk};
use gannet_engine::Output;
use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use rustls::server::UnbufferedServerConnection;
use rustls::{Error, HandshakeKind, ProtocolVersion};

use super::client::ClientTls;
use super::machine::{Machine, Step};
use super::server::ServerTls;
use crate::certificate::Certificate;
use crate::{Fault, FaultKind, Offer, Opened, PeerIdentity, RECORD_BYTES};

/// The most that may have come of a message that is not complete: the largest message of a handshake (certificates) may take 64 KiB,
/// and its records' heads come to that.
const GATHERED_BYTES: usize = 128 * 1024;

/// A record's head: its type, version and length.
const HEAD_BYTES: usize = 5;

/// Where a worker puts pieces together that become one record.
#[derive(Default)]
pub struct Scratch(Vec<u8>);

/// One connection's TLS, of either side.
///
/// What is received goes to [`open`](Session::open). What is to be sent goes through [`seal`](Session::seal), which also sends what the session
/// itself has to say. It holds no buffer, but for what came of a record that is not complete, and what it has to say until it is sealed.
pub struct Session {
    machine: Machine,
    /// What the session has to say: handshakes, tickets, alerts.
    waiting: Vec<u8>,
    /// What came and is not a whole record.
    gathered: Option<Block>,
    server_name: Option<Box<str>>,
    /// Something was received.
    begun: bool,
    established: bool,
    peer_closed: bool,
    /// Nothing is sent any more: we said so, or the session broke.
    closed: bool,
}

thread_local! {
    /// The name of the host that the client of the session at work asked for. An unbuffered connection of rustls does not tell it, but
    /// whoever chooses the certificate is told, while the session works.
    static ASKED: Cell<Option<Box<str>>> = const { Cell::new(None) };
}

/// Takes note of the host that is asked for.
pub(super) fn note_server_name(name: Option<&str>) {
    ASKED.set(name.map(Box::from));
}

impl Session {
    /// A server's, with a client that connected.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn server(tls: &ServerTls) -> Result<Session, Fault> {
        let machine = UnbufferedServerConnection::new(tls.config.clone())?;
        Ok(Session::new(Machine::Server(machine)))
    }

    /// A client's, with the server of this name (a host's or an address), which its certificate must have. There is something to be sent at once.
    ///
    /// # Errors
    /// When the name is none, or the system gives no random bytes.
    pub fn client(tls: &ClientTls, server_name: &str, offer: Offer) -> Result<Session, Fault> {
        let name = ServerName::try_from(server_name.to_owned()).map_err(|_| {
            Fault::new(FaultKind::Ours, "the server's name is neither a host's nor an address")
        })?;
        let machine = UnbufferedClientConnection::new(tls.offering(offer), name)?;
        let mut session = Session::new(Machine::Client(machine));
        session.server_name = Some(server_name.into());
        session.process(&mut [])?;
        Ok(session)
    }

    fn new(machine: Machine) -> Session {
        Session {
            machine,
            waiting: Vec::new(),
            gathered: None,
            server_name: None,
            begun: false,
            established: false,
            peer_closed: false,
            closed: false,
        }
    }

    /// Opens what was received, and gives plaintext in the order in which it came. The plaintext of all records that are whole in the block is
    /// one chunk of the same memory. Of a record that is not whole, what came is kept until the rest has come; it is given in memory of its own.
    ///
    /// # Errors
    /// When the session broke. What [`wants_to_send`](Session::wants_to_send) then is the alert that says so.
    pub fn open(&mut self, block: Block, plain: &mut impl FnMut(Chunk)) -> Result<Opened, Fault> {
        if !self.begun && !block.is_empty() {
            self.begun = true;
            // No record's type is a letter (RFC 8446, 5.1), and every method of HTTP, and its version, begins with one.
            if block[0].is_ascii_alphabetic() {
                self.closed = true;
                return Err(Fault::new(FaultKind::PlainHttp, "the peer speaks HTTP without TLS"));
            }
        }
        let before = (self.established, self.peer_closed);
        let opened = self.open_all(block, plain);
        opened.map_err(|error| self.broken(error))?;
        let established = self.established && !before.0;
        Ok(Opened { established, peer_closed: self.peer_closed && !before.1 })
    }

    fn open_all(&mut self, block: Block, plain: &mut impl FnMut(Chunk)) -> Result<(), Error> {
        let mut start = 0;
        while let Some(gathered) = self.gathered.take() {
            let rest = &block[start..];
            let wanted = self.missing(&gathered);
            let missing = wanted.min(rest.len());
            let gathered = joined(gathered, &rest[..missing], wanted)?;
            start += missing;
            if self.missing_of_record(&gathered) == 0 && missing > 0 {
                self.open_block(gathered, 0, plain)?;
            } else {
                self.gathered = Some(gathered);
            }
            if start == block.len() {
                return Ok(());
            }
        }
        self.open_block(block, start, plain)
    }

    /// Opens what is in a block from `start` on, and keeps what is not a whole record.
    fn open_block(
        &mut self,
        mut block: Block,
        start: usize,
        plain: &mut impl FnMut(Chunk),
    ) -> Result<(), Error> {
        let bytes = &mut block.filled_mut()[start..];
        let (count, done) = self.process(bytes)?;
        let rest = &bytes[done..];
        if !rest.is_empty() && !self.peer_closed {
            // A record that is long gets memory for all of it at once.
            let mut gathered = Block::oversized(rest.len() + self.missing(rest).min(RECORD_BYTES + 512));
            gathered.append(rest);
            self.gathered = Some(gathered);
        }
        if count > 0 {
            plain(block.share().slice(start..start + count));
        }
        Ok(())
    }

    /// How many bytes are to be added to those that were gathered before it is worth to look at them again.
    fn missing(&self, gathered: &[u8]) -> usize {
        match self.missing_of_record(gathered) {
            // Records that are whole and were not used are parts of a message of the handshake.
            0 => usize::MAX,
            missing => missing,
        }
    }

    /// How much is missing until a record, or its head, is whole.
    fn missing_of_record(&self, gathered: &[u8]) -> usize {
        if !self.established {
            // Their heads may have been moved: parts of a message are put together in place.
            return 0;
        }
        match gathered {
            [_, _, _, high, low, ..] => {
                let record = HEAD_BYTES + usize::from(u16::from_be_bytes([*high, *low]));
                record.saturating_sub(gathered.len())
            }
            short => HEAD_BYTES - short.len(),
        }
    }

    /// Works through `bytes`: the plaintext is put at their front. Says how much that is, and of how many bytes it came.
    fn process(&mut self, bytes: &mut [u8]) -> Result<(usize, usize), Error> {
        let (mut count, mut done) = (0, 0);
        loop {
            let (discard, step) = self.machine.step(&mut bytes[done..], &mut self.waiting);
            done += discard;
            match step? {
                Step::Again => {}
                Step::Plaintext => count += self.machine.take_plaintext(&mut bytes[count..done]),
                Step::PeerClosed => self.peer_closed = true,
                Step::Waits => break,
                Step::Ready => {
                    self.established = true;
                    break;
                }
            }
            if self.server_name.is_none() {
                self.server_name = ASKED.take();
            }
        }
        Ok((count, done))
    }

    /// The session broke: its alert waits, if there is one.
    fn broken(&mut self, error: Error) -> Fault {
        self.closed = true;
        self.gathered = None;
        self.say();
        Fault::from(error)
    }

    /// Puts what rustls has to say where it waits.
    fn say(&mut self) {
        while self.machine.common().wants_write() {
            if self.machine.step(&mut [], &mut self.waiting).1.is_err() {
                return;
            }
        }
    }

    /// Whether the session has something to say by itself.
    pub fn wants_to_send(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Seals what the session has to say, and behind it up to `most` bytes of `plain`, which are taken out of it; says how many those were. Small
    /// pieces become one record; of what is more than a record holds each record is full, but for the last, and where a range of a file ends.
    ///
    /// # Errors
    /// When a range of a file cannot be read, or is not there any more.
    pub fn seal(
        &mut self,
        plain: &mut Output,
        sealed: &mut Output,
        most: usize,
        scratch: &mut Scratch,
    ) -> io::Result<usize> {
        self.flush(sealed);
        if !self.established || self.closed {
            return Ok(0);
        }
        let mut taken = 0;
        while taken < most && !plain.is_empty() {
            let wanted = plain.remaining().min((most - taken) as u64) as usize;
            let front = plain.front_bytes();
            // Whole records, and the last one, need not be put together where they lie together.
            let together =
                if front.len() >= wanted { wanted } else { front.len() / RECORD_BYTES * RECORD_BYTES };
            let count = if together > 0 {
                self.encrypt(&front[..together], sealed)?;
                plain.advance(together as u64);
                together
            } else {
                let record = scratch.fill(plain, wanted.min(RECORD_BYTES))?;
                self.encrypt(record, sealed)?;
                record.len()
            };
            taken += count;
        }
        Ok(taken)
    }

    fn encrypt(&mut self, plain: &[u8], sealed: &mut Output) -> io::Result<()> {
        loop {
            let unprocessed = self.gathered.as_mut().map_or(&mut [][..], Block::filled_mut);
            if self
                .machine
                .encrypt(unprocessed, plain, sealed.bytes(), RECORD_BYTES)
                .map_err(io::Error::other)?
            {
                return Ok(());
            }
            let unprocessed = self.gathered.as_mut().map_or(&mut [][..], Block::filled_mut);
            match self.machine.step(unprocessed, &mut self.waiting).1.map_err(io::Error::other)? {
                Step::Waits => return Err(io::Error::other("the session does not take plaintext")),
                _ => self.flush(sealed),
            }
        }
    }

    /// Puts what the session has to say behind `sealed`.
    pub fn flush(&mut self, sealed: &mut Output) {
        if !self.waiting.is_empty() {
            sealed.bytes().extend_from_slice(&self.waiting);
            // A handshake takes some KiB once; later there is hardly ever anything.
            self.waiting = Vec::new();
        }
    }

    /// Says that we send no more (`close_notify`), so that the peer does not take for the end what somebody else cut off. It waits to be sent.
    pub fn close(&mut self) {
        if !self.established || self.closed {
            return;
        }
        self.closed = true;
        loop {
            let unprocessed = self.gathered.as_mut().map_or(&mut [][..], Block::filled_mut);
            // An error means that the session broke: then an alert has been sent, or the peer has closed.
            if self.machine.close(unprocessed, &mut self.waiting).unwrap_or(true) {
                return;
            }
            let unprocessed = self.gathered.as_mut().map_or(&mut [][..], Block::filled_mut);
            if !matches!(self.machine.step(unprocessed, &mut self.waiting).1, Ok(Step::Again)) {
                return;
            }
        }
    }

    /// Whether we said that we send no more, or the session broke.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether something came of a record that is not whole, and is kept until the rest comes.
    pub fn is_within_record(&self) -> bool {
        self.gathered.is_some()
    }

    /// Whether the handshake is not complete.
    pub fn is_handshaking(&self) -> bool {
        !self.established
    }

    /// Whether the peer said that it sends no more. If its connection ends and it did not, somebody may have cut off what it sent.
    pub fn peer_closed(&self) -> bool {
        self.peer_closed
    }

    /// The host that the client asked for (SNI, RFC 6066, 3), in lower case; of a client's session the server's name.
    pub fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// The application protocol that was agreed upon.
    pub fn protocol(&self) -> Option<&[u8]> {
        self.machine.common().alpn_protocol()
    }

    /// The version, as `TLSv1.3`; nothing before it is known.
    pub fn version(&self) -> Option<&'static str> {
        match self.machine.common().protocol_version()? {
            ProtocolVersion::TLSv1_3 => Some("TLSv1.3"),
            ProtocolVersion::TLSv1_2 => Some("TLSv1.2"),
            _ => None,
        }
    }

    /// The cipher suite, as IANA names it.
    pub fn cipher(&self) -> Option<&'static str> {
        let name = self.machine.common().negotiated_cipher_suite()?.suite().as_str()?;
        Some(match name {
            "TLS13_AES_128_GCM_SHA256" => "TLS_AES_128_GCM_SHA256",
            "TLS13_AES_256_GCM_SHA384" => "TLS_AES_256_GCM_SHA384",
            "TLS13_CHACHA20_POLY1305_SHA256" => "TLS_CHACHA20_POLY1305_SHA256",
            name => name,
        })
    }

    /// Whether an earlier session was resumed.
    pub fn is_resumed(&self) -> bool {
        self.machine.common().handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// Whom the peer's certificate names, if it showed one. It was verified, now or when the session that is resumed was begun.
    pub fn peer_identity(&self) -> Option<PeerIdentity> {
        let certificate = self.machine.common().peer_certificates()?.first()?;
        let read = Certificate::read(certificate).ok()?;
        Some(PeerIdentity { subject: read.subject, names: read.names, certificate: certificate.to_vec() })
    }
}

impl Scratch {
    /// Moves `wanted` bytes here.
    fn fill(&mut self, plain: &mut Output, wanted: usize) -> io::Result<&[u8]> {
        if self.0.len() < wanted {
            self.0.resize(RECORD_BYTES, 0);
        }
        let mut filled = 0;
        while filled < wanted {
            let was_file = plain.begins_with_file();
            let count = plain.peek(&mut self.0[filled..wanted])?;
            plain.advance(count as u64);
            filled += count;
            // What is read from a file is read once for each record that it is in: where a range ends, what does not fit beside it has a
            // record of its own, in which frames of HTTP/2 then lie one each.
            if was_file && !plain.begins_with_file() && plain.remaining() > (wanted - filled) as u64 {
                break;
            }
        }
        Ok(&self.0[..filled])
    }
}

/// Puts `more` behind what was gathered, in place where there is room; else in memory that has room for all that is wanted, if that is known.
fn joined(mut gathered: Block, more: &[u8], wanted: usize) -> Result<Block, Error> {
    if gathered.spare_mut().len() >= more.len() {
        gathered.append(more);
        return Ok(gathered);
    }
    let bytes = gathered.len() + more.len();
    if bytes > GATHERED_BYTES {
        return Err(Error::PeerSentOversizedRecord);
    }
    let room = gathered.len().saturating_add(wanted);
    let room = if room <= GATHERED_BYTES { room } else { (bytes * 2).min(GATHERED_BYTES) };
    let mut larger = Block::oversized(room);
    larger.append(&gathered);
    larger.append(more);
    Ok(larger)
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("server_name", &self.server_name)
            .field("version", &self.version())
            .field("established", &self.established)
            .finish_non_exhaustive()
    }
}
