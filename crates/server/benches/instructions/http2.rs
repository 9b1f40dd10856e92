//! A client of HTTP/2: the protocol's own client role, whose instructions are not counted.

use gannet_proto::h2::{Event, Limits, RequestToSend};
use gannet_proto::{BodyLength, Method, ResponseHead, Status};

use crate::scenario::Scenario;

const SEED: u64 = 2;

/// One connection's client, which keeps nothing between rounds but what the protocol does.
pub struct Http2 {
    protocol: gannet_proto::h2::Client,
    head: ResponseHead,
    /// What waits to be sent: at first what a client begins with, later what answers the server's frames.
    waiting: Vec<u8>,
    content: Vec<u8>,
}

impl Http2 {
    pub fn new() -> Http2 {
        let mut protocol = gannet_proto::h2::Client::new(Limits::default(), SEED);
        let mut waiting = Vec::new();
        protocol.start(&mut waiting);
        Http2 { protocol, head: ResponseHead::default(), waiting, content: Vec::new() }
    }

    /// The requests of a round, each on a stream of its own, behind what waits.
    pub fn requests(&mut self, scenario: &Scenario) -> Vec<u8> {
        let mut out = std::mem::take(&mut self.waiting);
        let (line, fields) = scenario.request.split_once("\r\n").expect("a request has a line");
        let path = line.split(' ').nth(1).expect("a request has a target");
        let (host, fields) = fields.split_once("\r\n").expect("a request has a Host");
        let authority = host.strip_prefix("Host: ").expect("the first field is Host");
        let fields = fields.strip_suffix("\r\n").expect("a request ends");
        // HTTP/2 has no such field (RFC 9113, 8.2.2).
        let fields = fields.replace("Connection: keep-alive\r\n", "");
        for _ in 0..scenario.pipelined {
            let request = RequestToSend {
                method: Method::Get,
                method_text: "GET",
                scheme: "http",
                authority,
                path,
                protocol: None,
                fields: fields.as_bytes(),
                body: BodyLength::None,
                accepts_trailers: false,
            };
            self.protocol.request(request, &mut out).expect("the server takes as many streams");
        }
        out
    }

    /// Takes what the server sent, and says how many responses ended in it; each is a 200 that ends as it should.
    pub fn responses(&mut self, scenario: &Scenario, mut input: &[u8]) -> usize {
        let (mut ended_count, ends) = (0, scenario.answer_ends.trim_start_matches("\r\n"));
        loop {
            let event = self
                .protocol
                .handle(input, &mut self.head, &mut self.waiting)
                .expect("the server keeps the rules");
            let consumed = match event {
                Event::Need { consumed } => {
                    assert_eq!(consumed, input.len(), "{}: whole frames", scenario.name);
                    break;
                }
                Event::Head { consumed, .. } => {
                    assert_eq!(self.head.status, Status::OK, "{}", scenario.name);
                    self.content.clear();
                    consumed
                }
                Event::Data { stream, start, end, ended, consumed } => {
                    // One after the other: each response is a HEADERS frame and the DATA frames behind it.
                    self.content.extend_from_slice(&input[start..end]);
                    self.protocol.consumed(stream, end - start);
                    if ended {
                        let content = String::from_utf8_lossy(&self.content);
                        assert!(content.ends_with(ends), "{} answered: {content}", scenario.name);
                        self.protocol.release(stream);
                        ended_count += 1;
                    }
                    consumed
                }
                Event::Window { consumed, .. } => consumed,
                other => panic!("{}: the server said {other:?}", scenario.name),
            };
            input = &input[consumed..];
        }
        self.protocol.update_windows(&mut self.waiting);
        ended_count
    }
}
