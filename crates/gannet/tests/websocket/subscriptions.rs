//! Subscriptions of GraphQL, by the protocol graphql-transport-ws.

use std::net::TcpStream;
use std::time::Duration;

use async_graphql::{Context, Error, Object, Schema, Subscription};
use gannet::graphql::{ConnectionInit, GraphQl, MESSAGE_BYTES, OPERATIONS, async_graphql};
use gannet::prelude::*;
use gannet::{BackendChoice, Running};
use serde_json::{Value, json};
use tokio_stream::Stream;
use tungstenite::{ClientRequestBuilder, Message as Theirs, WebSocket as Client};

struct Query;

#[Object]
impl Query {
    async fn hello(&self) -> &str {
        "Hello"
    }
}

struct Mutation;

#[Object]
impl Mutation {
    async fn double(&self, number: i32) -> i32 {
        number * 2
    }
}

struct Agent(String);

struct Feed;

#[Subscription]
impl Feed {
    async fn count(&self, to: i32) -> impl Stream<Item = i32> {
        tokio_stream::iter(1..=to)
    }

    async fn never(&self) -> impl Stream<Item = i32> {
        tokio_stream::pending()
    }

    async fn broken(&self) -> impl Stream<Item = Result<i32, Error>> {
        tokio_stream::iter([Ok(1), Err(Error::new("it went wrong"))])
    }

    /// By what agent, and what it said when it connected.
    async fn me(&self, context: &Context<'_>) -> Result<impl Stream<Item = String> + use<>, Error> {
        let (agent, init) = (context.data::<Agent>()?, context.data::<ConnectionInit>()?);
        Ok(tokio_stream::once(format!("{} {}", agent.0, init.0["token"])))
    }
}

fn serve(backend: BackendChoice) -> Running {
    let schema = Schema::new(Query, Mutation, Feed);
    let agent = |request: &Request| Agent(request.field_str("User-Agent").unwrap_or("nobody").to_owned());
    let admit = |init: &ConnectionInit| init.0.get("token") != Some(&json!("stolen"));
    App::new()
        .graphql("/graphql", GraphQl::new(schema).data(agent).admit(admit))
        .listen("127.0.0.1:0")
        .workers(1)
        .backend(backend)
        .start()
        .expect("it starts")
}

struct Asking(Client<TcpStream>);

impl Asking {
    fn connect(server: &Running, protocol: Option<&str>) -> Asking {
        let stream = TcpStream::connect(server.socket_addresses()[0]).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        let address = "ws://a.example/graphql".parse().expect("an address");
        let mut request = ClientRequestBuilder::new(address).with_header("User-Agent", "test");
        if let Some(protocol) = protocol {
            request = request.with_sub_protocol(protocol);
        }
        Asking(tungstenite::client(request, stream).expect("it agrees").0)
    }

    /// Connects, and is acknowledged.
    fn begin(server: &Running) -> Asking {
        let mut asking = Asking::connect(server, Some("graphql-transport-ws"));
        asking.say(&json!({ "type": "connection_init", "payload": { "token": "t" } }));
        assert_eq!(asking.hear(), json!({ "type": "connection_ack" }));
        asking
    }

    fn say(&mut self, message: &Value) {
        self.0.send(Theirs::text(message.to_string())).expect("it is taken");
    }

    fn subscribe(&mut self, id: &str, query: &str) {
        self.say(&json!({ "type": "subscribe", "id": id, "payload": { "query": query } }));
    }

    fn hear(&mut self) -> Value {
        let message = self.0.read().expect("a message");
        serde_json::from_str(message.to_text().expect("text")).expect("JSON")
    }

    fn closed(mut self) -> (u16, String) {
        match self.0.read().expect("a message") {
            Theirs::Close(Some(frame)) => (frame.code.into(), frame.reason.to_string()),
            other => panic!("{other:?}"),
        }
    }
}

fn next(id: &str, data: &Value) -> Value {
    json!({ "id": id, "type": "next", "payload": { "data": data } })
}

pub fn results_of_a_subscription_come_one_by_one_until_it_is_complete(backend: BackendChoice) {
    let server = serve(backend);
    let mut asking = Asking::begin(&server);
    asking.say(&json!({ "type": "subscribe", "id": "a", "payload": {
        "query": "subscription C($to: Int!) { count(to: $to) } subscription N { never }",
        "operationName": "C", "variables": { "to": 3 }, "extensions": {},
    } }));
    for number in 1..=3 {
        assert_eq!(asking.hear(), next("a", &json!({ "count": number })));
    }
    assert_eq!(asking.hear(), json!({ "id": "a", "type": "complete" }));
    // The id is free again, and queries and mutations are operations, too.
    asking.subscribe("a", "{ hello }");
    assert_eq!(
        [asking.hear(), asking.hear()],
        [next("a", &json!({ "hello": "Hello" })), json!({ "id": "a", "type": "complete" })]
    );
    asking.subscribe("b", "mutation { double(number: 4) }");
    assert_eq!(asking.hear(), next("b", &json!({ "double": 8 })));
    assert_eq!(asking.hear()["type"], "complete");
    // By HTTP it is answered as before, on the same path.
    let url = format!("http://{}/graphql?query=%7Bhello%7D", server.socket_addresses()[0]);
    let mut answer = ureq::get(url).call().expect("an answer");
    assert!(answer.body_mut().read_to_string().expect("text").contains("Hello"));
}

pub fn operations_go_on_beside_each_other_until_the_client_has_enough(backend: BackendChoice) {
    let server = serve(backend);
    let mut asking = Asking::begin(&server);
    asking.subscribe("never", "subscription { never }");
    asking.subscribe("count", "subscription { count(to: 1) }");
    assert_eq!(asking.hear(), next("count", &json!({ "count": 1 })));
    assert_eq!(asking.hear()["type"], "complete");
    asking.say(&json!({ "type": "complete", "id": "never" }));
    asking.say(&json!({ "type": "complete", "id": "what is over already" }));
    asking.subscribe("never", "subscription { count(to: 0) }");
    assert_eq!(asking.hear(), json!({ "id": "never", "type": "complete" }), "its id was free");
    asking.say(&json!({ "type": "ping", "payload": { "a": 1 } }));
    assert_eq!(asking.hear(), json!({ "type": "pong", "payload": { "a": 1 } }));
    asking.say(&json!({ "type": "pong" }));
    asking.say(&json!({ "type": "ping" }));
    assert_eq!(asking.hear(), json!({ "type": "pong" }));
}

pub fn resolvers_find_what_the_request_and_the_client_said(backend: BackendChoice) {
    let server = serve(backend);
    let mut asking = Asking::begin(&server);
    asking.subscribe("a", "subscription { me }");
    assert_eq!(asking.hear(), next("a", &json!({ "me": "test \"t\"" })));
}

pub fn what_cannot_be_executed_is_an_error_of_its_operation_only(backend: BackendChoice) {
    let server = serve(backend);
    let mut asking = Asking::begin(&server);
    for query in ["subscription {", "subscription { nothing }", ""] {
        asking.subscribe("a", query);
        let told = asking.hear();
        assert_eq!((&told["id"], &told["type"]), (&json!("a"), &json!("error")), "{query}");
        assert!(told["payload"][0]["message"].is_string(), "{told}");
    }
    asking.subscribe("b", "subscription { broken }");
    assert_eq!(asking.hear(), next("b", &json!({ "broken": 1 })));
    let told = asking.hear();
    assert_eq!(
        (&told["type"], &told["payload"]["errors"][0]["message"]),
        (&json!("next"), &json!("it went wrong"))
    );
}

pub fn a_client_that_breaks_the_protocol_is_told_by_the_code_for_it(backend: BackendChoice) {
    let server = serve(backend);
    let subscribe =
        json!({ "type": "subscribe", "id": "a", "payload": { "query": "subscription { never }" } });
    let subscribe = &*subscribe.to_string();
    let init = r#"{"type":"connection_init"}"#;
    let too_big = " ".repeat(MESSAGE_BYTES as usize + 1);
    let cases: [(&[&str], u16); 10] = [
        (&["{"], 4400),
        (&[r#"{"type":"start","id":"a"}"#], 4400),
        (&[r#"{"id":"a"}"#], 4400),
        (&[r#"{"type":"connection_init","payload":[]}"#], 4400),
        (&[r#"{"type":"subscribe","id":7,"payload":{"query":"{hello}"}}"#], 4400),
        (&[subscribe], 4401),
        (&[r#"{"type":"connection_init","payload":{"token":"stolen"}}"#], 4403),
        (&[init, subscribe, subscribe], 4409),
        (&[init, init], 4429),
        (&[&too_big], 1009),
    ];
    for (messages, code) in cases {
        let mut asking = Asking::connect(&server, Some("graphql-transport-ws"));
        for message in messages {
            asking.0.send(Theirs::text(*message)).expect("it is taken");
        }
        if messages[0] == init {
            assert_eq!(asking.hear()["type"], "connection_ack");
        }
        let (told, why) = asking.closed();
        assert_eq!(told, code, "{:.60} {why}", messages[0]);
        assert!(!why.is_empty());
    }
    let mut asking = Asking::begin(&server);
    asking.0.send(Theirs::binary(&b"{}"[..])).expect("it is taken");
    assert_eq!(asking.closed().0, 4400);
    let asking = Asking::connect(&server, None);
    assert_eq!(asking.closed(), (4406, "Subprotocol not acceptable".to_owned()));
}

pub fn a_client_that_does_not_begin_is_closed(backend: BackendChoice) {
    let server = serve(backend);
    let mut asking = Asking::connect(&server, Some("graphql-transport-ws"));
    asking.say(&json!({ "type": "ping" }));
    assert_eq!(asking.hear(), json!({ "type": "pong" }));
    assert_eq!(asking.closed(), (4408, "Connection initialisation timeout".to_owned()));
}

pub fn more_operations_than_may_be_are_refused_one_by_one(backend: BackendChoice) {
    let server = serve(backend);
    let mut asking = Asking::begin(&server);
    for number in 0..=OPERATIONS {
        asking.subscribe(&number.to_string(), "subscription { never }");
    }
    let told = asking.hear();
    assert_eq!((&told["id"], &told["type"]), (&json!(OPERATIONS.to_string()), &json!("error")));
    asking.say(&json!({ "type": "complete", "id": "0" }));
    asking.subscribe("now", "{ hello }");
    assert_eq!(asking.hear(), next("now", &json!({ "hello": "Hello" })));
}
