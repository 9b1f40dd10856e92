//! Step 8, respond: a response becomes a head, and with it what is there as a whole; other bodies are [pulled](super::pull).

use gannet_core::{Body, Method, ReceivedBody, Response, Status, Upgrade};
use gannet_proto::h2::{Framing, ResponseToSend};

use super::read::OURS;
use super::{Multiplexed, Stream};
use crate::connection::Making;
use crate::local::Local;
use crate::respond::COPIED_BYTES;
use crate::{deadline, handle, route};

/// Answers with a response that is there as a whole and short, head and content at once, if the windows allow it. Says whether it was so.
pub(super) fn at_once(
    connection: &mut Multiplexed,
    stream: &Stream,
    response: &Response,
    local: &mut Local,
) -> bool {
    let Some(content) = short(response) else { return false };
    if stream.asks_for_tunnel {
        return false;
    }
    let status = response.status();
    let Some(sent) = write_whole(connection, stream, response, content, local) else { return false };
    let end = connection.wire.position();
    connection.wire.accounts.answered(status, end - sent as u64, end);
    true
}

/// The content of a final response that is there as a whole, and short.
fn short(response: &Response) -> Option<&[u8]> {
    let content = match response.body() {
        Body::Empty => &[][..],
        Body::Bytes(bytes) if bytes.len() <= COPIED_BYTES => bytes,
        _ => return None,
    };
    (!response.status().is_informational()).then_some(content)
}

/// Writes all of a response, if the windows allow it; gives how many bytes of content were sent.
fn write_whole(
    connection: &mut Multiplexed,
    stream: &Stream,
    response: &Response,
    content: &[u8],
    local: &mut Local,
) -> Option<usize> {
    let Multiplexed { wire, protocol, .. } = connection;
    let output = wire.output.get_or_insert_with(|| local.take_output());
    let head = ResponseToSend {
        status: response.status(),
        fields: response.fields().rendered(),
        length: Some(content.len() as u64),
        date: (!response.fields().is_dated()).then_some(&local.date),
    };
    let is_sent = protocol.respond_whole(stream.key, head, content, &mut local.blocks, output.bytes());
    let has_content = protocol.method(stream.key) != Method::Head && !response.status().forbids_body();
    is_sent.then_some(if has_content { content.len() } else { 0 })
}

/// Writes the head, and keeps the body to be pulled.
pub(super) fn begin(
    connection: &mut Multiplexed,
    stream: &mut Stream,
    response: Response,
    local: &mut Local,
) {
    handle::discard(local, std::mem::replace(&mut stream.making, Making::Done));
    inform(connection, stream, local);
    if !stream.asks_for_tunnel
        && let Some(content) = short(&response)
        && let Some(sent) = write_whole(connection, stream, &response, content, local)
    {
        return note(stream, response.status(), false, sent);
    }
    let response = sound(response, stream.asks_for_tunnel);
    ask_for_body(connection, stream, true, local);
    let (status, fields, body) = response.into_parts();
    let Ok(length) = handle::contained(local, || body.length()) else {
        handle::discard(local, body);
        return begin(connection, stream, route::error(Status::INTERNAL_SERVER_ERROR), local);
    };
    let Multiplexed { wire, protocol, .. } = connection;
    let output = wire.output.get_or_insert_with(|| local.take_output());
    let date = (!fields.is_dated()).then_some(&local.date);
    let length = length.filter(|_| !matches!(body, Body::Upgrade(_)));
    let head = ResponseToSend { status, fields: fields.rendered(), length, date };
    let framing = protocol.respond(stream.key, head, &mut local.blocks, output.bytes());
    note(stream, status, matches!(body, Body::Upgrade(_)), 0);
    match (framing, body) {
        (Framing::None, body) => handle::discard(local, body),
        (_, Body::Upgrade(upgrade)) => converse(connection, stream, upgrade, local),
        (_, body) => stream.body = Some(body),
    }
}

fn note(stream: &mut Stream, status: Status, upgraded: bool, sent: usize) {
    if let Some(account) = &mut stream.account {
        account.responded(status, upgraded);
        account.sends(sent);
    }
}

/// Tells the client what it is to know before its response.
pub(super) fn inform(connection: &mut Multiplexed, stream: &Stream, local: &mut Local) {
    if stream.interims.is_empty() {
        return;
    }
    for promise in stream.interims.take_promises() {
        super::promise::make(connection, stream, &promise, local);
    }
    let Multiplexed { wire, protocol, .. } = connection;
    let output = wire.output(local);
    stream.interims.take(|status, fields| {
        protocol.inform(stream.key, status, fields.rendered(), output.bytes());
    });
}

/// Asks for a body that the client only sends when asked (RFC 9110, 10.1.1), if the handler is reading it, or still may while its
/// response is sent.
pub(super) fn ask_for_body(
    connection: &mut Multiplexed,
    stream: &mut Stream,
    responding: bool,
    local: &mut Local,
) {
    let wanted = stream.incoming.is_wanted() || responding;
    if stream.expects_continue && wanted && !stream.incoming.is_abandoned() {
        stream.expects_continue = false;
        stream.body_deadline = Some(deadline::first_of_body(local));
        let output = connection.wire.output(local).bytes();
        connection.protocol.inform(stream.key, Status::CONTINUE, b"", output);
    }
}

/// The response, or what is said in its place when it cannot be sent. A tunnel is answered with 200 here, and the field `Upgrade` is
/// not sent (RFC 8441, 5; RFC 9113, 8.2.2).
fn sound(mut response: Response, may_upgrade: bool) -> Response {
    let upgrades = matches!(response.body(), Body::Upgrade(_));
    let status = response.status();
    let switches = status == Status::SWITCHING_PROTOCOLS || status.is_success();
    match upgrades {
        true if may_upgrade && switches => {
            response.fields_mut().remove("upgrade");
            response.with_status(if status.is_success() { status } else { Status::OK })
        }
        true if switches => route::error(Status::BAD_REQUEST),
        // Any success would tell the client that the protocol it asked for is spoken here.
        false if may_upgrade && status.is_success() => route::error(Status::NOT_IMPLEMENTED),
        _ if upgrades || status.is_informational() => {
            tracing::error!(status = status.code(), "a handler answered with a status that is no answer");
            route::error(Status::INTERNAL_SERVER_ERROR)
        }
        _ => {
            // A response that was forwarded may name a protocol that could be spoken over HTTP/1.1.
            response.fields_mut().remove("upgrade");
            response
        }
    }
}

/// The stream is the conversation's: it reads what the client sends from here on, and what it writes is the body.
fn converse(connection: &mut Multiplexed, stream: &mut Stream, upgrade: Upgrade, local: &mut Local) {
    let reader = ReceivedBody::new(stream.incoming.clone());
    stream.body_deadline = None;
    let Ok((conversation, body)) =
        handle::contained(local, || upgrade.begin_on_stream(reader, local.ports.clock.clone()))
    else {
        return break_off(connection, stream, local);
    };
    (stream.conversation, stream.body) = (Some(conversation), Some(body));
    stream.is_due = true;
    connection.due.push(stream.key.slot);
}

/// A response that cannot be completed: the client is told by the stream's reset.
pub(super) fn break_off(connection: &mut Multiplexed, stream: &mut Stream, local: &mut Local) {
    let output = connection.wire.output(local).bytes();
    connection.protocol.reset(stream.key, OURS, output);
    stream.is_broken = true;
    stream.discard(local);
}
