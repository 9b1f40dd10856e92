//! HTTP/2, by the crate `h2`: each request that is written is a stream.

use std::collections::VecDeque;
use std::net::TcpStream;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::client::{Connection, ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream, StreamId};
use http::{HeaderMap, Response};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Runtime;

use super::message::{Message, Written};
use super::{Answer, PATIENCE};

/// What may wait to be read of all responses together: they are read one after the other, and none is to keep an earlier one from coming.
const CONNECTION_WINDOW_BYTES: u32 = 16 * 1024 * 1024;

/// What it is spoken over.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// A connection, which goes on only while somebody waits for something.
struct Driver {
    runtime: Runtime,
    connection: Connection<Box<dyn Wire>, Bytes>,
    is_over: bool,
    /// Bodies on their way.
    uploads: Vec<Upload>,
}

/// What was written of a body, and waits for the server's windows.
struct Upload {
    stream: SendStream<Bytes>,
    written: Bytes,
    /// All of it was written; what stands behind it.
    end: Option<HeaderMap>,
}

impl Upload {
    /// Sends as much as may be sent; ready when that is all, or the server wants no more of it: who reads its answer hears why.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while !self.written.is_empty() {
            self.stream.reserve_capacity(self.written.len());
            let Some(Ok(room)) = ready!(self.stream.poll_capacity(context)) else { return Poll::Ready(()) };
            let piece = self.written.split_to(room.min(self.written.len()));
            if self.stream.send_data(piece, false).is_err() {
                return Poll::Ready(());
            }
        }
        let Some(trailers) = self.end.take() else { return Poll::Pending };
        let _ = match trailers.is_empty() {
            true => self.stream.send_data(Bytes::new(), true),
            false => self.stream.send_trailers(trailers),
        };
        Poll::Ready(())
    }
}

impl Driver {
    /// Has the connection go on until `step` is ready, and all that is to be sent is; none where it ends before.
    fn until<T>(&mut self, mut step: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Option<T> {
        let Driver { runtime, connection, is_over, uploads } = self;
        let both = std::future::poll_fn(|context| {
            let mut go_on = |context: &mut Context<'_>| {
                uploads.retain_mut(|upload| upload.poll(context).is_pending());
                *is_over = *is_over || Pin::new(&mut *connection).poll(context).is_ready();
                *is_over
            };
            let has_ended = go_on(context);
            match step(context) {
                Poll::Ready(value) => {
                    go_on(context);
                    Poll::Ready(Some(value))
                }
                Poll::Pending if has_ended => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        });
        runtime.block_on(async { tokio::time::timeout(PATIENCE, both).await.expect("not so long") })
    }
}

pub struct Http2 {
    driver: Driver,
    sender: SendRequest<Bytes>,
    scheme: &'static str,
    /// What was written and is no whole head, chunk or body yet.
    written: Vec<u8>,
    /// How the rest of the body that is being written is.
    asking: Option<Written>,
    /// Whose it is.
    uploading: Option<StreamId>,
    /// Requests that are not answered yet, in the order in which they were written.
    asked: VecDeque<ResponseFuture>,
    /// The body of the response whose head was taken last.
    answering: Option<RecvStream>,
    /// What was received of it and not looked at yet.
    received: Vec<u8>,
}

impl Http2 {
    pub fn new(socket: TcpStream, tls: Option<(Arc<ClientConfig>, ServerName<'static>)>) -> Http2 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime on this thread");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (sender, connection) = runtime.block_on(async {
            socket.set_nonblocking(true).expect("an option of sockets");
            let socket = tokio::net::TcpStream::from_std(socket).expect("a socket");
            let wire: Box<dyn Wire> = match tls {
                None => Box::new(socket),
                Some((config, name)) => {
                    let session = tokio_rustls::TlsConnector::from(config).connect(name, socket);
                    let session = session.await.expect("a handshake");
                    assert_eq!(session.get_ref().1.alpn_protocol(), Some(&b"h2"[..]), "what was agreed on");
                    Box::new(session)
                }
            };
            let mut builder = h2::client::Builder::new();
            builder.enable_push(false).initial_connection_window_size(CONNECTION_WINDOW_BYTES);
            builder.handshake(wire).await.expect("nothing to fail yet")
        });
        let driver = Driver { runtime, connection, is_over: false, uploads: Vec::new() };
        Http2 {
            driver,
            sender,
            scheme,
            written: Vec::new(),
            asking: None,
            uploading: None,
            asked: VecDeque::new(),
            answering: None,
            received: Vec::new(),
        }
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.written.extend_from_slice(bytes);
        while self.send_next() {}
        // A connection that has ended says so when it is read from.
        let _ = self.driver.until(|_| Poll::Ready(()));
    }

    /// Sends what is whole at the beginning of what was written; false if nothing is.
    fn send_next(&mut self) -> bool {
        match self.asking.take() {
            None => self.send_head(),
            Some(Written::Chunks) => self.send_chunk(),
            Some(Written::Bytes(left)) => self.send_bytes(left),
            Some(Written::Nothing) => unreachable!("nobody waits for a body that is not there"),
        }
    }

    fn send_head(&mut self) -> bool {
        let Some(head) = self.take_written(b"\r\n\r\n") else { return false };
        let Message { request, body } = Message::read(&head, self.scheme);
        let sender = &mut self.sender;
        let is_tunnel = request.extensions().get::<h2::ext::Protocol>().is_some();
        let ready =
            self.driver.until(|context| match is_tunnel && !sender.is_extended_connect_protocol_enabled() {
                // The server's settings say it.
                true => Poll::Pending,
                false => sender.poll_ready(context),
            });
        ready.expect("the connection goes on").expect("a stream may be opened");
        let (response, stream) =
            self.sender.send_request(request, body == Written::Nothing).expect("a well-formed request");
        self.asked.push_back(response);
        self.asking = (body != Written::Nothing).then_some(body);
        if self.asking.is_some() {
            self.uploading = Some(stream.stream_id());
            self.driver.uploads.push(Upload { stream, written: Bytes::new(), end: None });
        }
        true
    }

    fn send_bytes(&mut self, left: usize) -> bool {
        let length = left.min(self.written.len());
        let bytes: Vec<u8> = self.written.drain(..length).collect();
        let left = left - length;
        self.push(&bytes, (left == 0).then(HeaderMap::new));
        self.asking = (left > 0).then_some(Written::Bytes(left));
        left == 0
    }

    fn send_chunk(&mut self) -> bool {
        self.asking = Some(Written::Chunks);
        let Some(line) = self.written.windows(2).position(|window| window == b"\r\n") else { return false };
        let text = std::str::from_utf8(&self.written[..line]).expect("a chunk's size");
        let text = text.split(';').next().unwrap_or_default();
        match usize::from_str_radix(text, 16).expect("a chunk's size") {
            0 => {
                // The section of trailers ends in an empty line, which may be the one behind the size's.
                let end = self.written.windows(4).position(|window| window == b"\r\n\r\n");
                let Some(end) = end else { return false };
                let text: Vec<u8> = self.written.drain(..end + 4).skip(line + 2).collect();
                self.push(&[], Some(trailers(std::str::from_utf8(&text).expect("trailers are text"))));
                self.asking = None;
            }
            size if self.written.len() < line + size + 4 => return false,
            size => {
                let bytes: Vec<u8> =
                    self.written.drain(..line + size + 4).skip(line + 2).take(size).collect();
                self.push(&bytes, None);
            }
        }
        true
    }

    /// More of the body that is being written, and its end.
    fn push(&mut self, bytes: &[u8], end: Option<HeaderMap>) {
        // One that the server wanted no more of is gone.
        let upload =
            self.driver.uploads.iter_mut().find(|upload| Some(upload.stream.stream_id()) == self.uploading);
        if let Some(upload) = upload {
            upload.written = [&upload.written, bytes].concat().into();
            upload.end = end;
        }
    }

    /// Everything that was written up to `end`, without it.
    fn take_written(&mut self, end: &[u8]) -> Option<String> {
        let found = self.written.windows(end.len()).position(|window| window == end)?;
        let mut taken: Vec<u8> = self.written.drain(..found + end.len()).collect();
        taken.truncate(found);
        Some(String::from_utf8(taken).expect("heads are text"))
    }

    /// The head of the next response, unless the connection or the stream ends before.
    pub fn head(&mut self) -> Option<Answer> {
        let response = self.asked.front_mut().expect("a response is waited for by who asked");
        let answered = self.driver.until(|context| match response.poll_informational(context) {
            Poll::Ready(Some(interim)) => Poll::Ready(interim.map(|interim| (interim, None))),
            _ => Pin::new(&mut *response).poll(context).map_ok(|response| {
                let (parts, body) = response.into_parts();
                (Response::from_parts(parts, ()), Some(body))
            }),
        })?;
        let (response, body) = match answered {
            Ok(answered) => answered,
            Err(error) => {
                eprintln!("a stream without an answer: {error}");
                self.asked.pop_front();
                return None;
            }
        };
        if body.is_some() {
            self.asked.pop_front();
            self.received.clear();
            self.answering = body;
        }
        let status = response.status();
        let head = format!("HTTP/2 {status}\r\n{}", lines(response.headers()));
        Some(Answer {
            status: status.as_u16(),
            head: head.trim_end_matches("\r\n").to_owned(),
            ..Answer::default()
        })
    }

    /// Receives the body that follows a head, and its trailers.
    pub fn body(&mut self, answer: &mut Answer) {
        if matches!(answer.status, 100..200) {
            return;
        }
        while self.receive().expect("a whole body") {}
        answer.body = std::mem::take(&mut self.received);
        let body = self.answering.as_mut().expect("a head was taken");
        let trailers = self.driver.until(|context| body.poll_trailers(context));
        let trailers = trailers.expect("the connection goes on").expect("trailers or none");
        answer.trailers = trailers.as_ref().map(lines).unwrap_or_default();
    }

    /// Receives some of a body; false at its end.
    fn receive(&mut self) -> Result<bool, String> {
        let body = self.answering.as_mut().expect("a head was taken");
        match self.driver.until(|context| body.poll_data(context)) {
            Some(Some(Ok(bytes))) => {
                body.flow_control().release_capacity(bytes.len()).expect("so much was received");
                self.received.extend_from_slice(&bytes);
                Ok(true)
            }
            Some(None) => Ok(false),
            Some(Some(Err(error))) => Err(error.to_string()),
            None => Err("the connection has ended".to_owned()),
        }
    }

    pub fn take(&mut self, length: usize) -> Vec<u8> {
        while self.received.len() < length {
            let goes_on = self.receive().expect("a body that does not break");
            assert!(goes_on, "the body ended after {} of {length} bytes", self.received.len());
        }
        self.received.drain(..length).collect()
    }

    /// Ends our half of a conversation, whose other half ends then.
    pub fn end_conversation(&mut self) {
        self.asking = None;
        self.push(&[], Some(HeaderMap::new()));
        while self.receive().expect("an end") {}
    }

    /// Everything until the server ends the connection.
    pub fn rest(&mut self) -> Vec<u8> {
        while self.answering.is_some() && self.receive().expect("a whole body") {}
        let over: Option<()> = self.driver.until(|_| Poll::Pending);
        assert_eq!(over, None);
        std::mem::take(&mut self.received)
    }

    /// What comes of a body that breaks off.
    pub fn rest_of_broken(&mut self) -> Vec<u8> {
        let (received, is_whole) = self.whole_or_broken();
        assert!(!is_whole, "it ended as if it were whole");
        received
    }

    /// A body as far as it comes, and whether that is all of it.
    pub fn whole_or_broken(&mut self) -> (Vec<u8>, bool) {
        let end = loop {
            match self.receive() {
                Ok(true) => {}
                Ok(false) => break true,
                Err(_) => break false,
            }
        };
        (std::mem::take(&mut self.received), end)
    }
}

/// The fields in these lines.
fn trailers(text: &str) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    for (name, value) in text.lines().filter_map(|line| line.split_once(": ")) {
        let name = http::HeaderName::try_from(name).expect("a name");
        trailers.append(name, value.parse().expect("a value"));
    }
    trailers
}

/// Fields, as HTTP/1.1 writes them.
fn lines(fields: &HeaderMap) -> String {
    let line = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        format!("{name}: {}\r\n", value.to_str().expect("values are text"))
    };
    fields.iter().map(line).collect()
}
