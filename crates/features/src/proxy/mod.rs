//! Requests passed on to other servers.
//!
//! 1. what a user calls them becomes upstreams, once, at start (`target`);
//! 2. an upstream is chosen: each worker takes turns for itself (`balance`), and passes over those that failed of late (`upstreams`);
//! 3. the request is written anew for it: each field by its name (`forward`, `names`), and whom it came from (`forwarded`);
//! 4. the client's own half of the exchange is the port's (`gannet_core::Upstream::send`): both bodies stream, and are kept nowhere;
//! 5. a WebSocket is what it is by HTTP/1.1 and by HTTP/2, whichever is spoken on which side (`websocket`);
//! 6. where nothing was sent it goes elsewhere, once; where there is no response a client is told so (`failure`).

mod balance;
mod failure;
mod forward;
mod forwarded;
mod names;
mod target;
mod upstreams;
mod websocket;

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gannet_core::{
    Handler, HandlerFactory, Networks, Ports, ProxyProtocol, Request, Response, Upstream, UpstreamError,
    UpstreamProtocol, UpstreamRequest, UpstreamTimeouts, UpstreamTls, forwarding,
};

use crate::accept::Accept;
use balance::Turn;
use forward::Forwarded;
use target::Target;
use upstreams::{Member, is_upstreams_fault, may_go_elsewhere};
use websocket::Handshake;

pub use target::ProxyError;

/// Upstreams of one proxy, with all addresses of all names: choosing among them looks at each.
const MOST_UPSTREAMS: usize = 256;

/// A proxy to one or several upstreams: made once, and shared by all workers.
#[derive(Clone)]
pub struct Proxy {
    shared: Arc<Shared>,
}

/// What a proxy does otherwise than by default. (Active checks, breakers and retries with a budget will be options beside
/// [`ejection`](ProxyOptions::ejection); weights and hashes kinds of [`Balance`].)
#[derive(Clone, Debug, Default)]
pub struct ProxyOptions {
    /// Which upstream a request goes to. By default each in its turn.
    pub balance: Balance,
    /// What `Host` an upstream is sent. By default the client's.
    pub host: HostField,
    /// How an upstream is told whom a request came from. By default in both styles.
    pub forwarded: ForwardedStyle,
    /// Proxies that are believed what they say of whom a request came from. By default none.
    pub trusted: Networks,
    /// How long an upstream may take.
    pub timeouts: UpstreamTimeouts,
    /// Which HTTP upstreams are spoken to by. By default what is negotiated over TLS, HTTP/2 rather than HTTP/1.1; and HTTP/1.1 in clear text, but for
    /// targets that begin with `h2c://`.
    pub protocol: UpstreamProtocol,
    /// The version of the PROXY protocol that each connection to an upstream begins with, which then serves one request. By default none.
    pub proxy_protocol: Option<ProxyProtocol>,
    /// When an upstream that fails is left out, and for how long.
    pub ejection: Ejection,
}

/// Which upstream a request goes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Balance {
    /// Each in its turn. Every worker has turns of its own, and begins at another upstream.
    #[default]
    RoundRobin,
    /// The one with which the worker has the fewest exchanges under way; among equals each in its turn.
    LeastConnections,
}

/// What `Host` an upstream is sent: always exactly one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum HostField {
    /// The host that the client asked for, from the target if it has one (RFC 9112, 3.2.2), else from its `Host`. A client of HTTP/1.0 that named
    /// none gets that of the upstream.
    #[default]
    Kept,
    /// The upstream's: the name and port that it was given by, `localhost` for a Unix socket.
    Upstream,
}

/// How an upstream is told whom a request came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ForwardedStyle {
    /// By `X-Forwarded-For`, `-Proto`, `-Host`, and by `Forwarded`.
    #[default]
    Both,
    /// By `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host`, which nearly all programs know.
    XForwarded,
    /// By `Forwarded` (RFC 7239).
    Forwarded,
    /// Not at all.
    Neither,
}

/// When an upstream that fails is left out. What counts is that there was no response: it could not be connected to, closed or took too long before its
/// head, or sent what is no response. Where all are left out, the one for which that ends first is asked all the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ejection {
    /// After so many failures in a row, of all workers together. By default 3; 0: never.
    pub failures: u32,
    /// For how long, the first time; each further time in a row twice as long. By default 10 s.
    pub time: Duration,
    /// But never for longer. By default 60 s.
    pub longest_time: Duration,
    /// A response of 500 and above counts as a failure, too. By default not: it may be one request's own.
    pub server_errors: bool,
}

/// Failures in a row after which an upstream is left out.
const EJECTED_AFTER_FAILURES: u32 = 3;
/// For how long, at first.
const EJECTION_TIME: Duration = Duration::from_secs(10);
/// For how long at most.
const LONGEST_EJECTION_TIME: Duration = Duration::from_secs(60);

impl Default for Ejection {
    fn default() -> Ejection {
        Ejection {
            failures: EJECTED_AFTER_FAILURES,
            time: EJECTION_TIME,
            longest_time: LONGEST_EJECTION_TIME,
            server_errors: false,
        }
    }
}

/// What all workers share.
struct Shared {
    members: Vec<Member>,
    options: ProxyOptions,
    /// How many workers there are.
    workers: AtomicUsize,
}

/// One worker's instance.
struct Worker {
    shared: Arc<Shared>,
    turn: Turn,
    /// What the first request brought.
    ports: OnceCell<Ports>,
    /// Memory for a field's value while it is written.
    scratch: RefCell<Vec<u8>>,
}

/// A request that is ready to be sent.
struct Prepared {
    request: UpstreamRequest,
    /// Which upstream is asked.
    place: usize,
    /// It is called by its own name.
    has_own_host: bool,
    accept: Accept,
    /// What a WebSocket is asked for by, if one is.
    handshake: Option<Box<Handshake>>,
}

impl Proxy {
    /// A proxy to `targets`: `app:3000`, `:3000` (on this machine), `http://app`, `https://app:8443`, `h2c://app:50051` (HTTP/2 in clear text),
    /// `unix:/run/app.sock`, `unix:@name`, `h2c://unix:/run/app.sock`. Names are looked up now, and never again; each address of a name is an upstream. `tls` is asked for the settings of TLS to a server of this name.
    ///
    /// # Errors
    /// When a target is none, or a name has no address, or `tls` refuses.
    pub fn new(
        targets: &[impl AsRef<str>],
        options: ProxyOptions,
        tls: &dyn Fn(&str) -> Result<UpstreamTls, String>,
    ) -> Result<Proxy, ProxyError> {
        let mut members = Vec::new();
        for target in targets.iter().map(AsRef::as_ref) {
            members.extend(members_of(target, &options, tls)?);
            if members.len() > MOST_UPSTREAMS {
                return Err(ProxyError::TooMany(MOST_UPSTREAMS));
            }
        }
        match members.is_empty() {
            true => Err(ProxyError::NoTarget),
            false => {
                Ok(Proxy { shared: Arc::new(Shared { members, options, workers: AtomicUsize::new(0) }) })
            }
        }
    }

    /// The upstreams, in the order in which they were named.
    pub fn upstreams(&self) -> impl Iterator<Item = &Arc<Upstream>> {
        self.shared.members.iter().map(|member| &member.upstream)
    }

    /// Makes each worker's instance.
    pub fn factory(self) -> HandlerFactory {
        let shared = self.shared;
        Arc::new(move || instance(shared.clone()))
    }
}

/// The upstreams that one target names.
fn members_of(
    text: &str,
    options: &ProxyOptions,
    tls: &dyn Fn(&str) -> Result<UpstreamTls, String>,
) -> Result<Vec<Member>, ProxyError> {
    let target = Target::parse(text)?;
    let settings = match target.is_secure {
        true => {
            let settings = tls(target.server_name());
            Some(settings.map_err(|why| ProxyError::Tls(text.to_owned(), why))?)
        }
        false => None,
    };
    let member = |address| {
        let mut upstream = Upstream::new(address);
        (upstream.tls, upstream.timeouts) = (settings.clone(), options.timeouts);
        upstream.protocol = target.protocol(options.protocol);
        upstream.proxy_protocol = options.proxy_protocol;
        Member::new(Arc::new(upstream), target.authority.clone())
    };
    Ok(target.resolve()?.into_iter().map(member).collect())
}

fn instance(shared: Arc<Shared>) -> Rc<dyn Handler> {
    let number = shared.workers.fetch_add(1, Ordering::Relaxed);
    let turn = Turn::new(shared.options.balance, number);
    let worker = Rc::new(Worker { shared, turn, ports: OnceCell::new(), scratch: RefCell::default() });
    let sender = worker.clone();
    forwarding(
        move |request| worker.prepare(request),
        move |prepared| {
            let worker = sender.clone();
            async move { worker.send(prepared).await }
        },
    )
}

impl Worker {
    /// What is to be sent, and where to; or the answer, where nothing is.
    fn prepare(&self, request: Request) -> Result<Prepared, Response> {
        if let Some(response) = forward::answer_here(&request) {
            return Err(response);
        }
        let Shared { members, options, .. } = &*self.shared;
        let ports = self.ports.get_or_init(|| request.ports().clone());
        let place = self.turn.choose(members, None, ports).expect("a proxy has an upstream");
        let scratch = &mut self.scratch.borrow_mut();
        let forwarded = forward::prepare(&request, &members[place], options, scratch)?;
        let Forwarded { request: mut forwarded, accept, handshake } = forwarded;
        let has_own_host = forward::has_own_host(&request, options);
        forwarded.body = forward::body(request);
        Ok(Prepared { request: forwarded, place, has_own_host, accept, handshake })
    }

    /// Sends it; elsewhere, once, where nothing of it was.
    async fn send(&self, prepared: Prepared) -> Response {
        let Prepared { mut request, mut place, has_own_host, accept, handshake } = prepared;
        let members = &self.shared.members;
        let mut is_first = true;
        loop {
            let member = &members[place];
            let failure = match member.upstream.send(request).await {
                Ok(response) => match handshake {
                    None => return self.passed(member, response),
                    Some(handshake) => return self.shaken(member, &handshake, response, &accept),
                },
                Err(failure) => failure,
            };
            self.failed(member, &failure.error);
            let unsent = failure.unsent.filter(|_| is_first && may_go_elsewhere(&failure.error));
            let elsewhere = unsent.and_then(|unsent| Some((unsent, self.elsewhere(place)?)));
            let Some((unsent, other)) = elsewhere else { return failure::response(&failure.error, &accept) };
            (request, place, is_first) = (*unsent, other, false);
            if has_own_host {
                forward::rename_host(&mut request, &members[place]);
            }
        }
    }

    fn elsewhere(&self, place: usize) -> Option<usize> {
        self.turn.choose(&self.shared.members, Some(place), self.ports.get()?)
    }

    #[inline]
    fn passed(&self, member: &Member, response: Response) -> Response {
        let ejection = &self.shared.options.ejection;
        match (ejection.server_errors && response.status().code() >= 500, self.ports.get()) {
            (true, Some(ports)) => member.failed(ports.clock.now(), ejection),
            _ => member.succeeded(),
        }
        response
    }

    /// Tells who asked for a WebSocket what came of it.
    #[cold]
    fn shaken(
        &self,
        member: &Member,
        handshake: &Handshake,
        response: Response,
        accept: &Accept,
    ) -> Response {
        match handshake.finish(response) {
            Ok(response) => self.passed(member, response),
            Err(error) => {
                self.failed(member, &error);
                failure::response(&error, accept)
            }
        }
    }

    #[cold]
    fn failed(&self, member: &Member, error: &UpstreamError) {
        let Some(ports) = self.ports.get() else { return };
        let now = ports.clock.now();
        match error {
            // The client's doing, and ours.
            UpstreamError::RequestBody | UpstreamError::Stopping => {}
            error => member.log(error, now),
        }
        if is_upstreams_fault(error) {
            member.failed(now, &self.shared.options.ejection);
        }
    }
}
