//! PRIORITY, which means nothing any more, and PRIORITY_UPDATE (RFC 9113 section 5.3, RFC 9218 section 7).

use super::budget::Kind;
use super::connection::Connection;
use super::error::Error;
use super::event::Event;
use super::frame::{Header, number};
use super::headers::depends_on_other;
use super::receive::{Step, on_connection, on_stream, whole};
use super::role::Role;
use super::streams::{Found, StreamKey};
use crate::http::Priority;

impl<R: Role> Connection<R> {
    pub(super) fn priority_frame(
        &mut self,
        header: Header,
        input: &[u8],
        payload: usize,
    ) -> Result<Step, Error> {
        on_stream(header)?;
        let Some(dependency) = whole(header, 5, input, payload)? else { return Ok(Step::Need) };
        depends_on_other(header.stream, dependency)?;
        self.budgets.spend(Kind::Priority, &self.limits)?;
        Ok(Step::Next(payload + 5))
    }

    /// Only clients send it, for streams that they opened or will open, or that were promised to them.
    pub(super) fn priority_update(
        &mut self,
        header: Header,
        input: &[u8],
        payload: usize,
    ) -> Result<Step, Error> {
        on_connection(header)?;
        if !R::SERVER {
            return Err(Error::UnexpectedPriorityUpdate);
        }
        if header.length < 4 {
            return Err(Error::InvalidFrameSize);
        }
        let Some(stream) = input.get(payload..payload + 4) else { return Ok(Step::Need) };
        let stream = number(stream) & 0x7fff_ffff;
        let found = if stream == 0 { Found::Closed } else { self.streams.find(stream) };
        if stream == 0 || (stream & 1 == 0 && found == Found::Idle) {
            return Err(Error::UnexpectedPriorityUpdate);
        }
        if header.length > 4 + u32::from(self.limits.priority_bytes) {
            self.budgets.spend(Kind::PriorityUpdate, &self.limits)?;
            return Ok(self.skip_next(header.length, payload));
        }
        let consumed = payload + header.length as usize;
        let Some(value) = input.get(payload + 4..consumed) else { return Ok(Step::Need) };
        self.budgets.spend(Kind::PriorityUpdate, &self.limits)?;
        let priority = Priority::parse(value);
        Ok(match found {
            Found::Slot(slot) => {
                self.streams.at(slot).priority = priority;
                Step::Told(Event::Priority { stream: StreamKey { id: stream, slot }, consumed })
            }
            Found::Idle => {
                self.note_early(stream, priority);
                Step::Next(consumed)
            }
            Found::Closed => Step::Next(consumed),
        })
    }

    /// The request has not come yet.
    fn note_early(&mut self, stream: u32, priority: Priority) {
        self.early.retain(|(early, _)| *early != stream);
        if self.early.len() >= usize::from(self.limits.early_priorities) && !self.early.is_empty() {
            self.early.remove(0);
        }
        if self.limits.early_priorities > 0 {
            self.early.push((stream, priority));
        }
    }

    /// What was said about a request before it came. It is newer than what the request's own field says: it was sent to override it.
    #[inline]
    pub(super) fn early_priority(&mut self, stream: u32) -> Option<Priority> {
        if self.early.is_empty() {
            return None;
        }
        let found = self.early.iter().find(|(early, _)| *early == stream).map(|(_, priority)| *priority);
        // Streams that were left out come no more.
        self.early.retain(|(early, _)| *early > stream);
        found
    }
}
