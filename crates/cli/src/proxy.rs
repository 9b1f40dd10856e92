//! What the flags of the proxy say.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use gannet::{Balance, HostField, ProxyProtocol, UpstreamProtocol};

use crate::arguments::ProxyArguments;
use crate::duration;
use crate::sources::Sources;
use crate::tls::path;

/// How requests are passed on; what is not said is as the library has it.
#[derive(PartialEq, Eq, Debug)]
pub struct ProxyOptions {
    /// Where to, as it was written.
    pub upstreams: Vec<String>,
    /// Which of several.
    pub balance: Balance,
    /// What they are told that they are called.
    pub host: HostField,
    /// Which HTTP they are spoken to by.
    pub protocol: UpstreamProtocol,
    /// The PROXY protocol's header that they are sent.
    pub send_proxy: Option<ProxyProtocol>,
    /// The file of the authorities that issue their certificates.
    pub upstream_ca: Option<PathBuf>,
    /// How long connecting may take.
    pub connect_timeout: Option<Duration>,
    /// How long the head of a response may take.
    pub head_timeout: Option<Duration>,
    /// How long a body may pause.
    pub idle_timeout: Option<Duration>,
}

impl ProxyOptions {
    /// Takes the flags of the proxy out.
    ///
    /// # Errors
    /// When one is wrong, or they do not go together.
    pub fn take<E>(arguments: &mut ProxyArguments, sources: &Sources<E>) -> Result<ProxyOptions, String>
    where
        E: Fn(&str) -> Option<OsString>,
    {
        let upstreams: Vec<String> = std::mem::take(&mut arguments.upstreams)
            .into_iter()
            .map(|upstream| {
                upstream.into_string().map_err(|text| format!("{}: this is not UTF-8", text.display()))
            })
            .collect::<Result<_, _>>()?;
        if upstreams.iter().any(String::is_empty) {
            return Err("an upstream's name is empty; name one, such as :3000".to_owned());
        }
        let timeout = |flag: &str, typed| sources.one(flag, typed, duration::parse_timeout);
        let options = ProxyOptions {
            balance: sources.one("balance", arguments.balance.take(), parse_balance)?.unwrap_or_default(),
            host: sources.one("host", arguments.host.take(), parse_host)?.unwrap_or_default(),
            protocol: sources
                .one("upstream-http", arguments.upstream_http.take(), parse_protocol)?
                .unwrap_or_default(),
            send_proxy: sources.one("send-proxy", arguments.send_proxy.take(), parse_send_proxy)?.flatten(),
            upstream_ca: sources.one("upstream-ca", arguments.upstream_ca.take(), path)?,
            connect_timeout: timeout("connect-timeout", arguments.connect_timeout.take())?,
            head_timeout: timeout("head-timeout", arguments.head_timeout.take())?,
            idle_timeout: timeout("idle-timeout", arguments.idle_timeout.take())?,
            upstreams,
        };
        let is_h2c = |upstream: &&String| {
            upstream.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("h2c://"))
        };
        if options.protocol == UpstreamProtocol::Http1
            && let Some(upstream) = options.upstreams.iter().find(is_h2c)
        {
            return Err(format!(
                "--upstream-http 1 and {upstream} contradict each other; leave one of them out"
            ));
        }
        let has_tls = options.upstreams.iter().any(|upstream| upstream.starts_with("https://"));
        if options.upstream_ca.is_some() && !has_tls {
            return Err(
                "--upstream-ca means nothing without TLS to an upstream; write one as https://HOST:PORT"
                    .to_owned(),
            );
        }
        Ok(options)
    }
}

fn parse_balance(text: &str) -> Result<Balance, String> {
    match text {
        "round-robin" => Ok(Balance::RoundRobin),
        "least-connections" => Ok(Balance::LeastConnections),
        _ => Err("balancing is round-robin or least-connections".to_owned()),
    }
}

fn parse_host(text: &str) -> Result<HostField, String> {
    match text {
        "keep" => Ok(HostField::Kept),
        "upstream" => Ok(HostField::Upstream),
        _ => Err("Host is keep (the client's) or upstream (the upstream's own); an address to listen on is --listen".to_owned()),
    }
}

fn parse_protocol(text: &str) -> Result<UpstreamProtocol, String> {
    match text {
        "auto" => Ok(UpstreamProtocol::Negotiated),
        "1" => Ok(UpstreamProtocol::Http1),
        "2" => Ok(UpstreamProtocol::Http2),
        _ => Err("upstreams are spoken to by HTTP 1 or 2, or auto: over TLS by what they choose".to_owned()),
    }
}

fn parse_send_proxy(text: &str) -> Result<Option<ProxyProtocol>, String> {
    match text {
        "v1" => Ok(Some(ProxyProtocol::V1)),
        "v2" => Ok(Some(ProxyProtocol::V2)),
        "off" => Ok(None),
        _ => Err("the PROXY header that is sent is v1, v2 or off".to_owned()),
    }
}
