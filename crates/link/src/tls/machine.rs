//! rustls's machine, of either side, one step at a time.
//!
//! It is rustls's unbuffered one: it works on the bytes it is given, and keeps none of its own.

use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, InsufficientSizeError, UnbufferedStatus,
};
use rustls::{CommonState, Error};

/// Either side's machine.
pub(super) enum Machine {
    Server(UnbufferedServerConnection),
    Client(UnbufferedClientConnection),
}

/// What a step led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// Another step is to be made.
    Again,
    /// Plaintext is to be taken.
    Plaintext,
    /// More has to come first.
    Waits,
    /// There is nothing to do, and plaintext may be sent.
    Ready,
    /// The peer said that it sends no more.
    PeerClosed,
}

/// Room for what a record has beside its plaintext. The largest is of TLS 1.2 with AES-GCM: head 5, nonce 8, tag 16.
const RECORD_OVERHEAD: usize = 32;

impl Machine {
    /// Makes one step on `bytes`, from whose front so many are done with then. What it wants to say goes behind `waiting`.
    pub(super) fn step(&mut self, bytes: &mut [u8], waiting: &mut Vec<u8>) -> (usize, Result<Step, Error>) {
        match self {
            Machine::Server(machine) => step(machine.process_tls_records(bytes), waiting),
            Machine::Client(machine) => step(machine.process_tls_records(bytes), waiting),
        }
    }

    /// Takes the plaintext that the last step led to.
    ///
    /// rustls 0.23 decrypts in place and then hands a record over in memory of its own, but keeps the bytes borrowed meanwhile. It
    /// is asked again with none, which only gives what it has; so the plaintext can be put where it came from.
    ///
    /// # Panics
    /// When there is less room than plaintext, of which there is less than there was ciphertext.
    pub(super) fn take_plaintext(&mut self, room: &mut [u8]) -> usize {
        match self {
            Machine::Server(machine) => taken(machine.process_tls_records(&mut []), room),
            Machine::Client(machine) => taken(machine.process_tls_records(&mut []), room),
        }
    }

    /// Encrypts `plain` behind `sealed`. `unprocessed` is what came and is no whole record. Says whether it was done; else something
    /// else is to be sent first, and a step to be made.
    pub(super) fn encrypt(
        &mut self,
        unprocessed: &mut [u8],
        plain: &[u8],
        sealed: &mut Vec<u8>,
        record_bytes: usize,
    ) -> Result<bool, Error> {
        let room = plain.len() + (plain.len().div_ceil(record_bytes) + 1) * RECORD_OVERHEAD;
        match self {
            Machine::Server(machine) => {
                encrypted(machine.process_tls_records(unprocessed), plain, sealed, room)
            }
            Machine::Client(machine) => {
                encrypted(machine.process_tls_records(unprocessed), plain, sealed, room)
            }
        }
    }

    /// What both sides have.
    pub(super) fn common(&self) -> &CommonState {
        match self {
            Machine::Server(machine) => machine,
            Machine::Client(machine) => machine,
        }
    }

    /// Puts behind `sealed` that we send no more. Says whether it was done; else a step is to be made first.
    pub(super) fn close(&mut self, unprocessed: &mut [u8], sealed: &mut Vec<u8>) -> Result<bool, Error> {
        match self {
            Machine::Server(machine) => closed(machine.process_tls_records(unprocessed), sealed),
            Machine::Client(machine) => closed(machine.process_tls_records(unprocessed), sealed),
        }
    }
}

fn step<D>(status: UnbufferedStatus<'_, '_, D>, waiting: &mut Vec<u8>) -> (usize, Result<Step, Error>) {
    let step = status.state.and_then(|state| match state {
        ConnectionState::ReadTraffic(_) => Ok(Step::Plaintext),
        ConnectionState::EncodeTlsData(data) => encode(data, waiting).map(|()| Step::Again),
        ConnectionState::TransmitTlsData(data) => {
            data.done();
            Ok(Step::Again)
        }
        ConnectionState::WriteTraffic(_) => Ok(Step::Ready),
        ConnectionState::PeerClosed => Ok(Step::PeerClosed),
        ConnectionState::BlockedHandshake | ConnectionState::Closed => Ok(Step::Waits),
        // Early data is never accepted.
        _ => Err(Error::General("a state that was not to be reached".to_owned())),
    });
    (status.discard, step)
}

fn encode<D>(mut data: EncodeTlsData<'_, D>, waiting: &mut Vec<u8>) -> Result<(), Error> {
    let begin = waiting.len();
    // How much it is, is said by the error.
    if let Err(EncodeError::InsufficientSize(InsufficientSizeError { required_size })) = data.encode(&mut [])
    {
        waiting.resize(begin + required_size, 0);
        data.encode(&mut waiting[begin..]).map_err(|error| Error::General(error.to_string()))?;
    }
    Ok(())
}

fn taken<D>(status: UnbufferedStatus<'_, '_, D>, room: &mut [u8]) -> usize {
    let Ok(ConnectionState::ReadTraffic(mut traffic)) = status.state else { return 0 };
    let mut count = 0;
    while let Some(Ok(record)) = traffic.next_record() {
        room[count..][..record.payload.len()].copy_from_slice(record.payload);
        count += record.payload.len();
    }
    count
}

fn encrypted<D>(
    status: UnbufferedStatus<'_, '_, D>,
    plain: &[u8],
    sealed: &mut Vec<u8>,
    room: usize,
) -> Result<bool, Error> {
    debug_assert_eq!(status.discard, 0, "what was unprocessed has been seen before");
    let ConnectionState::WriteTraffic(mut traffic) = status.state? else { return Ok(false) };
    let begin = sealed.len();
    sealed.resize(begin + room, 0);
    let mut written = traffic.encrypt(plain, &mut sealed[begin..]);
    if let Err(EncryptError::InsufficientSize(InsufficientSizeError { required_size })) = written {
        sealed.resize(begin + required_size, 0);
        written = traffic.encrypt(plain, &mut sealed[begin..]);
    }
    sealed.truncate(begin + *written.as_ref().unwrap_or(&0));
    written.map(|_| true).map_err(|_| Error::EncryptError)
}

fn closed<D>(status: UnbufferedStatus<'_, '_, D>, sealed: &mut Vec<u8>) -> Result<bool, Error> {
    let ConnectionState::WriteTraffic(mut traffic) = status.state? else { return Ok(false) };
    let begin = sealed.len();
    sealed.resize(begin + RECORD_OVERHEAD * 2, 0);
    let written = traffic.queue_close_notify(&mut sealed[begin..]);
    sealed.truncate(begin + *written.as_ref().unwrap_or(&0));
    written.map(|_| true).map_err(|_| Error::EncryptError)
}
