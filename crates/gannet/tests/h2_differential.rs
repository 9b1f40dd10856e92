//! HTTP/2 beside the crate `h2`: what its client says our server's machine understands the same, and what its server says our client's; both ways, with heads,
//! content and trailers drawn from seeds, cut anyhow.

use std::collections::BTreeMap;

use bytes::Bytes;
use gannet_proto::h2::hpack::Blocks;
use gannet_proto::h2::{
    Client, Connection, Event, Framing, Limits, RequestToSend, ResponseToSend, Role, Server, StreamKey,
};
use gannet_proto::{BodyLength, Head, Method, ResponseHead, Span, Status};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

const SEEDS: u64 = 60;

/// More than the windows let be on its way: neither end waits for the other to read before it reads itself.
const PIPE_BYTES: usize = 1 << 20;

/// Numbers from a seed (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((number ^ (number >> 31)) % end as u64) as usize
    }

    fn text(&mut self, most: usize) -> String {
        const SIGNS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789-._~!*'";
        (0..=self.below(most)).map(|_| char::from(SIGNS[self.below(SIGNS.len())])).collect()
    }

    /// Fields: some that repeat, some that do not.
    fn fields(&mut self) -> Vec<(String, String)> {
        const NAMES: [&str; 6] = ["accept", "user-agent", "x-one", "x-two", "cache-control", "etag"];
        (0..self.below(12))
            .map(|_| {
                let name = match self.below(8) {
                    place @ 0..6 => NAMES[place].to_owned(),
                    _ => format!("x-{}", self.text(20).replace(['!', '*', '\'', '.', '_', '~'], "a")),
                };
                let value = if self.below(3) == 0 { self.text(300) } else { "the same again".to_owned() };
                (name, value)
            })
            .collect()
    }

    /// One message.
    fn message(&mut self) -> Message {
        let content = (0..[0, 1, 100, 20_000, 90_000][self.below(5)]).map(|at| at as u8).collect();
        let trailers =
            if self.below(3) == 0 { vec![("x-end".to_owned(), self.text(30))] } else { Vec::new() };
        Message { fields: self.fields(), content, trailers }
    }
}

/// What is said one way.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Message {
    fields: Vec<(String, String)>,
    content: Vec<u8>,
    trailers: Vec<(String, String)>,
}

impl Message {
    /// In an order that does not depend on who kept the fields.
    fn sorted(mut self) -> Message {
        self.fields.retain(|(name, _)| name != "content-length" && name != "date");
        self.fields.sort();
        self
    }

    fn headers(lines: &[(String, String)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            map.append(name, HeaderValue::from_str(value).expect("a value"));
        }
        map
    }

    fn lines(map: &HeaderMap) -> Vec<(String, String)> {
        let text = |value: &HeaderValue| value.to_str().expect("text").to_owned();
        map.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
    }

    fn rendered(lines: &[(String, String)]) -> String {
        lines.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect()
    }
}

fn spelled_out(fields: &[gannet_proto::Field], text: &[u8]) -> Vec<(String, String)> {
    let spell = |span: Span| String::from_utf8_lossy(span.of(text)).into_owned();
    fields.iter().map(|field| (spell(field.name), spell(field.value))).collect()
}

/// What each exchange says and has to be told.
fn exchanges(seed: u64) -> (Vec<(Message, Message)>, Random) {
    let mut random = Random(seed);
    let count = random.below(12) + 1;
    let exchanges = (0..count).map(|_| (random.message(), random.message())).collect();
    (exchanges, random)
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, test);
}

/// What is still to be said on a stream of ours.
struct Saying {
    key: StreamKey,
    content: Vec<u8>,
    trailers: String,
    ended: bool,
}

/// Says as much as the windows allow.
fn say_all<R: Role>(connection: &mut Connection<R>, saying: &mut [Saying], out: &mut Vec<u8>) {
    for said in saying.iter_mut().filter(|said| !said.ended) {
        while !said.content.is_empty() {
            let length = said.content.len().min(connection.room(said.key));
            if length == 0 {
                break;
            }
            connection.push(said.key, length, false, out).expect("there is room");
            out.extend(said.content.drain(..length));
        }
        if said.content.is_empty() {
            connection.finish(said.key, said.trailers.as_bytes(), out).expect("all was sent");
            said.ended = true;
        }
    }
}

/// Begins an answer, whose rest is to be said.
fn answered(
    server: &mut Server,
    key: StreamKey,
    answer: &Message,
    blocks: &mut Blocks,
    out: &mut Vec<u8>,
) -> Saying {
    let fields = Message::rendered(&answer.fields);
    let head = ResponseToSend { status: Status::OK, fields: fields.as_bytes(), length: None, date: None };
    assert_ne!(server.respond(key, head, blocks, out), Framing::None);
    let trailers = Message::rendered(&answer.trailers);
    Saying { key, content: answer.content.clone(), trailers, ended: false }
}

/// The server's machine over a pipe: it answers the request of path `/n` with the n-th answer, once it is there as a whole. Gives the requests that it understood.
async fn serve(
    mut pipe: DuplexStream,
    answers: Vec<Message>,
    mut random: Random,
) -> BTreeMap<usize, Message> {
    let (mut server, mut out) = (Server::new(Limits::default(), 1), Vec::new());
    let (mut head, mut blocks, mut unread) = (Head::default(), Blocks::new(1), Vec::new());
    let mut heard: BTreeMap<u32, (usize, Message)> = BTreeMap::new();
    let mut saying: Vec<Saying> = Vec::new();
    let mut room = vec![0; 20_000];
    server.start(&mut out);
    loop {
        pipe.write_all(&out).await.expect("the client reads");
        out.clear();
        let most = random.below(room.len()) + 1;
        let Ok(count @ 1..) = pipe.read(&mut room[..most]).await else { break };
        unread.extend_from_slice(&room[..count]);
        let mut at = 0;
        loop {
            let event = server.handle(&unread[at..], &mut head, &mut out).expect("the client is understood");
            let mut whole = None;
            at += match event {
                Event::Need { consumed } => {
                    at += consumed;
                    break;
                }
                Event::Head { stream, consumed, ended } => {
                    let text = server.text();
                    let path = String::from_utf8_lossy(head.target.of(text)).into_owned();
                    let message = Message { fields: spelled_out(&head.fields, text), ..Message::default() };
                    heard.insert(stream.id, (path[1..].parse().expect("a number"), message));
                    whole = ended.then_some(stream);
                    consumed
                }
                Event::Data { stream, start, end, consumed, ended } => {
                    let message = &mut heard.get_mut(&stream.id).expect("it has a head").1;
                    message.content.extend_from_slice(&unread[at + start..at + end]);
                    server.consumed(stream, end - start);
                    whole = ended.then_some(stream);
                    consumed
                }
                Event::Trailers { stream, consumed } => {
                    heard.get_mut(&stream.id).expect("it has a head").1.trailers =
                        spelled_out(&head.fields, server.text());
                    whole = Some(stream);
                    consumed
                }
                Event::Window { consumed, .. } | Event::GoAway { consumed, .. } => consumed,
                event => panic!("{event:?}"),
            };
            if let Some(key) = whole {
                let answer = &answers[heard[&key.id].0];
                saying.push(answered(&mut server, key, answer, &mut blocks, &mut out));
            }
        }
        unread.drain(..at);
        say_all(&mut server, &mut saying, &mut out);
        server.update_windows(&mut out);
    }
    heard.into_values().map(|(number, message)| (number, message.sorted())).collect()
}

/// What the `h2` crate's end of a stream hears.
async fn hear(fields: &HeaderMap, mut body: h2::RecvStream) -> Message {
    let mut content = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece.expect("it is in order");
        content.extend_from_slice(&piece);
        body.flow_control().release_capacity(piece.len()).expect("it had come");
    }
    let trailers = body.trailers().await.expect("it is in order");
    Message {
        fields: Message::lines(fields),
        content,
        trailers: trailers.map(|trailers| Message::lines(&trailers)).unwrap_or_default(),
    }
    .sorted()
}

/// Says the rest of a message on a stream of the `h2` crate.
fn say(mut stream: h2::SendStream<Bytes>, message: &Message) {
    let ends = message.trailers.is_empty();
    stream.send_data(message.content.clone().into(), ends).expect("it is open");
    if !ends {
        stream.send_trailers(Message::headers(&message.trailers)).expect("it is open");
    }
}

#[test]
fn our_server_and_the_client_of_h2_understand_each_other_the_same() {
    for seed in 0..SEEDS {
        let (exchanges, random) = exchanges(seed);
        run(async move {
            let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
            let answers = exchanges.iter().map(|(_, answer)| answer.clone()).collect();
            let server = tokio::task::spawn_local(serve(ours, answers, random));
            let (mut client, connection) = h2::client::handshake(theirs).await.expect("it is a server");
            let connection = tokio::task::spawn_local(connection);
            let mut responses = Vec::new();
            for (number, (request, _)) in exchanges.iter().enumerate() {
                client = client.ready().await.expect("it takes more");
                let mut head = Request::post(format!("http://a.example/{number}"));
                *head.headers_mut().expect("it is in order") = Message::headers(&request.fields);
                let (response, stream) =
                    client.send_request(head.body(()).expect("a request"), false).expect("it is taken");
                say(stream, request);
                // All at once: what nobody reads takes up the window that others wait for.
                responses.push(tokio::task::spawn_local(async move {
                    let (head, body) = response.await.expect("an answer").into_parts();
                    hear(&head.headers, body).await
                }));
            }
            for (response, (_, answer)) in responses.into_iter().zip(&exchanges) {
                let heard = response.await.expect("it goes on to its end");
                assert_eq!(heard, answer.clone().sorted(), "seed {seed}");
            }
            drop(client);
            connection.await.expect("it goes on to its end").expect("it is in order");
            let understood = server.await.expect("it goes on to its end");
            for (number, (request, _)) in exchanges.into_iter().enumerate() {
                assert_eq!(understood[&number], request.sorted(), "seed {seed}");
            }
        });
    }
}

/// The client's machine over a pipe: asks for `/n` with the n-th request. Gives the answers that it understood.
async fn ask(mut pipe: DuplexStream, requests: Vec<Message>, mut random: Random) -> Vec<Message> {
    let (mut client, mut out) = (Client::new(Limits::default(), 1), Vec::new());
    let (mut head, mut unread, mut room) = (ResponseHead::default(), Vec::new(), vec![0; 20_000]);
    let mut answers = vec![Message::default(); requests.len()];
    let mut saying: Vec<Saying> = Vec::new();
    client.start(&mut out);
    for (number, request) in requests.iter().enumerate() {
        let fields = Message::rendered(&request.fields);
        let path = format!("/{number}");
        let head = RequestToSend {
            method: Method::Post,
            method_text: "POST",
            scheme: "http",
            authority: "a.example",
            path: &path,
            protocol: None,
            fields: fields.as_bytes(),
            body: BodyLength::Chunked,
            accepts_trailers: false,
        };
        let key = client.request(head, &mut out).expect("a dozen are taken");
        let trailers = Message::rendered(&request.trailers);
        saying.push(Saying { key, content: request.content.clone(), trailers, ended: false });
    }
    let mut open = requests.len();
    while open > 0 {
        say_all(&mut client, &mut saying, &mut out);
        client.update_windows(&mut out);
        pipe.write_all(&out).await.expect("the server reads");
        out.clear();
        let most = random.below(room.len()) + 1;
        let count = pipe.read(&mut room[..most]).await.expect("it is open");
        assert!(count > 0, "the server ended the connection");
        unread.extend_from_slice(&room[..count]);
        let mut at = 0;
        loop {
            let event = client.handle(&unread[at..], &mut head, &mut out).expect("the server is understood");
            let number = |key: StreamKey| (key.id / 2) as usize;
            at += match event {
                Event::Need { consumed } => {
                    at += consumed;
                    break;
                }
                Event::Head { stream, consumed, ended } => {
                    answers[number(stream)].fields = spelled_out(&head.fields, client.text());
                    open -= usize::from(ended);
                    consumed
                }
                Event::Data { stream, start, end, consumed, ended } => {
                    answers[number(stream)].content.extend_from_slice(&unread[at + start..at + end]);
                    client.consumed(stream, end - start);
                    open -= usize::from(ended);
                    consumed
                }
                Event::Trailers { stream, consumed } => {
                    answers[number(stream)].trailers = spelled_out(&head.fields, client.text());
                    open -= 1;
                    consumed
                }
                Event::Window { consumed, .. } => consumed,
                event => panic!("{event:?}"),
            };
        }
        unread.drain(..at);
    }
    answers.into_iter().map(Message::sorted).collect()
}

#[test]
fn our_client_and_the_server_of_h2_understand_each_other_the_same() {
    for seed in 0..SEEDS {
        let (exchanges, random) = exchanges(seed);
        run(async move {
            let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
            let requests: Vec<Message> = exchanges.iter().map(|(request, _)| request.clone()).collect();
            let client = tokio::task::spawn_local(ask(ours, requests, random));
            let expected = exchanges.clone();
            let mut server = h2::server::handshake(theirs).await.expect("it is a client");
            let mut handlers = Vec::new();
            while let Some(asked) = server.accept().await {
                let Ok((request, mut respond)) = asked else { break };
                let exchanges = exchanges.clone();
                handlers.push(tokio::task::spawn_local(async move {
                    let number: usize = request.uri().path()[1..].parse().expect("a number");
                    let (head, body) = request.into_parts();
                    let (said, answer) = &exchanges[number];
                    assert_eq!(hear(&head.headers, body).await, said.clone().sorted(), "seed {seed}");
                    let mut head = Response::new(());
                    *head.headers_mut() = Message::headers(&answer.fields);
                    say(respond.send_response(head, false).expect("it is open"), answer);
                }));
            }
            for handler in handlers {
                handler.await.expect("it understood the same");
            }
            let answers = client.await.expect("it goes on to its end");
            for (answer, (_, expected)) in answers.into_iter().zip(expected) {
                assert_eq!(answer, expected.sorted(), "seed {seed}");
            }
        });
    }
}
