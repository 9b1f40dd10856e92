//! What the fuzz target `h2_talk` does with its input: a client and a server that talk, both in order, whose bytes come cut anyhow, and late.

use super::exercise_h2::Choices;
use gannet_proto::h2::hpack::Blocks;
use gannet_proto::h2::{Client, Event, Limits, RequestToSend, ResponseToSend, Server, StreamKey};
use gannet_proto::{BodyLength, Head, Method, ResponseHead, Status};
use std::collections::BTreeMap;

/// One end's view of a message that the other sends.
#[derive(Default, Debug)]
struct Heard {
    content: Vec<u8>,
    trailers: bool,
    ended: bool,
}

/// One request, and its answer.
struct Exchange {
    /// The client's key, and the server's.
    asked: StreamKey,
    served: Option<StreamKey>,
    /// What is still to be sent: of the request, of the response.
    to_ask: usize,
    to_answer: usize,
    asked_for: usize,
    answer: usize,
    request_ended: bool,
    response_ended: bool,
    responded: bool,
    at_server: Heard,
    at_client: Heard,
    has_head: bool,
}

/// Both ends, and what is on its way between them.
struct Pair {
    client: Client,
    server: Server,
    blocks: Blocks,
    to_server: Vec<u8>,
    to_client: Vec<u8>,
    exchanges: BTreeMap<u32, Exchange>,
}

/// Whatever they say, whenever, and however it is cut: neither finds fault with the other, all comes as it was sent, and all ends.
pub fn h2_talk(input: &[u8]) {
    let mut choices = Choices(input);
    let mut limits = || Limits {
        stream_window_bytes: choices.number().clamp(600, 200_000),
        connection_window_bytes: choices.number().clamp(65_535, 200_000),
        header_table_bytes: choices.number().min(5000),
        frame_bytes: 16_384 + choices.number().min(20_000),
        ..Limits::default()
    };
    let (client, server) = (Client::new(limits(), 1), Server::new(limits(), 2));
    let mut pair = Pair {
        client,
        server,
        blocks: Blocks::new(3),
        to_server: Vec::new(),
        to_client: Vec::new(),
        exchanges: BTreeMap::new(),
    };
    pair.client.start(&mut pair.to_server);
    pair.server.start(&mut pair.to_client);
    let mut steps = 0;
    while !choices.is_empty() && steps < 2000 {
        pair.step(&mut choices);
        steps += 1;
    }
    pair.end();
}

impl Pair {
    fn step(&mut self, choices: &mut Choices<'_>) {
        match choices.byte() % 8 {
            0 => self.ask(choices),
            1 => self.server_hears(choices.number() as usize),
            2 => self.client_hears(choices.number() as usize),
            3 => self.server_hears(usize::MAX),
            4 => self.client_hears(usize::MAX),
            5 => {
                self.send_request(choices.byte(), choices.number() as usize);
            }
            6 => {
                self.send_response(choices.byte(), choices.number() as usize);
            }
            _ => {
                self.client.update_windows(&mut self.to_server);
                self.server.update_windows(&mut self.to_client);
            }
        }
    }

    fn ask(&mut self, choices: &mut Choices<'_>) {
        let (asked_for, answer) = (choices.number().min(9000) as usize, choices.number().min(9000) as usize);
        let how = choices.byte();
        let body = match how % 3 {
            0 => BodyLength::None,
            1 => BodyLength::Known(asked_for as u64),
            _ => BodyLength::Chunked,
        };
        let path = format!("/{}", how % 7);
        let fields = format!(
            "x-how: {how}\r\ncookie: a={how}\r\naccept: {}\r\n",
            "z".repeat(choices.number().min(300) as usize)
        );
        let head = RequestToSend {
            method: if how.is_multiple_of(3) { Method::Get } else { Method::Post },
            method_text: "",
            scheme: "http",
            authority: "a",
            path: &path,
            protocol: None,
            fields: fields.as_bytes(),
            body,
            accepts_trailers: true,
        };
        let Some(asked) = self.client.request(head, &mut self.to_server) else { return };
        let bodiless = how.is_multiple_of(3);
        let exchange = Exchange {
            asked,
            served: None,
            to_ask: if bodiless { 0 } else { asked_for },
            to_answer: answer,
            asked_for: if bodiless { 0 } else { asked_for },
            answer,
            request_ended: bodiless,
            response_ended: false,
            responded: false,
            at_server: Heard::default(),
            at_client: Heard::default(),
            has_head: false,
        };
        self.exchanges.insert(asked.id, exchange);
    }

    fn nth(&mut self, place: u8) -> Option<&mut Exchange> {
        let count = self.exchanges.len().max(1);
        self.exchanges.values_mut().nth(usize::from(place) % count)
    }

    /// Sends some of a request's content; says whether it did anything.
    fn send_request(&mut self, place: u8, most: usize) -> bool {
        let Some(exchange) = self.nth(place) else { return false };
        let (key, rest) = (exchange.asked, exchange.to_ask);
        if exchange.request_ended {
            return false;
        }
        let length = rest.min(most).min(self.client.room(key));
        if rest > 0 && length == 0 {
            return false;
        }
        if rest == 0 {
            self.client.finish(key, b"x-end: 1\r\n", &mut self.to_server).expect("all was sent");
        } else {
            self.client.push(key, length, false, &mut self.to_server).expect("there is room");
            self.to_server.extend(std::iter::repeat_n(key.id as u8, length));
        }
        let exchange = self.exchanges.get_mut(&key.id).expect("it is there");
        exchange.to_ask -= length;
        exchange.request_ended = rest == 0;
        true
    }

    /// The same of a response.
    fn send_response(&mut self, place: u8, most: usize) -> bool {
        let Some(exchange) = self.nth(place) else { return false };
        let Some(key) = exchange.served.filter(|_| !exchange.response_ended) else { return false };
        let (rest, responded) = (exchange.to_answer, exchange.responded);
        if !responded {
            let length = (place.is_multiple_of(2)).then_some(exchange.answer as u64);
            let head = ResponseToSend { status: Status::OK, fields: b"X-A: b\r\n", length, date: None };
            exchange.responded = true;
            let framing = self.server.respond(key, head, &mut self.blocks, &mut self.to_client);
            let ended = framing == gannet_proto::h2::Framing::None;
            self.exchanges.get_mut(&key.id).expect("it is there").response_ended = ended;
            return true;
        }
        let length = rest.min(most).min(self.server.room(key));
        if rest > 0 && length == 0 {
            return false;
        }
        let ends = rest == length && (rest == 0 || place % 2 == 1);
        self.server.push(key, length, ends, &mut self.to_client).expect("there is room");
        self.to_client.extend(std::iter::repeat_n(key.id as u8, length));
        let exchange = self.exchanges.get_mut(&key.id).expect("it is there");
        exchange.to_answer -= length;
        exchange.response_ended = ends;
        true
    }

    fn server_hears(&mut self, most: usize) {
        let given: Vec<u8> = self.to_server[..most.min(self.to_server.len())].to_vec();
        let (mut at, mut head) = (0, Head::default());
        loop {
            let event = self.server.handle(&given[at..], &mut head, &mut self.to_client);
            let event = event.unwrap_or_else(|error| panic!("the server finds fault: {error}"));
            let consumed = match event {
                Event::Need { consumed } => consumed,
                Event::Head { stream, consumed, ended } => {
                    let exchange = self.exchanges.get_mut(&stream.id).expect("it was asked");
                    exchange.served = Some(stream);
                    exchange.at_server.ended = ended;
                    consumed
                }
                Event::Data { stream, start, end, consumed, ended } => {
                    let heard = &mut self.exchanges.get_mut(&stream.id).expect("it was asked").at_server;
                    heard.content.extend_from_slice(&given[at + start..at + end]);
                    heard.ended = ended;
                    self.server.consumed(stream, end - start);
                    consumed
                }
                Event::Trailers { stream, consumed } => {
                    let heard = &mut self.exchanges.get_mut(&stream.id).expect("it was asked").at_server;
                    (heard.trailers, heard.ended) = (true, true);
                    consumed
                }
                Event::Window { consumed, .. } => consumed,
                event => panic!("nobody said that: {event:?}"),
            };
            at += consumed;
            if matches!(event, Event::Need { .. }) {
                break;
            }
        }
        self.to_server.drain(..at);
    }

    fn client_hears(&mut self, most: usize) {
        let given: Vec<u8> = self.to_client[..most.min(self.to_client.len())].to_vec();
        let (mut at, mut head) = (0, ResponseHead::default());
        loop {
            let event = self.client.handle(&given[at..], &mut head, &mut self.to_server);
            let event = event.unwrap_or_else(|error| panic!("the client finds fault: {error}"));
            let consumed = match event {
                Event::Need { consumed } => consumed,
                Event::Head { stream, consumed, ended } => {
                    let exchange = self.exchanges.get_mut(&stream.id).expect("it was asked");
                    exchange.has_head = true;
                    exchange.at_client.ended = ended;
                    consumed
                }
                Event::Data { stream, start, end, consumed, ended } => {
                    let heard = &mut self.exchanges.get_mut(&stream.id).expect("it was asked").at_client;
                    heard.content.extend_from_slice(&given[at + start..at + end]);
                    heard.ended = ended;
                    self.client.consumed(stream, end - start);
                    consumed
                }
                Event::Window { consumed, .. } => consumed,
                event => panic!("nobody said that: {event:?}"),
            };
            at += consumed;
            if matches!(event, Event::Need { .. }) {
                break;
            }
        }
        self.to_client.drain(..at);
    }

    /// Lets everything be said and heard, and checks it.
    fn end(&mut self) {
        for _ in 0..5000 {
            let mut acted = false;
            for place in 0..self.exchanges.len().min(255) as u8 {
                acted |= self.send_request(place, usize::MAX) | self.send_response(place, usize::MAX);
            }
            self.client.update_windows(&mut self.to_server);
            self.server.update_windows(&mut self.to_client);
            acted |= !self.to_server.is_empty() || !self.to_client.is_empty();
            self.server_hears(usize::MAX);
            self.client_hears(usize::MAX);
            if !acted {
                break;
            }
        }
        for (id, exchange) in &self.exchanges {
            let Exchange { at_server, at_client, asked_for, answer, .. } = exchange;
            assert!(exchange.has_head && at_server.ended && at_client.ended, "stream {id} does not end");
            assert_eq!(
                (at_server.content.len(), at_client.content.len()),
                (*asked_for, *answer),
                "stream {id}"
            );
            let mut content = at_server.content.iter().chain(&at_client.content);
            assert!(content.all(|byte| *byte == *id as u8), "stream {id} has another's content");
        }
    }
}
