//! Step 9, send: what was written becomes engine operations.

use std::io;

use gannet_engine::{Output, SocketId};

use crate::connection::{Active, Connection, Fate, Stage};
use crate::local::Local;

/// Hands the output to the engine, unless it has one: then this one grows meanwhile.
pub(crate) fn send(active: &mut Active, socket: SocketId, local: &mut Local) {
    if active.sending || active.fate == Fate::Abort {
        return;
    }
    match active.output.take() {
        Some(output) if output.is_empty() => local.recycle_output(output),
        Some(output) => submit(active, socket, output, local),
        None => {}
    }
}

fn submit(active: &mut Active, socket: SocketId, output: Box<Output>, local: &mut Local) {
    active.sending = true;
    active.write_deadline = Some(local.now().after(local.limits.write_timeout));
    active.accounts.submitted(output.remaining());
    local.engine.send(socket, output);
}

/// The kernel took some of it.
pub(crate) fn sent(
    connection: &mut Connection,
    output: Box<Output>,
    result: io::Result<u64>,
    local: &mut Local,
) {
    let socket = connection.socket;
    let Stage::Active(active) = &mut connection.stage else {
        local.recycle_output(output);
        return;
    };
    (active.sending, active.write_deadline) = (false, None);
    active.accounts.sent(result.as_ref().map_or(0, |count| *count), local.now(), &mut local.observer);
    match result {
        Err(error) => {
            tell(&error);
            local.recycle_output(output);
            active.abort();
        }
        Ok(_) if output.is_empty() => local.recycle_output(output),
        Ok(_) => submit(active, socket, output, local),
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
