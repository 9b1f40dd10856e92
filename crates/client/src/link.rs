//! Between a connection and its socket: what is received is opened, and what is sent is sealed, where the upstream is spoken to over TLS.

use gannet_core::{Call, Upstream, UpstreamError};
use gannet_engine::{Block, Chunk, Output, SocketId};
use gannet_link::{ClientTls, Offer, Session};
use gannet_proto::proxy;

use crate::local::{Lent, Local};

/// Plaintext sealed into one send: four full records. What is more follows when that was taken.
const SEALED_BYTES: usize = 64 * 1024;

/// A connection's TLS; none in clear text.
pub(crate) type Tls = Option<Box<Session>>;

/// What opening led to.
pub(crate) enum Opened {
    /// Bytes of the protocol, perhaps none; with the end behind them, or without.
    Bytes { plain: Option<Chunk>, ended: bool },
    /// The handshake goes on.
    Handshaking,
}

/// Begins TLS on a connection that is there.
pub(crate) fn session(upstream: &Upstream, offer: Offer) -> Result<Tls, UpstreamError> {
    let Some(tls) = &upstream.tls else { return Ok(None) };
    let settings = tls.settings.downcast_ref::<ClientTls>();
    let settings =
        settings.ok_or_else(|| UpstreamError::Tls("its settings are not of this server's".into()))?;
    let session = Session::client(settings, &tls.server_name, offer);
    session.map(|session| Some(Box::new(session))).map_err(|fault| UpstreamError::Tls(fault.message.into()))
}

/// The PROXY protocol's header that the connection of a call begins with, if it does.
pub(crate) fn put_header(call: &Call, output: &mut Output) {
    if let Some(version) = call.upstream().proxy_protocol {
        let client = call.client();
        proxy::write(version, client.map(|ends| ends.0), client.map(|ends| ends.1), output.bytes());
    }
}

/// Opens what was received.
pub(crate) fn open(tls: &mut Tls, block: Block) -> Result<Opened, UpstreamError> {
    let Some(session) = tls else {
        return Ok(Opened::Bytes { plain: Some(block.share()), ended: false });
    };
    let mut plain: Option<Chunk> = None;
    let mut gather = |chunk: Chunk| {
        plain = Some(match plain.take() {
            None => chunk,
            Some(before) => before.followed_by(&chunk),
        });
    };
    let opened = session.open(block, &mut gather);
    let opened = opened.map_err(|fault| UpstreamError::Tls(fault.message.into()))?;
    if session.is_handshaking() {
        return Ok(Opened::Handshaking);
    }
    Ok(Opened::Bytes { plain, ended: opened.peer_closed })
}

/// Whether the end of what came may be trusted: over TLS anybody can end the connection, and the upstream alone can say that it did.
pub(crate) fn is_trusted_end(tls: &Tls) -> bool {
    tls.as_ref().is_none_or(|session| session.peer_closed())
}

/// Hands an output to the engine, sealed where that is so; gives back what is still to be sent after it.
pub(crate) fn send(
    tls: &mut Tls,
    socket: SocketId,
    mut output: Box<Output>,
    local: &mut Local,
    lent: &mut Lent<'_>,
) -> Result<Option<Box<Output>>, UpstreamError> {
    let Some(session) = tls else {
        lent.engine.send(socket, output);
        return Ok(None);
    };
    let mut sealed = local.take_output();
    let taken = session.seal(&mut output, &mut sealed, SEALED_BYTES, &mut local.scratch);
    taken.map_err(|_| UpstreamError::RequestBody)?;
    lent.engine.send(socket, sealed);
    if output.is_empty() {
        local.recycle_output(output);
        return Ok(None);
    }
    Ok(Some(output))
}

/// Sends what the session has to say by itself; says whether there was anything.
pub(crate) fn say(tls: &mut Tls, socket: SocketId, local: &mut Local, lent: &mut Lent<'_>) -> bool {
    let Some(session) = tls else { return false };
    if !session.wants_to_send() {
        return false;
    }
    let (mut nothing, mut sealed) = (local.take_output(), local.take_output());
    let said = session.seal(&mut nothing, &mut sealed, 0, &mut local.scratch).is_ok() && !sealed.is_empty();
    local.recycle_output(nothing);
    if said {
        lent.engine.send(socket, sealed);
    } else {
        local.recycle_output(sealed);
    }
    said
}

/// Says that nothing more is sent; says whether there is anything to be sent for that.
pub(crate) fn take_leave(tls: &mut Tls, socket: SocketId, local: &mut Local, lent: &mut Lent<'_>) -> bool {
    match tls {
        Some(session) if !session.is_closed() => session.close(),
        _ => return false,
    }
    say(tls, socket, local, lent)
}
