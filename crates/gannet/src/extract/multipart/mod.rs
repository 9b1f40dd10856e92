//! `Multipart`: what a page's form with files says (RFC 7578).

mod parser;
mod part;
mod save;

use std::rc::Rc;

use gannet_core::{
    BODY_BYTES, BodyError, Bytes, FromRequest, Fs, Needs, ReceivedBody, Rejection, Request, Status,
};

use self::parser::{Malformed, Parser, Step};
pub use self::part::Part;
use super::media_type::{essence, parameter, unsupported};

/// The parts of a body of the type `multipart/form-data`, one after the other as they come: what a form with `enctype="multipart/form-data"` sends.
///
/// ```
/// # use gannet::prelude::*;
/// # use gannet::Multipart;
/// async fn upload(mut form: Multipart) -> Result<String, Rejection> {
///     let mut told = String::new();
///     while let Some(mut part) = form.next().await? {
///         let name = part.name().to_owned();
///         if part.is_file() {
///             let length = part.save_to(format!("uploads/{name}")).await?;
///             told += &format!("{name}: {length} bytes\n");
///         } else {
///             told += &format!("{name}: {}\n", part.text().await?);
///         }
///     }
///     Ok(told)
/// }
/// App::new().post("/upload", upload);
/// ```
///
/// A part that is not read is skipped. Nothing of a part is kept in memory but what the handler keeps, and a file goes to disk on other threads than
/// the worker's.
///
/// Another type is refused with 415. The whole body may have 2 MiB, or what a filter says, else it is 413; [`MultipartLimits`] has the limits of
/// parts. What is malformed, or ends before its end, is refused with 400: so `next` and all that reads a part give a [`Rejection`], which `?` passes on.
pub struct Multipart {
    body: ReceivedBody,
    parser: Parser,
    limits: MultipartLimits,
    most_bytes: u64,
    disk: Rc<dyn Fs>,
}

/// The limits of [`Multipart`]; as a state of the application ([`App::state`](crate::App::state)) they are in the place of the defaults.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MultipartLimits {
    /// Parts of a body, by default 1024. Beyond it the answer is 413.
    pub parts: usize,
    /// Bytes of a part's head, by default 8 KiB. Beyond it the answer is 413.
    pub head_bytes: usize,
    /// Bytes of a part that is read as a whole ([`Part::bytes`], [`Part::text`]), by default 2 MiB. Beyond it the answer is 413. One that is read
    /// piece by piece, or [saved](Part::save_to), may be as long as the body.
    pub part_bytes: usize,
}

/// The default of [`MultipartLimits::parts`].
pub(super) const PARTS: usize = 1024;

/// The default of [`MultipartLimits::head_bytes`].
pub(super) const PART_HEAD_BYTES: usize = 8 * 1024;

/// The default of [`MultipartLimits::part_bytes`].
pub(super) const PART_BYTES: usize = 2 * 1024 * 1024;

/// The longest boundary (RFC 2046, 5.1.1).
const BOUNDARY_BYTES: usize = 70;

impl Default for MultipartLimits {
    fn default() -> MultipartLimits {
        MultipartLimits { parts: PARTS, head_bytes: PART_HEAD_BYTES, part_bytes: PART_BYTES }
    }
}

impl FromRequest for Multipart {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<Multipart, Rejection> {
        if !essence(request).is_some_and(|essence| essence.eq_ignore_ascii_case("multipart/form-data")) {
            return Err(unsupported(request, "multipart/form-data"));
        }
        let boundary = parameter(request.field_str("Content-Type").unwrap_or_default(), "boundary");
        let Some(boundary) = boundary.filter(|boundary| (1..=BOUNDARY_BYTES).contains(&boundary.len()))
        else {
            return Err(malformed("has no boundary of 1 to 70 bytes in its Content-Type"));
        };
        let limits =
            request.state::<MultipartLimits>().map_or_else(MultipartLimits::default, |limits| **limits);
        let disk = request.ports().fs.clone();
        let mut body = request.take_body();
        let most_bytes = body.limited().unwrap_or(BODY_BYTES);
        body.limit(most_bytes);
        Ok(Multipart { body, parser: Parser::new(&boundary, limits), limits, most_bytes, disk })
    }

    fn needs(needs: &mut Needs) {
        needs.body("Multipart");
    }
}

impl Multipart {
    /// The next part; what has not been read of the last one is skipped. `None` behind the last.
    ///
    /// # Errors
    /// 400 where the body is malformed, or ends before its end; 413 beyond a limit.
    pub async fn next(&mut self) -> Result<Option<Part<'_>>, Rejection> {
        loop {
            match self.parser.head() {
                Ok(Step::Is(head)) => return Part::new(&head, self).map(Some),
                Ok(Step::More) => self.receive().await?,
                Ok(Step::End) => return Ok(None),
                Err(error) => return Err(self.refused(error)),
            }
        }
    }

    /// The next piece of the present part.
    async fn content(&mut self) -> Result<Option<Bytes>, Rejection> {
        loop {
            match self.parser.content() {
                Step::Is(piece) => return Ok(Some(piece)),
                Step::More => self.receive().await?,
                Step::End => return Ok(None),
            }
        }
    }

    async fn receive(&mut self) -> Result<(), Rejection> {
        match self.body.next().await {
            Some(Ok(piece)) => self.parser.push(&piece),
            Some(Err(BodyError::TooLarge)) => {
                let detail = format!("the body is longer than the {} bytes that are taken", self.most_bytes);
                return Err(Rejection::new(Status::CONTENT_TOO_LARGE, detail));
            }
            Some(Err(error)) => return Err(error.into()),
            None if self.parser.has_ended() => {}
            None => return Err(malformed("ends before its last boundary")),
        }
        Ok(())
    }

    #[cold]
    fn refused(&self, error: Malformed) -> Rejection {
        let too_large = |detail| Rejection::new(Status::CONTENT_TOO_LARGE, detail);
        let MultipartLimits { parts, head_bytes, .. } = self.limits;
        match error {
            Malformed::Delimiter => malformed("has a boundary with something behind it"),
            Malformed::HeadTooLong => {
                too_large(format!("the head of a part of the form is longer than {head_bytes} bytes"))
            }
            Malformed::TooManyParts => too_large(format!("the form has more than {parts} parts")),
        }
    }
}

#[cold]
fn malformed(what: &str) -> Rejection {
    Rejection::new(Status::BAD_REQUEST, format!("the body is not multipart/form-data: it {what}"))
}
