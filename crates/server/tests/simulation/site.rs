//! What the simulated server serves: handlers of every kind, each answering with the number of its request.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::Duration;

use gannet_core::{
    Body, BodyError, Fields, Frame, Method, Next, ReceivedBody, Request, Response, Source, Status, Upgraded,
    channel,
};
use gannet_server::{Site, SiteBuilder};
use tokio::time::Instant;

use crate::content::{MOST, content, file};

thread_local! {
    /// Handlers' futures and bodies that are not dropped yet.
    static LIVE: Cell<usize> = const { Cell::new(0) };
    /// How often a handler was called, and how many bytes were produced.
    static CALLS: Cell<usize> = const { Cell::new(0) };
    static BEGUN: Cell<usize> = const { Cell::new(0) };
    static PRODUCED: Cell<usize> = const { Cell::new(0) };
    /// A body that its handler gave to another.
    static LENT: RefCell<Option<ReceivedBody>> = const { RefCell::new(None) };
    /// The numbers of requests that may take effect once only, and were seen.
    static SEEN: RefCell<BTreeSet<u64>> = const { RefCell::new(BTreeSet::new()) };
    /// When handlers want to be woken: Tokio does not tell.
    static ALARMS: RefCell<BTreeSet<Instant>> = const { RefCell::new(BTreeSet::new()) };
}

/// Forgets an earlier simulation on this thread.
pub fn reset() {
    [&LIVE, &CALLS, &BEGUN, &PRODUCED].iter().for_each(|counter| counter.set(0));
    ALARMS.with_borrow_mut(BTreeSet::clear);
    SEEN.with_borrow_mut(BTreeSet::clear);
}

/// How many handlers' futures and bodies there are.
pub fn live() -> usize {
    LIVE.get()
}

/// How often a plain handler was called.
pub fn calls() -> usize {
    CALLS.get()
}

/// How many futures and bodies there have been.
pub fn begun() -> usize {
    BEGUN.get()
}

/// How many bytes handlers have put into streamed bodies.
pub fn produced_bytes() -> usize {
    PRODUCED.get()
}

/// When the next handler is to be woken, after `now`.
pub fn next_alarm(now: Instant) -> Option<Instant> {
    ALARMS.with_borrow_mut(|alarms| {
        *alarms = alarms.split_off(&(now + Duration::from_nanos(1)));
        alarms.first().copied()
    })
}

/// Counts itself while it lives.
struct Live;

impl Live {
    fn new() -> Live {
        LIVE.set(LIVE.get() + 1);
        BEGUN.set(BEGUN.get() + 1);
        Live
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // An earlier simulation's, which failed, is not counted.
        LIVE.set(LIVE.get().saturating_sub(1));
    }
}

/// Waits on Tokio's clock.
async fn pause(milliseconds: u64) {
    let time = Duration::from_millis(milliseconds);
    // Tokio rounds up to milliseconds.
    let due = Instant::now() + time + Duration::from_millis(1);
    ALARMS.with_borrow_mut(|alarms| alarms.insert(due));
    tokio::time::sleep(time).await; // virtual time
}

/// Gives way `times` times.
async fn give_way(times: u64) {
    for _ in 0..times {
        let mut gave = false;
        std::future::poll_fn(|context: &mut Context<'_>| {
            context.waker().wake_by_ref();
            if std::mem::replace(&mut gave, true) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// The site; with a filter in front of everything, or without.
pub fn site(filtered: bool) -> Arc<Site> {
    static PLAIN: LazyLock<Arc<Site>> = LazyLock::new(|| build(false));
    static FILTERED: LazyLock<Arc<Site>> = LazyLock::new(|| build(true));
    if filtered { FILTERED.clone() } else { PLAIN.clone() }
}

/// The site, where a request that is not idempotent may be seen once only.
pub fn strict_site() -> Arc<Site> {
    static STRICT: LazyLock<Arc<Site>> = LazyLock::new(|| {
        let mut site = routes();
        site.filter(async |request: Request, next: Next| {
            if request.method() == Method::Post {
                let id = identity(&request);
                // Malformed ones have no number.
                assert!(id == 0 || SEEN.with_borrow_mut(|seen| seen.insert(id)), "request {id} came twice");
            }
            next.run(request).await
        });
        Arc::new(site.build().expect("no pattern is there twice"))
    });
    STRICT.clone()
}

fn build(filtered: bool) -> Arc<Site> {
    let mut site = routes();
    if filtered {
        site.filter(async |request: Request, next: Next| {
            give_way(1).await;
            next.run(request).await
        });
    }
    Arc::new(site.build().expect("no pattern is there twice"))
}

fn routes() -> SiteBuilder {
    let mut site = SiteBuilder::new();
    let (get, post) = (Some(Method::Get), Some(Method::Post));
    site.route(get, "/plain", |request: Request| plain(&request));
    site.route(get, "/client", |request: Request| client(&request));
    site.route(get, "/later", later);
    site.route(get, "/large", |request: Request| plain(&request));
    site.route(get, "/file", |request: Request| from_file(&request));
    site.route(get, "/produced", produced);
    site.route(get, "/broken", broken);
    site.route(get, "/panic", |request: Request| -> Response { panic_quietly(&request) });
    site.route(get, "/panic-later", panic_later);
    site.route(get, "/upgrade", |request: Request| upgrade(&request));
    site.route(get, "/upgrade-later", upgrade_later);
    site.route(get, "/speech", |request: Request| speech(&request));
    site.route(post, "/collect", collect);
    site.route(post, "/echo", echo);
    site.route(post, "/slowly", slowly);
    site.route(post, "/ignore", |request: Request| plain(&request));
    site.route(post, "/ignore-later", ignore_later);
    site.route(post, "/drop", drop_body);
    site.route(post, "/lend", lend);
    site.route(get, "/borrow", borrow);
    site.route(get, "/hints", hints);
    site.route(get, "/promises", |request: Request| promises(&request));
    site
}

/// A number of the query.
fn number(request: &Request, name: &str) -> u64 {
    let query = request.query().unwrap_or_default();
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.find(|(key, _)| *key == name).map(|(_, value)| value);
    value.and_then(|value| value.parse().ok()).unwrap_or(0)
}

fn identity(request: &Request) -> u64 {
    number(request, "id")
}

fn length(request: &Request) -> usize {
    usize::try_from(number(request, "length")).unwrap_or(MOST).min(MOST)
}

/// A response that says whose it is.
fn answer(id: u64, body: Body) -> Response {
    Response::new(Status::OK).with("x-id", id.to_string()).with_body(body)
}

fn plain(request: &Request) -> Response {
    CALLS.set(CALLS.get() + 1);
    answer(identity(request), Body::Bytes(content(identity(request), length(request))))
}

/// Who asks: the other end, and the client that it stands for.
fn client(request: &Request) -> Response {
    let said = format!("{:?} {:?}", request.peer(), request.client_address());
    answer(identity(request), Body::Bytes(said.into()))
}

async fn later(request: Request) -> Response {
    let _live = Live::new();
    give_way(number(&request, "yields")).await;
    pause(number(&request, "ms")).await;
    plain(&request)
}

fn from_file(request: &Request) -> Response {
    let (file, start) = file(identity(request));
    answer(identity(request), Body::File(file, start..start + length(request) as u64))
}

/// A body written piece by piece from elsewhere.
async fn produced(request: Request) -> Response {
    let _live = Live::new();
    let id = identity(&request);
    let (sender, body) = channel();
    let told = (number(&request, "told") == 1).then(|| length(&request) as u64);
    let producer = produce(request, sender);
    answer(id, Body::stream(Produced { producer: Some(Box::pin(producer)), body, told, _live: Live::new() }))
}

async fn produce(request: Request, mut sender: gannet_core::Sender) {
    let _live = Live::new();
    let whole = content(identity(&request), length(&request));
    let piece = usize::try_from(number(&request, "piece")).unwrap_or(1).max(1);
    let mut sent = 0;
    while sent < whole.len() {
        let end = whole.len().min(sent + piece);
        if sender.send(whole.slice(sent..end)).await.is_err() {
            return;
        }
        PRODUCED.set(PRODUCED.get() + end - sent);
        sent = end;
        if number(&request, "ms") > 0 {
            pause(number(&request, "ms")).await;
        }
    }
    if number(&request, "trailers") == 1 {
        let _ = sender.finish(trailers(identity(&request))).await; // else the client is gone
    }
}

fn trailers(id: u64) -> Fields {
    let mut trailers = Fields::new();
    trailers.append("x-check", id.to_string()).expect("a valid field");
    trailers
}

/// A channel's body, with what writes it.
struct Produced {
    producer: Option<Pin<Box<dyn Future<Output = ()>>>>,
    body: Body,
    told: Option<u64>,
    _live: Live,
}

impl Source for Produced {
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, BodyError>>> {
        if let Some(producer) = &mut self.producer
            && producer.as_mut().poll(context).is_ready()
        {
            self.producer = None;
        }
        let Body::Stream(source) = &mut self.body else { panic!("a channel's body is a stream") };
        source.as_mut().poll_frame(context)
    }

    fn length(&self) -> Option<u64> {
        self.told
    }
}

/// A body that fails on the way.
async fn broken(request: Request) -> Response {
    let id = identity(&request);
    let (mut sender, body) = channel();
    sender.send(content(id, length(&request))).await.expect("the body is there");
    sender.abort();
    answer(id, body)
}

/// Panics without a message on the terminal.
fn panic_quietly(_: &Request) -> Response {
    std::panic::resume_unwind(Box::new("a handler panics, as the simulation wants it"))
}

async fn panic_later(request: Request) -> Response {
    let _live = Live::new();
    pause(number(&request, "ms")).await;
    panic_quietly(&request)
}

/// Reads the whole body, and says it again.
async fn collect(mut request: Request) -> Result<Response, BodyError> {
    let _live = Live::new();
    let body = request.body().collect(MOST).await?;
    let check = request.body().trailers().and_then(|trailers| trailers.get("x-check").map(<[u8]>::to_vec));
    let response = answer(identity(&request), Body::Bytes(body.into()));
    Ok(if let Some(check) = check { response.with("x-check", check) } else { response })
}

/// Says the body again while it comes.
fn echo(request: Request) -> Response {
    answer(
        identity(&request),
        Body::stream(Echo { body: request.into_body(), ended: false, _live: Live::new() }),
    )
}

struct Echo {
    body: ReceivedBody,
    ended: bool,
    _live: Live,
}

impl Source for Echo {
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, BodyError>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        self.body.poll_next(context).map(|next| match next {
            Some(chunk) => Some(chunk.map(Frame::Data)),
            None => {
                self.ended = true;
                self.body.trailers().map(|trailers| Ok(Frame::Trailers(trailers)))
            }
        })
    }
}

/// Reads, and pauses now and then.
async fn slowly(mut request: Request) -> Result<Response, BodyError> {
    let _live = Live::new();
    let mut whole = Vec::new();
    while let Some(chunk) = request.body().next().await {
        whole.extend_from_slice(&chunk?);
        pause(number(&request, "ms")).await;
    }
    Ok(answer(identity(&request), Body::Bytes(whole.into())))
}

/// Keeps the body without reading it, and answers after a while.
async fn ignore_later(request: Request) -> Response {
    let _live = Live::new();
    pause(number(&request, "ms")).await;
    plain(&request)
}

/// Will not read the body, says so at once, and answers after a while.
async fn drop_body(request: Request) -> Response {
    let _live = Live::new();
    let (id, wait) = (identity(&request), number(&request, "ms"));
    drop(request.into_body());
    pause(wait).await;
    answer(id, Body::Empty)
}

/// Gives its body to another handler, and answers after a while.
async fn lend(request: Request) -> Response {
    let _live = Live::new();
    let (id, wait) = (identity(&request), number(&request, "ms"));
    LENT.set(Some(request.into_body()));
    pause(wait).await;
    answer(id, Body::Empty)
}

/// Reads another request's body, and says it again.
async fn borrow(request: Request) -> Result<Response, BodyError> {
    let _live = Live::new();
    let mut body = LENT.take().expect("one was lent before");
    Ok(answer(identity(&request), Body::Bytes(body.collect(MOST).await?.into())))
}

/// Tells of itself before it answers, `hints` times.
async fn hints(request: Request) -> Response {
    let _live = Live::new();
    for _ in 0..number(&request, "hints") {
        let mut fields = Fields::new();
        fields.append("link", "</style.css>; rel=preload").expect("a valid field");
        request.interims().push(Status::EARLY_HINTS, fields);
        pause(number(&request, "ms")).await;
        give_way(1).await;
    }
    plain(&request)
}

/// Promises the contents of the numbers behind its own, `promises` of them.
fn promises(request: &Request) -> Response {
    for other in 1..=number(request, "promises") {
        let target = format!("/plain?id={}&length={}", identity(request) + other, length(request));
        assert!(request.promise(&target), "it can be asked for");
    }
    plain(request)
}

/// A conversation in which everything is said again.
fn upgrade(request: &Request) -> Response {
    Response::upgrade("echo", converse).with("x-id", identity(request).to_string())
}

/// The same, not at once.
async fn upgrade_later(request: Request) -> Response {
    let _live = Live::new();
    pause(number(&request, "ms")).await;
    upgrade(&request)
}

async fn converse(mut connection: Upgraded) {
    let _live = Live::new();
    while let Some(Ok(chunk)) = connection.reader.next().await {
        if connection.writer.send(chunk).await.is_err() {
            return;
        }
    }
}

/// A conversation of one side, which goes on for longer than whoever holds it.
fn speech(request: &Request) -> Response {
    let whole = content(identity(request), length(request));
    Response::upgrade("speech", async move |mut connection: Upgraded| {
        let _live = Live::new();
        let _ = connection.writer.send(whole).await; // else the client is gone
    })
}
