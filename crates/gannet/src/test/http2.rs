//! A client of HTTP/2: many requests at once.

use std::rc::Rc;
use std::task::{Context, Poll};

use gannet_proto::ResponseHead;
use gannet_proto::h2::{Client, ErrorCode, Event, Limits, RequestToSend, StreamKey};
use gannet_proto::scan::Level;

use super::exchange::{Exchange, Failure, Head, fields};
use super::upload::{Next, Outgoing, Upload};
use super::wire::{Ended, Wire};

/// Of the hash by which what was encoded before is found.
const SEED: u64 = 1;

/// A connection and its streams.
pub(super) struct Http2 {
    protocol: Client,
    head: ResponseHead,
    streams: Vec<Stream>,
    is_over: bool,
}

struct Stream {
    key: StreamKey,
    exchange: Rc<Exchange>,
    upload: Option<Upload>,
}

impl Http2 {
    pub(super) fn new(wire: &mut Wire) -> Http2 {
        let mut protocol = Client::new(Limits::default(), SEED).with_level(Level::detect());
        protocol.start(&mut wire.unsent);
        Http2 { protocol, head: ResponseHead::default(), streams: Vec::new(), is_over: false }
    }

    pub(super) fn takes_requests(&self) -> bool {
        !self.is_over && self.protocol.may_request() > 0
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over || self.protocol.is_draining() && self.streams.is_empty()
    }

    pub(super) fn begin(&mut self, mut outgoing: Outgoing, exchange: Rc<Exchange>, wire: &mut Wire) {
        let request = RequestToSend {
            method: outgoing.method,
            method_text: &outgoing.method_text,
            scheme: "http",
            authority: &outgoing.authority,
            path: &outgoing.target,
            protocol: None,
            fields: &outgoing.fields,
            body: outgoing.length(),
            accepts_trailers: outgoing.accepts_trailers,
        };
        match self.protocol.request(request, &mut wire.unsent) {
            Some(key) => self.streams.push(Stream { key, exchange, upload: outgoing.take_upload() }),
            None => exchange.end(Err(Failure::Refused)),
        }
    }

    /// Does what can be done; says whether that was anything.
    pub(super) fn step(&mut self, wire: &mut Wire, context: &mut Context<'_>) -> bool {
        if self.is_over {
            return false;
        }
        self.leave(wire);
        let mut any = self.write(wire, context);
        any |= match self.read(wire) {
            Ok(read) => read,
            Err(failure) => self.fail(&failure),
        };
        for stream in &self.streams {
            let read = stream.exchange.take_read();
            if read > 0 && self.protocol.is_open(stream.key) {
                self.protocol.consumed(stream.key, read);
            }
        }
        self.release();
        self.protocol.update_windows(&mut wire.unsent);
        any | wire.send()
    }

    /// Resets the streams whose answers nobody waits for.
    fn leave(&mut self, wire: &mut Wire) {
        for stream in self.streams.iter_mut().filter(|stream| stream.exchange.is_abandoned()) {
            self.protocol.reset(stream.key, ErrorCode::CANCEL, &mut wire.unsent);
            stream.upload = None;
        }
    }

    /// Lets go of the streams that have ended.
    fn release(&mut self) {
        let protocol = &mut self.protocol;
        self.streams.retain(|stream| {
            let has_ended = protocol.receiving_ended(stream.key) && protocol.sending_ended(stream.key);
            if has_ended {
                protocol.release(stream.key);
            }
            !has_ended
        });
    }

    /// Sends bodies as far as the windows and the network have room.
    fn write(&mut self, wire: &mut Wire, context: &mut Context<'_>) -> bool {
        let mut any = false;
        for stream in &mut self.streams {
            while wire.has_room() {
                let room = self.protocol.room(stream.key);
                let Some(upload) = stream.upload.as_mut().filter(|upload| !upload.awaits_continue) else {
                    break;
                };
                if room == 0 {
                    break;
                }
                let Poll::Ready(next) = upload.poll(room, context) else { break };
                any = true;
                let out = &mut wire.unsent;
                let written = match next {
                    Next::Data(bytes) => self.protocol.push(stream.key, bytes.len(), false, out).map(|()| {
                        out.extend_from_slice(&bytes);
                        true
                    }),
                    Next::End(trailers) => self.protocol.finish(stream.key, &trailers, out).map(|()| false),
                    Next::Failed(error) => {
                        stream.exchange.end(Err(Failure::Body(error)));
                        self.protocol.reset(stream.key, ErrorCode::CANCEL, out);
                        Ok(false)
                    }
                };
                let goes_on = written.unwrap_or_else(|misuse| {
                    let failure = Failure::Malformed(format!("the request's own body: {misuse}"));
                    stream.exchange.end(Err(failure));
                    self.protocol.reset(stream.key, ErrorCode::CANCEL, out);
                    false
                });
                if !goes_on {
                    stream.upload = None;
                }
            }
        }
        any
    }

    fn read(&mut self, wire: &mut Wire) -> Result<bool, Failure> {
        let mut any = false;
        loop {
            any |= self.parse(wire)?;
            if !wire.receive() {
                return Ok(any);
            }
            any = true;
            match wire.ended {
                Some(Ended::InOrder) => return Err(Failure::Incomplete),
                Some(Ended::Reset) => return Err(Failure::Reset("the connection was reset".to_owned())),
                None => {}
            }
        }
    }

    fn parse(&mut self, wire: &mut Wire) -> Result<bool, Failure> {
        let mut any = false;
        loop {
            let event = self.protocol.handle(&wire.unread, &mut self.head, &mut wire.unsent);
            let event = event.map_err(|error| Failure::Malformed(error.message().to_owned()))?;
            let consumed = match event {
                Event::Need { consumed } => {
                    wire.unread.drain(..consumed);
                    return Ok(any | (consumed > 0));
                }
                Event::Head { stream, ended, consumed } => {
                    self.respond(stream, ended);
                    consumed
                }
                Event::Interim { stream, consumed } => {
                    let head = Head::of(&self.head, self.protocol.text());
                    self.with(stream, |stream| {
                        stream.exchange.inform(head);
                        stream.upload.iter_mut().for_each(|upload| upload.awaits_continue = false);
                    });
                    consumed
                }
                Event::Data { stream, start, end, ended, consumed } => {
                    let piece = &wire.unread[start..end];
                    self.with(stream, |stream| {
                        stream.exchange.push(piece);
                        if ended {
                            stream.exchange.end(Ok(()));
                        }
                    });
                    consumed
                }
                Event::Trailers { stream, consumed } => {
                    let trailers = fields(&self.head, self.protocol.text());
                    self.with(stream, |stream| {
                        stream.exchange.trailers(trailers);
                        stream.exchange.end(Ok(()));
                    });
                    consumed
                }
                Event::Reset { stream, error, fault, consumed } => {
                    // Who was answered in full may be told to send no more (RFC 9113, 8.1): that end came first.
                    let why = fault.map_or_else(|| format!("{error:?}"), str::to_owned);
                    self.with(stream, |stream| {
                        stream.exchange.end(Err(Failure::Reset(why)));
                        stream.upload = None;
                    });
                    consumed
                }
                Event::GoAway { last_stream, consumed, .. } => {
                    let refused = self.streams.iter().filter(|stream| stream.key.id > last_stream);
                    refused.for_each(|stream| stream.exchange.end(Err(Failure::Refused)));
                    consumed
                }
                Event::Refused { consumed, .. }
                | Event::Window { consumed, .. }
                | Event::Priority { consumed, .. } => consumed,
            };
            wire.unread.drain(..consumed);
            any = true;
        }
    }

    fn respond(&mut self, key: StreamKey, ended: bool) {
        let head = Head::of(&self.head, self.protocol.text());
        self.with(key, |stream| {
            stream.exchange.respond(head);
            stream.upload.iter_mut().for_each(|upload| upload.awaits_continue = false);
            if ended {
                stream.exchange.end(Ok(()));
            }
        });
    }

    fn with(&mut self, key: StreamKey, change: impl FnOnce(&mut Stream)) {
        if let Some(stream) = self.streams.iter_mut().find(|stream| stream.key == key) {
            change(stream);
        }
    }

    fn fail(&mut self, failure: &Failure) -> bool {
        for stream in self.streams.drain(..) {
            stream.exchange.end(Err(failure.clone()));
        }
        self.is_over = true;
        true
    }
}
