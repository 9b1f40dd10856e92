//! A client of HTTP/1.1: one request after the other.

use std::rc::Rc;
use std::task::{Context, Poll};

use gannet_proto::h1::{Client, ClientEvent, RequestToSend};
use gannet_proto::scan::Level;
use gannet_proto::{Limits, ResponseHead};

use super::exchange::{Exchange, Failure, Head, fields};
use super::upload::{Next, Outgoing, Upload};
use super::wire::{Ended, Wire};

/// What a connection is in the middle of.
pub(super) struct Http1 {
    protocol: Client,
    head: ResponseHead,
    current: Option<(Rc<Exchange>, Option<Upload>)>,
    /// Whether what is sent is for another protocol, once that is agreed on.
    upgrades: bool,
    /// No request may follow.
    is_over: bool,
}

impl Http1 {
    pub(super) fn new() -> Http1 {
        let protocol = Client::new(Limits::default()).with_level(Level::detect());
        Http1 { protocol, head: ResponseHead::default(), current: None, upgrades: false, is_over: false }
    }

    pub(super) fn takes_requests(&self) -> bool {
        self.current.is_none() && !self.is_over
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    pub(super) fn begin(&mut self, mut outgoing: Outgoing, exchange: Rc<Exchange>, wire: &mut Wire) {
        let fields = [format!("Host: {}\r\n", outgoing.authority).as_bytes(), &outgoing.fields].concat();
        let request = RequestToSend {
            method: outgoing.method,
            method_text: &outgoing.method_text,
            target: &outgoing.target,
            fields: &fields,
            body: outgoing.length(),
            upgrade: outgoing.upgrades,
            accepts_trailers: outgoing.accepts_trailers,
            closes: false,
        };
        self.protocol.request(request, &mut wire.unsent);
        self.upgrades = outgoing.upgrades;
        self.current = Some((exchange, outgoing.take_upload()));
    }

    /// Does what can be done; says whether that was anything.
    pub(super) fn step(&mut self, wire: &mut Wire, context: &mut Context<'_>) -> bool {
        if self.is_over {
            return false;
        }
        if self.current.as_ref().is_some_and(|(exchange, _)| exchange.is_abandoned()) {
            return self.fail(Failure::Incomplete);
        }
        let wrote = self.write(wire, context) | wire.send();
        let read = match self.read(wire) {
            Ok(read) => read,
            Err(failure) => self.fail(failure),
        };
        wrote | read
    }

    /// Puts as much of the body behind the head as there is room for.
    fn write(&mut self, wire: &mut Wire, context: &mut Context<'_>) -> bool {
        let mut any = false;
        while wire.has_room() {
            let Some((exchange, sending)) = &mut self.current else { break };
            let Some(upload) = sending.as_mut().filter(|upload| !upload.awaits_continue) else { break };
            let Poll::Ready(next) = upload.poll(usize::MAX, context) else { break };
            any = true;
            let written = match next {
                Next::Data(bytes) if self.upgrades => {
                    wire.unsent.extend_from_slice(&bytes);
                    Ok(())
                }
                Next::End(_) if self.upgrades => {
                    *sending = None;
                    Ok(())
                }
                Next::Data(bytes) => self.protocol.push(bytes.len(), &mut wire.unsent).map(|()| {
                    wire.unsent.extend_from_slice(&bytes);
                    self.protocol.pushed(&mut wire.unsent);
                }),
                Next::End(trailers) => {
                    *sending = None;
                    self.protocol.finish(&trailers, &mut wire.unsent)
                }
                Next::Failed(error) => {
                    exchange.end(Err(Failure::Body(error)));
                    return self.fail(Failure::Body(error));
                }
            };
            if let Err(misuse) = written {
                return self.fail(Failure::Malformed(format!("the request's own body: {misuse}")));
            }
        }
        any
    }

    /// Takes what has come, as far as its reader has room.
    fn read(&mut self, wire: &mut Wire) -> Result<bool, Failure> {
        let mut any = false;
        loop {
            match &self.current {
                Some((exchange, _)) if exchange.is_full() => return Ok(any),
                Some(_) => any |= self.parse(wire)?,
                None => {}
            }
            if !wire.receive() {
                return Ok(any);
            }
            any = true;
            if let Some(ended) = wire.ended {
                return self.ended(ended, wire).map(|()| true);
            }
        }
    }

    /// Understands what is there; says whether that was anything.
    fn parse(&mut self, wire: &mut Wire) -> Result<bool, Failure> {
        let mut any = false;
        while let Some((exchange, upload)) = &mut self.current
            && !exchange.is_full()
        {
            if self.protocol.upgraded() && self.upgrades {
                exchange.push(&wire.unread);
                any |= !wire.unread.is_empty();
                wire.unread.clear();
                return Ok(any);
            }
            if self.protocol.upgraded() {
                exchange.end(Ok(()));
                (self.current, self.is_over) = (None, true);
                return Ok(true);
            }
            let event = self.protocol.handle(&wire.unread, &mut self.head);
            let event = event.map_err(|error| Failure::Malformed(error.to_string()))?;
            let consumed = match event {
                ClientEvent::Need { consumed } => {
                    wire.unread.drain(..consumed);
                    return Ok(any | (consumed > 0));
                }
                ClientEvent::Interim { consumed } => {
                    exchange.inform(Head::of(&self.head, &wire.unread));
                    upload.iter_mut().for_each(|upload| upload.awaits_continue = false);
                    consumed
                }
                ClientEvent::Head { consumed } => {
                    exchange.respond(Head::of(&self.head, &wire.unread));
                    if self.upgrades && !self.protocol.upgraded() {
                        *upload = None;
                    }
                    upload.iter_mut().for_each(|upload| upload.awaits_continue = false);
                    consumed
                }
                ClientEvent::Data { start, end } => {
                    exchange.push(&wire.unread[start..end]);
                    end
                }
                ClientEvent::End { consumed } => {
                    exchange.trailers(fields(&self.head, &wire.unread));
                    exchange.end(Ok(()));
                    self.current = None;
                    consumed
                }
            };
            wire.unread.drain(..consumed);
            any = true;
        }
        if self.current.is_none() {
            self.go_on();
        }
        Ok(any)
    }

    /// A response has ended: another request may follow, or not.
    fn go_on(&mut self) {
        match self.protocol.keep_alive() {
            true => self.protocol.next(),
            false => self.is_over = true,
        }
    }

    /// The server's half has ended.
    fn ended(&mut self, ended: Ended, wire: &mut Wire) -> Result<(), Failure> {
        if self.current.is_some() {
            self.parse(wire)?;
        }
        let complete = match ended {
            Ended::InOrder => (self.upgrades && self.protocol.upgraded()) || self.protocol.ended().is_ok(),
            Ended::Reset => return Err(Failure::Reset("the connection was reset".to_owned())),
        };
        // A response that ends with its connection.
        match self.current.take() {
            Some(current) if !complete => {
                self.current = Some(current);
                return Err(Failure::Incomplete);
            }
            Some((exchange, _)) => exchange.end(Ok(())),
            None => {}
        }
        self.is_over = true;
        Ok(())
    }

    fn fail(&mut self, failure: Failure) -> bool {
        if let Some((exchange, _)) = self.current.take() {
            exchange.end(Err(failure));
        }
        self.is_over = true;
        true
    }
}
