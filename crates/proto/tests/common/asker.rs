//! The client's side of one connection: one request goes out, a server's bytes go in, cut anyhow; what they were comes out.

use gannet_proto::h1::{Client, ClientEvent, RequestToSend, ResponseError};
use gannet_proto::{BodyLength, Limits, Method, ResponseBody, ResponseHead, Version};

/// One thing that a server said; pieces of a body that follow each other are one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Told {
    Interim(Box<Response>),
    Head(Box<Response>),
    Body(Vec<u8>),
    End { trailers: Vec<(Vec<u8>, Vec<u8>)> },
    Wrong(ResponseError),
}

/// A response head, spelled out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    pub status: u16,
    pub reason: Vec<u8>,
    pub version: Version,
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    pub body: ResponseBody,
    pub content_length: Option<u64>,
}

impl Response {
    fn of(head: &ResponseHead, bytes: &[u8]) -> Response {
        Response {
            status: head.status.code(),
            reason: head.reason.of(bytes).to_vec(),
            version: head.version,
            fields: spelled_out(head, bytes),
            body: head.body,
            content_length: head.content_length,
        }
    }
}

fn spelled_out(head: &ResponseHead, bytes: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    head.fields.iter().map(|field| (field.name.of(bytes).to_vec(), field.value.of(bytes).to_vec())).collect()
}

/// A request without a body, as tests mostly ask.
pub fn plain(method: Method) -> RequestToSend<'static> {
    RequestToSend {
        method,
        method_text: method.as_str().unwrap_or("BREW"),
        target: if method == Method::Connect { "a:1" } else { "/" },
        fields: b"Host: a\r\n",
        body: BodyLength::None,
        upgrade: false,
        accepts_trailers: false,
        closes: false,
    }
}

/// Who asked, and what was answered.
pub struct Asker {
    pub client: Client,
    head: ResponseHead,
    spare: ResponseHead,
    kept: Vec<u8>,
    pub told: Vec<Told>,
    has_head: bool,
}

impl Asker {
    /// Asks this.
    pub fn new(mut client: Client, request: RequestToSend<'_>) -> Asker {
        let mut out = Vec::new();
        client.request(request, &mut out);
        Asker::listening(client)
    }

    /// Has asked, or not, and listens.
    pub fn listening(client: Client) -> Asker {
        let (head, spare) = (ResponseHead::default(), ResponseHead::default());
        Asker { client, head, spare, kept: Vec::new(), told: Vec::new(), has_head: false }
    }

    /// Takes bytes in and notes what they were. Holds the client to its contract on the way.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.kept.extend_from_slice(bytes);
        while !self.is_over() && self.step() {}
    }

    /// The server closes; returns whether the response is whole by that.
    pub fn end(&mut self) -> bool {
        if self.is_over() {
            return false;
        }
        let ended = self.client.ended();
        assert!(!self.client.keep_alive(), "nothing follows on a connection that is closed");
        match ended {
            Ok(true) => {
                assert!(self.client.reading_ended());
                self.told.push(Told::End { trailers: Vec::new() });
            }
            Ok(false) => {}
            Err(error) => self.told.push(Told::Wrong(error)),
        }
        ended == Ok(true)
    }

    /// The bytes that were not read: what follows the response, or belongs to another protocol.
    pub fn left_over(&self) -> &[u8] {
        &self.kept
    }

    fn is_over(&self) -> bool {
        self.client.upgraded() || matches!(self.told.last(), Some(Told::Wrong(_)))
    }

    /// One call; whether there may be more to find without more bytes.
    fn step(&mut self) -> bool {
        let head = if self.has_head { &mut self.spare } else { &mut self.head };
        match self.client.handle(&self.kept, head) {
            Err(error) => {
                self.told.push(Told::Wrong(error));
                assert!(!self.client.keep_alive(), "nothing follows an error");
            }
            Ok(ClientEvent::Need { consumed }) => {
                self.kept.drain(..consumed);
                // "More is needed" is only said when calling again with the rest would find nothing.
                let head = if self.has_head { &mut self.spare } else { &mut self.head };
                assert_eq!(self.client.handle(&self.kept, head), Ok(ClientEvent::Need { consumed: 0 }));
                return false;
            }
            Ok(event @ (ClientEvent::Interim { consumed } | ClientEvent::Head { consumed })) => {
                assert!(!self.has_head && usize::from(self.head.length) == consumed);
                let response = Box::new(Response::of(&self.head, &self.kept));
                self.has_head = matches!(event, ClientEvent::Head { .. });
                self.told.push(if self.has_head { Told::Head(response) } else { Told::Interim(response) });
                self.kept.drain(..consumed);
            }
            Ok(ClientEvent::Data { start, end }) => {
                assert!(start < end, "no piece of a body is empty");
                self.data(start, end);
                self.kept.drain(..end);
            }
            Ok(ClientEvent::End { consumed }) => {
                self.told.push(Told::End { trailers: spelled_out(&self.spare, &self.kept) });
                self.kept.drain(..consumed);
                let keeps = self.client.keep_alive();
                assert!(self.client.reading_ended() && (!keeps || self.kept.is_empty()));
            }
        }
        true
    }

    fn data(&mut self, start: usize, end: usize) {
        let piece = &self.kept[start..end];
        match self.told.last_mut() {
            Some(Told::Body(body)) => body.extend_from_slice(piece),
            _ => self.told.push(Told::Body(piece.to_vec())),
        }
    }
}

/// What the bytes were in answer to this request, given in one piece.
pub fn answered(limits: Limits, request: RequestToSend<'_>, bytes: &[u8]) -> Asker {
    answered_in_pieces(limits, request, [bytes])
}

/// What the bytes were in answer to this request, given in these pieces.
pub fn answered_in_pieces<'a>(
    limits: Limits,
    request: RequestToSend<'_>,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Asker {
    let mut asker = Asker::new(Client::new(limits), request);
    pieces.into_iter().for_each(|piece| asker.receive(piece));
    asker
}
