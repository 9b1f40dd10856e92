//! What the fields of a response mean for its framing and for the connection (RFC 9112 sections 6.3 and 9.3).
//!
//! As with [requests](super::request_fields), whatever could mean two things to two readers is an error.

use super::fields::Meaning;
use super::framing::{Options, chunked, content_length, is};
use super::response_error::ResponseError;
use crate::http::{Field, Method, ResponseBody, ResponseHead, Status, Version};
use crate::scan::{Blocks, Vector};

/// What has been said so far that [`ResponseHead`] has no place for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Said {
    options: Options,
    chunked: bool,
    upgrade_field: bool,
}

impl Meaning for Said {
    type Head = ResponseHead;
    type Error = ResponseError;

    #[inline(always)]
    fn field<V: Vector>(
        &mut self,
        blocks: &Blocks<'_, V>,
        name: &[u8],
        field: Field,
        head: &mut ResponseHead,
    ) -> Result<(), ResponseError> {
        let value = || field.value.of(blocks.bytes());
        match (name.len(), name[0] | 0x20) {
            (7, b'u') if is(name, b"upgrade") => self.upgrade_field = true,
            (10, b'c') if is(name, b"connection") => self.options.add(value()),
            (14, b'c') if is(name, b"content-length") => self.length(value(), head)?,
            (17, b't') if is(name, b"transfer-encoding") => self.coding(value(), head)?,
            _ => {}
        }
        Ok(())
    }
}

impl Said {
    /// One length, and no coding beside it.
    fn length(&self, value: &[u8], head: &mut ResponseHead) -> Result<(), ResponseError> {
        match head.content_length {
            _ if self.chunked => Err(ResponseError::LengthAndCoding),
            Some(_) => Err(ResponseError::RepeatedContentLength),
            None => {
                head.content_length = Some(content_length(value)?);
                Ok(())
            }
        }
    }

    /// One coding, and no length beside it.
    fn coding(&mut self, value: &[u8], head: &ResponseHead) -> Result<(), ResponseError> {
        match head.version {
            _ if head.content_length.is_some() => Err(ResponseError::LengthAndCoding),
            _ if self.chunked => Err(ResponseError::InvalidTransferCoding),
            Version::Http10 => Err(ResponseError::CodingInHttp10),
            _ => {
                chunked(value)?;
                self.chunked = true;
                Ok(())
            }
        }
    }

    /// What all the fields mean together, in the answer to a request of this method; returns whether the connection persists.
    pub(super) fn settle(self, method: Method, head: &mut ResponseHead) -> Result<bool, ResponseError> {
        let announces = self.chunked || head.content_length.is_some_and(|length| length > 0);
        if head.status == Status::SWITCHING_PROTOCOLS && !self.switches(head.version) {
            return Err(ResponseError::InvalidSwitch);
        }
        // What follows is another head or another protocol: a body before it would be taken for that.
        if head.status.is_informational() && announces {
            return Err(ResponseError::BodyInInterim);
        }
        head.body = match head.content_length {
            _ if is_bodiless(method, head.status) => ResponseBody::None,
            _ if self.chunked => ResponseBody::Chunked,
            Some(length) => ResponseBody::Known(length),
            None => ResponseBody::UntilClose,
        };
        // 204 ends with its head whatever it announces, but who announces a body may send one, too.
        let doubtful = announces && head.status == Status::NO_CONTENT;
        Ok(self.options.persists(head.version) && !doubtful && head.body != ResponseBody::UntilClose)
    }

    /// Whether a switch is said as it has to be (RFC 9110 section 7.8). HTTP/1.0 has none.
    fn switches(self, version: Version) -> bool {
        self.upgrade_field && self.options.upgrade && version == Version::Http11
    }
}

/// Whether a response ends with its head (RFC 9112 section 6.3), or what follows is no HTTP.
fn is_bodiless(method: Method, status: Status) -> bool {
    status.forbids_body() || method == Method::Head || opens_tunnel(method, status)
}

/// Whether all that follows the head belongs to whoever is at the tunnel's ends (RFC 9110 section 9.3.6).
pub(super) fn opens_tunnel(method: Method, status: Status) -> bool {
    method == Method::Connect && status.is_success()
}
