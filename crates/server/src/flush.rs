//! Step 9, send: what was written becomes engine operations. TLS is sealed here: all that a turn made is one record, and one send.

use std::io;

use gannet_engine::{Output, SocketId};

use crate::connection::Connection;
use crate::handshake;
use crate::local::Local;
use crate::tls::Tls;
use crate::wire::{Fate, Wire};

/// Hands the output to the engine, unless it has one: then this one grows meanwhile.
#[inline(always)]
pub(crate) fn send(wire: &mut Wire, tls: Option<&mut Tls>, socket: SocketId, local: &mut Local) {
    if wire.sending || wire.fate == Fate::Abort {
        return;
    }
    if let Some(tls) = tls {
        return seal(wire, tls, socket, local);
    }
    match wire.output.take() {
        Some(output) if output.is_empty() => local.recycle_output(output),
        Some(output) => submit(wire, socket, output, local),
        None => {}
    }
}

#[inline]
fn submit(wire: &mut Wire, socket: SocketId, output: Box<Output>, local: &mut Local) {
    wire.accounts.submitted(output.remaining());
    hand_over(wire, socket, output, local);
}

#[inline]
fn hand_over(wire: &mut Wire, socket: SocketId, output: Box<Output>, local: &mut Local) {
    wire.sending = true;
    wire.write_deadline = Some(local.now().after(local.limits.write_timeout));
    local.engine.send(socket, output);
}

/// Seals what was written, as much as may be on its way at once, and behind the last of it that nothing more comes.
#[cold]
fn seal(wire: &mut Wire, tls: &mut Tls, socket: SocketId, local: &mut Local) {
    let (mut sealed, output) = (local.take_output(), wire.output.take());
    let most = usize::try_from(local.limits.output_bytes).unwrap_or(usize::MAX);
    wire.sealed = 0;
    if let Some(mut output) = output {
        match tls.seal(&mut output, &mut sealed, most, &mut local.scratch) {
            Ok(count) => wire.sealed = count,
            Err(error) => {
                tell(&error);
                local.recycle_output(output);
                local.recycle_output(sealed);
                wire.fate = Fate::Abort;
                return;
            }
        }
        if output.is_empty() {
            local.recycle_output(output);
        } else {
            wire.output = Some(output);
        }
    }
    if wire.fate == Fate::Finish && wire.output.is_none() {
        tls.close();
    }
    tls.flush(&mut sealed);
    if sealed.is_empty() {
        return local.recycle_output(sealed);
    }
    wire.accounts.submitted(wire.sealed);
    hand_over(wire, socket, sealed, local);
}

/// The kernel took some of it.
pub(crate) fn sent(
    connection: &mut Connection,
    output: Box<Output>,
    result: io::Result<u64>,
    local: &mut Local,
) {
    let socket = connection.socket;
    let bytes = result.as_ref().map_or(0, |count| *count);
    local.observer.counters.sent_bytes.add(bytes);
    let Some(wire) = connection.stage.wire() else {
        handshake::sent(connection, output, &result, local);
        return;
    };
    (wire.sending, wire.write_deadline) = (false, None);
    if connection.tls.is_some() {
        // What a part of a record held, nobody can say: a response is taken when all of its records are.
        if result.is_ok() && !output.is_empty() {
            return hand_over(wire, socket, output, local);
        }
        let opened = if result.is_ok() { std::mem::take(&mut wire.sealed) } else { 0 };
        wire.accounts.sent(opened, local.now(), &mut local.observer);
    } else {
        wire.accounts.sent(bytes, local.now(), &mut local.observer);
    }
    match result {
        Err(error) => {
            tell(&error);
            local.recycle_output(output);
            wire.fate = Fate::Abort;
        }
        Ok(_) if output.is_empty() => local.recycle_output(output),
        Ok(_) => submit(wire, socket, output, local),
    }
    connection.advance(local);
}

fn tell(error: &io::Error) {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            tracing::warn!(
                "a file became shorter while it was sent; the connection is closed, so that the client notices"
            );
        }
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
            tracing::debug!(%error, "the client left");
        }
        _ => tracing::warn!(%error, "sending failed"),
    }
}
