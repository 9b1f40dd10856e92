//! A request, before it is sent.

use std::fmt::Display;
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use gannet_core::{Body, Bytes, Fields, Method};
use serde_core::Serialize;

use super::answer::{Answer, StreamedAnswer};
use super::client::Client;
use super::exchange::{Exchange, Failure};
use super::multipart::Multipart;
use super::upload::Outgoing;
use super::urlencoded::encoded;

/// How long an answer may take, which on virtual time is nothing. More, and it never comes.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(7 * 24 * 3600);

/// Bytes of an answer that are gathered.
const ANSWER_BYTES: usize = 1024 * 1024 * 1024;

/// A request, before it is sent. What cannot be sent panics, where the test wrote it.
#[derive(Debug)]
#[must_use = "a request is sent by `send`"]
pub struct RequestBuilder {
    client: Client,
    method: Method,
    method_text: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Option<Body>,
    upgrades: bool,
    place: &'static Location<'static>,
}

impl RequestBuilder {
    #[track_caller]
    pub(super) fn new(client: Client, method: Method, method_text: &str, target: &str) -> RequestBuilder {
        let (method_text, target) = (method_text.to_owned(), target.to_owned());
        let place = Location::caller();
        let headers = Vec::new();
        RequestBuilder { client, method, method_text, target, headers, body: None, upgrades: false, place }
    }

    /// Adds a field. `Host` says which host is asked; `TE: trailers` that trailers of the answer are not dropped; with `Expect: 100-continue` the body is sent
    /// when it is asked for.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> RequestBuilder {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Adds pairs to the query: `[("page", 2)]`.
    pub fn query<N: AsRef<str>, V: Display>(
        mut self,
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> RequestBuilder {
        self.target.push(if self.target.contains('?') { '&' } else { '?' });
        self.target.push_str(&encoded(pairs));
        self
    }

    /// The body is this value as JSON, which `Content-Type` says.
    ///
    /// # Panics
    /// If it cannot be written as JSON.
    #[track_caller]
    pub fn json(self, value: &(impl Serialize + ?Sized)) -> RequestBuilder {
        let json = serde_json::to_vec(value);
        let json = json.unwrap_or_else(|error| panic!("this cannot be written as JSON: {error}"));
        self.content("application/json", json)
    }

    /// The body is these pairs as a form sends them, which `Content-Type` says: `[("name", "Ferris")]`.
    pub fn form<N: AsRef<str>, V: Display>(self, pairs: impl IntoIterator<Item = (N, V)>) -> RequestBuilder {
        let form = encoded(pairs);
        self.content("application/x-www-form-urlencoded", form)
    }

    /// The body is a form with files, which `Content-Type` says.
    pub fn multipart(self, form: Multipart) -> RequestBuilder {
        self.content(&Multipart::content_type(), form.into_bytes())
    }

    /// The body is text, which `Content-Type` says.
    pub fn text(self, text: impl Into<String>) -> RequestBuilder {
        self.content("text/plain; charset=utf-8", text.into())
    }

    fn content(self, content_type: &str, content: impl Into<Bytes>) -> RequestBuilder {
        let is_said = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let request = if is_said { self } else { self.header("Content-Type", content_type) };
        request.body(content)
    }

    /// The body is these bytes, of which no `Content-Type` is said.
    pub fn body(self, body: impl Into<Bytes>) -> RequestBuilder {
        self.stream(Body::Bytes(body.into()))
    }

    /// The body comes piece by piece, as that of a response does: `Body::written(async |sender| ...)`, or the other end of a [`channel`](crate::channel). It is sent in
    /// chunks where its length is not known.
    pub fn stream(mut self, body: Body) -> RequestBuilder {
        self.body = Some(body);
        self
    }

    /// Asks for another protocol, of which these are the bytes that are sent once it is agreed on.
    #[cfg(feature = "websocket")]
    pub(super) fn upgrading(mut self, bytes: Body) -> RequestBuilder {
        self.upgrades = true;
        self.stream(bytes)
    }

    /// Who asks, by name and password (RFC 7617).
    pub fn basic_auth(self, name: &str, password: &str) -> RequestBuilder {
        let credentials = BASE64_STANDARD.encode(format!("{name}:{password}"));
        self.header("Authorization", format!("Basic {credentials}"))
    }

    /// Who asks, by a token (RFC 6750).
    pub fn bearer_auth(self, token: &str) -> RequestBuilder {
        self.header("Authorization", format!("Bearer {token}"))
    }

    /// Asks, and waits for all of the answer.
    ///
    /// # Panics
    /// If there is no answer, or not all of it: [`try_send`](RequestBuilder::try_send) tells why.
    pub async fn send(self) -> Answer {
        let (place, asked) = (self.place, self.asked());
        match self.try_send().await {
            Ok(answer) => answer,
            Err(failure) => panic!("{asked}, at {place}: {failure}"),
        }
    }

    /// Asks, and waits for all of the answer.
    ///
    /// # Errors
    /// That there is no answer, or not all of it.
    ///
    /// # Panics
    /// If it takes more than seven days, or is larger than 1 GiB.
    pub async fn try_send(self) -> Result<Answer, Failure> {
        let (place, asked) = (self.place, self.asked());
        let answer = async { self.begin().await?.whole(ANSWER_BYTES).await };
        tokio::time::timeout(ANSWER_TIMEOUT, answer).await.unwrap_or_else(|_| {
            panic!(
                "{asked}, at {place}: no answer in seven days of virtual time. If it is endless, `begin` it and read its pieces; if the handler waits for \
                 something outside of Tokio, as a database's threads, use #[gannet::test(real_time)]"
            )
        })
    }

    /// Asks, and waits for the answer's head; its body is then read piece by piece. Dropping the future, or the answer, is leaving.
    ///
    /// # Errors
    /// That there is no answer.
    pub async fn begin(self) -> Result<StreamedAnswer, Failure> {
        let asked = self.asked();
        let (client, path) = (self.client.clone(), self.path().to_owned());
        let outgoing = self.outgoing();
        let logged = client.world.log.length();
        let exchange = client.world.begin(outgoing, client.peer, client.http2);
        let leaving = Leaving(exchange.clone());
        let head = client.world.until(|context| exchange.poll_head(context)).await?;
        let cookies = head.fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
        for (_, cookie) in cookies {
            client.jar.borrow_mut().take(&String::from_utf8_lossy(cookie), &path);
        }
        Ok(StreamedAnswer::new(asked, head, exchange, client.world.clone(), logged, leaving))
    }

    /// What is asked, for those who read of it.
    fn asked(&self) -> String {
        format!("{} {}", self.method_text, self.target)
    }

    fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    fn outgoing(mut self) -> Outgoing {
        let has = |headers: &[(String, Vec<u8>)], name: &str| {
            headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name))
        };
        let defaults = self.client.headers.iter().filter(|(name, _)| !has(&self.headers, name));
        let mut headers: Vec<_> = defaults.cloned().collect();
        headers.append(&mut self.headers);
        if !has(&headers, "cookie")
            && let Some(cookies) = self.client.jar.borrow_mut().field(self.path())
        {
            headers.push(("Cookie".to_owned(), cookies.into_bytes()));
        }
        let mut outgoing = Outgoing {
            method: self.method,
            method_text: self.method_text.clone(),
            target: self.target.clone(),
            authority: self.client.host.clone(),
            fields: Vec::new(),
            body: self.body.take(),
            accepts_trailers: false,
            expects_continue: false,
            upgrades: self.upgrades,
        };
        let mut fields = Fields::new();
        for (name, value) in headers {
            let is = |other: &str| name.eq_ignore_ascii_case(other);
            match () {
                () if is("host") => outgoing.authority = String::from_utf8_lossy(&value).into_owned(),
                () if is("te") => outgoing.accepts_trailers = true,
                () => {
                    outgoing.expects_continue |= is("expect");
                    if let Err(error) = fields.append(&name, &value) {
                        panic!(
                            "{}, at {}: the field {name:?} cannot be sent: {error}",
                            self.asked(),
                            self.place
                        );
                    }
                }
            }
        }
        outgoing.fields = fields.rendered().to_vec();
        outgoing
    }
}

/// Whoever asked waits no longer.
#[derive(Debug)]
pub(super) struct Leaving(Rc<Exchange>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
