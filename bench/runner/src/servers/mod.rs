//! The servers that can be measured, one row each: how each is started and what it can answer.

mod programs;

use std::{io, path::Path, process::Command};

use crate::{
    client::Tls,
    process::{Pinning, Probe, Process, free_port},
    site::Site,
    work::{Beside, Besides, Handshake, Protocol, Target, USERS, Work},
};

use programs::{
    Observing, caddy, existing, gannet, gannet_hello, h2o, haproxy, haproxy_proxy, hyper, nchan, nghttpd,
    nginx, nginx_proxy, null, null_h2, null_proxy, own, upstream, uwebsockets,
};
pub use programs::{installed, target};

/// The folder of Gannet's own workspace, in which this one lies.
pub fn repository() -> &'static Path {
    let runner = Path::new(env!("CARGO_MANIFEST_DIR"));
    runner.ancestors().nth(2).expect("the runner lies in bench, and bench in the repository")
}

/// One server that can be measured.
pub struct Server {
    /// Its name in tables and in `--servers`.
    pub name: String,
    /// The target that answers the 13 bytes.
    hello_path: &'static str,
    /// What it answers beside the 13 bytes.
    serves: Serves,
    /// The same over TLS.
    secured: Serves,
    /// The same over HTTP/2, in clear text.
    http2: Serves,
    /// The same over HTTP/2, over TLS.
    http2_secured: Serves,
    /// The WebSockets that it has.
    sockets: Sockets,
    /// What it carries as a proxy.
    proxies: Proxies,
    /// What it asks its upstream by, where it is asked over HTTP/2 as a proxy.
    http2_upstreams: &'static [Protocol],
    /// What it does besides answering.
    pub besides: Besides,
    /// The server that it is, but for that.
    pub baseline: Option<&'static str>,
    command: Box<Start>,
}

/// What most proxies can ask.
const BOTH: &[Protocol] = &[Protocol::Http1, Protocol::Http2];
/// How many filters a service has that is measured behind some.
const IDLE_FILTERS: u32 = 8;
/// From here on it matters how a proxy carries bodies.
const LONG_BODY_BYTES: u64 = 64 * 1024;

/// What a server can answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Serves {
    Nothing,
    /// The 13 bytes.
    Hello,
    /// Those, and users as JSON.
    Users,
    /// Those, and the files of a folder.
    Files,
    /// All of it.
    All,
    /// Only files, among them one with the 13 bytes, in the scenarios of files.
    OnlyFiles,
    /// The 13 bytes over a connection that ends with them.
    OnlyShort,
}

/// The paths of a server's WebSockets, where it has such.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Sockets {
    echo: Option<&'static str>,
    topic: Option<&'static str>,
}

impl Sockets {
    fn path(self, work: &Work) -> Option<&'static str> {
        match work.target {
            Target::Echo => self.echo,
            Target::Topic => self.topic,
            _ => None,
        }
    }
}

/// What a server carries as a proxy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Proxies {
    Nothing,
    All,
    /// Long bodies: for others it is what another row is.
    LongBodies,
}

impl Proxies {
    fn has(self, work: &Work) -> bool {
        match self {
            Proxies::Nothing => false,
            Proxies::All => true,
            Proxies::LongBodies => work.body_bytes >= LONG_BODY_BYTES,
        }
    }
}

impl Serves {
    fn has(self, work: &Work) -> bool {
        match work.target {
            Target::Hello if self == Serves::OnlyShort => work.is_short,
            Target::Hello => !matches!(self, Serves::OnlyFiles | Serves::Nothing),
            Target::File(_) => matches!(self, Serves::Files | Serves::OnlyFiles | Serves::All),
            Target::User => matches!(self, Serves::Users | Serves::All),
            Target::Echo | Target::Topic => false,
        }
    }
}

/// Makes the command that starts a server; the error names what is missing.
type Start = dyn Fn(&Place<'_>) -> io::Result<Command>;

/// What a server needs to be told when it is started.
struct Place<'a> {
    port: u16,
    site: &'a Site,
    work: &'a Work,
    /// What it is asked by.
    protocol: Protocol,
    /// The port of what a proxy asks.
    upstream: u16,
    /// Whether other processes listen on the same port.
    is_shared: bool,
}

impl Place<'_> {
    /// The folder to serve.
    fn root(&self) -> &Path {
        self.work.root.as_deref().unwrap_or(self.site.root())
    }
}

impl Server {
    fn new(
        name: &str,
        hello_path: &'static str,
        serves: Serves,
        command: impl Fn(&Place<'_>) -> io::Result<Command> + 'static,
    ) -> Server {
        let name = name.to_owned();
        Server {
            name,
            hello_path,
            serves,
            secured: Serves::Nothing,
            http2: Serves::Nothing,
            http2_secured: Serves::Nothing,
            sockets: Sockets::default(),
            proxies: Proxies::Nothing,
            http2_upstreams: &[],
            besides: Besides::Nothing,
            baseline: None,
            command: Box::new(command),
        }
    }

    /// Only a topic of WebSockets.
    fn topic(name: &str, command: impl Fn(&Place<'_>) -> io::Result<Command> + 'static) -> Server {
        Server::new(name, "/", Serves::Nothing, command).and_topic()
    }

    /// It has a WebSocket that echoes, too.
    fn and_echo(self, path: &'static str) -> Server {
        Server { sockets: Sockets { echo: Some(path), ..self.sockets }, ..self }
    }

    /// It has a topic of WebSockets, too.
    fn and_topic(self) -> Server {
        Server { sockets: Sockets { topic: Some("/topic"), ..self.sockets }, ..self }
    }

    /// A proxy, and nothing else.
    fn proxy(name: &str, command: impl Fn(&Place<'_>) -> io::Result<Command> + 'static) -> Server {
        Server::new(name, "/hello.txt", Serves::Nothing, command).and_proxies()
    }

    /// A proxy that is set for long bodies.
    fn long_proxy(name: &str, command: impl Fn(&Place<'_>) -> io::Result<Command> + 'static) -> Server {
        Server { proxies: Proxies::LongBodies, ..Server::proxy(name, command) }
    }

    /// It is a proxy too.
    fn and_proxies(self) -> Server {
        Server { proxies: Proxies::All, ..self }
    }

    /// It serves that over TLS too.
    fn and_secured(self, secured: Serves) -> Server {
        Server { secured, ..self }
    }

    /// It serves that over HTTP/2 too, in clear text and over TLS.
    fn and_http2(self, clear: Serves, secured: Serves) -> Server {
        Server { http2: clear, http2_secured: secured, ..self }
    }

    /// As a proxy it can be asked over HTTP/2 too, and asks its upstream over these.
    fn and_http2_proxies(self, upstreams: &'static [Protocol]) -> Server {
        Server { http2_upstreams: upstreams, ..self }
    }

    /// A server of files that keeps a log or metrics, which `baseline` does not.
    fn observed(
        name: &str,
        baseline: &'static str,
        command: impl Fn(&Place<'_>) -> io::Result<Command> + 'static,
    ) -> Server {
        let plain = Server::new(name, "/hello.txt", Serves::Files, command);
        Server { baseline: Some(baseline), besides: Besides::Observing, ..plain }
    }

    /// A service behind filters that do nothing, which `baseline` is without.
    fn filtered(
        name: &str,
        baseline: &'static str,
        command: impl Fn(&Place<'_>) -> io::Result<Command> + 'static,
    ) -> Server {
        let plain = Server::new(name, "/", Serves::Users, command);
        Server { baseline: Some(baseline), besides: Besides::Filtering, ..plain }
    }

    /// Whether it can do this work at all.
    pub fn can(&self, work: &Work) -> bool {
        let plain = self.besides == Besides::Nothing || self.besides == work.besides;
        let has = match (work.upstream, work.handshake, work.protocol) {
            (_, _, Protocol::WebSocket) => self.sockets.path(work).is_some(),
            (Some(_), _, Protocol::Http1) => self.proxies.has(work),
            (Some(_), _, Protocol::Http2) => self.http2_upstreams.contains(&work.upstream_protocol),
            (None, Some(_), Protocol::Http1) => self.secured.has(work),
            (None, None, Protocol::Http1) => self.serves.has(work),
            (None, Some(_), Protocol::Http2) => self.http2_secured.has(work),
            (None, None, Protocol::Http2) => self.http2.has(work),
        };
        plain && has && (work.suits_null() || !self.is_null())
    }

    /// Whether it looks at nothing: its cost is the floor.
    pub fn is_null(&self) -> bool {
        self.name.starts_with("null-")
    }

    /// Whether several processes of it can listen on one port, as the bench starts it.
    pub fn can_share(&self) -> bool {
        matches!(self.name.as_str(), "null-epoll" | "null-uring" | "gannet-epoll" | "gannet-uring")
    }

    /// The targets that ask it for this work.
    pub fn paths(&self, work: &Work) -> Vec<String> {
        match work.target {
            Target::Hello => vec![self.hello_path.to_owned()],
            Target::File(file) => vec![format!("/{file}")],
            Target::User => USERS.map(|id| format!("/users/{id}")).collect(),
            Target::Echo | Target::Topic => self.sockets.path(work).map(str::to_owned).into_iter().collect(),
        }
    }

    /// Starts it on a free port, and what it asks if it is to be a proxy. The error says what is missing, or why it did
    /// not serve.
    pub fn start(&self, site: &Site, work: &Work, pinning: Pinning) -> io::Result<Process> {
        let protocol = work.protocol;
        let Some(beside) = work.upstream else {
            let place = Place { port: free_port()?, site, work, protocol, upstream: 0, is_shared: false };
            return self.start_in(&place, pinning.server);
        };
        let processor = if beside == Beside::Client { pinning.client } else { pinning.server };
        let behind = Server::new("upstream", "/", Serves::Hello, upstream);
        let protocol = work.upstream_protocol;
        let place = Place { port: free_port()?, site, work, protocol, upstream: 0, is_shared: false };
        let behind = behind.start_in(&place, processor)?;
        let place = Place { port: free_port()?, protocol: work.protocol, upstream: place.port, ..place };
        let mut process = self.start_in(&place, pinning.server)?;
        process.upstream = Some(Box::new(behind));
        Ok(process)
    }

    /// Starts one of several processes that share a port.
    pub fn start_shared(&self, site: &Site, work: &Work, processor: usize, port: u16) -> io::Result<Process> {
        let place = Place { port, site, work, protocol: work.protocol, upstream: 0, is_shared: true };
        self.start_in(&place, processor)
    }

    fn start_in(&self, place: &Place<'_>, processor: usize) -> io::Result<Process> {
        let command = (self.command)(place)?;
        let log = place.site.scratch().join(format!("{}.log", self.name));
        let protocol = place.protocol;
        let tls = place.work.handshake.map(|_| Tls::new(place.site.certificate(), Handshake::Full, protocol));
        let tls = tls.transpose().map_err(io::Error::other)?;
        let path = self.sockets.path(place.work).unwrap_or(self.hello_path);
        let probe = Probe { path, tls: tls.as_ref(), protocol };
        Process::start(command, place.port, probe, processor, &log)
    }
}

/// Every server that the bench knows, the null servers first.
pub fn all() -> Vec<Server> {
    use Observing::{Log, Metrics, Nothing};
    vec![
        Server::new("null-epoll", "/", Serves::All, |place| null("null-epoll", "close", place)).and_echo("/"),
        Server::new("null-uring", "/", Serves::All, |place| null("null-uring", "close", place)).and_echo("/"),
        Server::new("null-half-close", "/", Serves::OnlyShort, |place| {
            null("null-epoll", "half-close", place)
        }),
        Server::new("null-h2", "/", Serves::Nothing, null_h2).and_http2(Serves::Hello, Serves::Nothing),
        Server::proxy("null-proxy", null_proxy).and_http2_proxies(&[Protocol::Http2]),
        Server::proxy("direct", upstream).and_http2_proxies(&[Protocol::Http2]),
        Server::new("gannet-epoll", "/hello.txt", Serves::Files, |place| gannet("epoll", Nothing, place))
            .and_secured(Serves::Files)
            .and_http2(Serves::Files, Serves::Files)
            .and_proxies()
            .and_http2_proxies(BOTH),
        Server::new("gannet-uring", "/hello.txt", Serves::Files, |place| gannet("uring", Nothing, place))
            .and_secured(Serves::Files)
            .and_http2(Serves::Files, Serves::Files)
            .and_proxies()
            .and_http2_proxies(BOTH),
        Server::new("gannet-hello-epoll", "/", Serves::Users, |place| gannet_hello("epoll", 0, 1, place))
            .and_http2(Serves::Hello, Serves::Nothing)
            .and_echo("/echo")
            .and_topic(),
        Server::new("gannet-hello-uring", "/", Serves::Users, |place| gannet_hello("uring", 0, 1, place))
            .and_http2(Serves::Hello, Serves::Nothing)
            .and_echo("/echo")
            .and_topic(),
        Server::topic("gannet-hello-epoll-2-workers", |place| gannet_hello("epoll", 0, 2, place)),
        Server::topic("gannet-hello-uring-2-workers", |place| gannet_hello("uring", 0, 2, place)),
        Server::filtered("gannet-filters-epoll", "gannet-hello-epoll", |place| {
            gannet_hello("epoll", IDLE_FILTERS, 1, place)
        }),
        Server::filtered("gannet-filters-uring", "gannet-hello-uring", |place| {
            gannet_hello("uring", IDLE_FILTERS, 1, place)
        }),
        Server::new("axum", "/hello.txt", Serves::All, |place| {
            let mut command = own("peer-axum", place)?;
            command.arg(place.root());
            Ok(command)
        }),
        Server::new("actix", "/hello.txt", Serves::Users, |place| own("peer-actix", place)).and_echo("/echo"),
        Server::new("tungstenite", "/", Serves::Nothing, |place| own("peer-tungstenite", place))
            .and_echo("/"),
        Server::new("fastwebsockets", "/", Serves::Nothing, |place| own("peer-fastwebsockets", place))
            .and_echo("/"),
        Server::topic("uwebsockets", uwebsockets).and_echo("/echo"),
        Server::topic("nchan", nchan),
        Server::new("hyper", "/", Serves::Users, hyper).and_http2(Serves::Hello, Serves::Hello),
        Server::new("may", "/", Serves::Users, |place| own("peer-may", place)),
        Server::new("ntex", "/hello.txt", Serves::Users, |place| own("peer-ntex", place)),
        Server::new("nginx", "/hello.txt", Serves::Files, |place| match place.work.upstream {
            Some(_) => nginx_proxy(false, place),
            None => nginx(Nothing, place),
        })
        .and_secured(Serves::Files)
        .and_http2(Serves::Files, Serves::Files)
        .and_proxies()
        .and_http2_proxies(BOTH),
        Server::long_proxy("nginx-large-buffers", |place| nginx_proxy(true, place)),
        Server::new("nginx-constant", "/constant", Serves::Hello, |place| nginx(Nothing, place)),
        Server::new("haproxy", "/", Serves::Hello, |place| match place.work.upstream {
            Some(_) => haproxy_proxy(false, place),
            None => haproxy(place),
        })
        .and_secured(Serves::Hello)
        .and_http2(Serves::Hello, Serves::Hello)
        .and_proxies()
        .and_http2_proxies(BOTH),
        Server::long_proxy("haproxy-splicing", |place| haproxy_proxy(true, place)),
        Server::new("h2o", "/hello.txt", Serves::Files, |place| h2o(Nothing, place))
            .and_secured(Serves::Files)
            .and_http2(Serves::Files, Serves::Files)
            .and_proxies()
            .and_http2_proxies(&[Protocol::Http1]),
        Server::new("nghttpd", "/hello.txt", Serves::Nothing, nghttpd)
            .and_http2(Serves::Files, Serves::Files),
        Server::new("caddy", "/hello.txt", Serves::OnlyFiles, caddy)
            .and_secured(Serves::Files)
            .and_http2(Serves::Files, Serves::Files)
            .and_proxies()
            .and_http2_proxies(BOTH),
        Server::observed("gannet-epoll-log", "gannet-epoll", |place| gannet("epoll", Log, place)),
        Server::observed("gannet-uring-log", "gannet-uring", |place| gannet("uring", Log, place)),
        Server::observed("gannet-epoll-metrics", "gannet-epoll", |place| gannet("epoll", Metrics, place)),
        Server::observed("gannet-uring-metrics", "gannet-uring", |place| gannet("uring", Metrics, place)),
        Server::observed("nginx-log", "nginx", |place| nginx(Log, place)),
        Server::observed("h2o-log", "h2o", |place| h2o(Log, place)),
    ]
}

/// A server given on the command line as `NAME=COMMAND`, in which `{port}` and `{root}` are replaced. It is a proxy if the
/// command has `{upstream}`, and speaks TLS if it has `{certificate}`, beside `{key}`.
pub fn extra(text: &str) -> Result<Server, String> {
    let (name, line) = text.split_once('=').ok_or_else(|| format!("{text}: expected NAME=COMMAND"))?;
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let program = words.first().ok_or_else(|| format!("{text}: there is no command"))?.clone();
    let start = move |place: &Place<'_>| {
        let mut command = Command::new(existing(&program)?);
        let files = place.site.tls_files();
        let values = [
            ("{port}", place.port.to_string()),
            ("{upstream}", place.upstream.to_string()),
            ("{root}", place.root().to_string_lossy().into_owned()),
            ("{certificate}", files.certificate.to_string_lossy().into_owned()),
            ("{key}", files.key.to_string_lossy().into_owned()),
        ];
        for word in &words[1..] {
            let replace = |word: String, (name, value): &(&str, String)| word.replace(name, value);
            command.arg(values.iter().fold(word.clone(), replace));
        }
        Ok(command)
    };
    Ok(if line.contains("{upstream}") {
        Server::proxy(name, start)
    } else if line.contains("{certificate}") {
        Server::new(name, "/hello.txt", Serves::Nothing, start).and_secured(Serves::All)
    } else {
        Server::new(name, "/hello.txt", Serves::All, start)
    })
}

/// The servers that `names` name: by their whole name, or by what stands before a `-`. No names, all servers.
pub fn choose(servers: Vec<Server>, names: &[String]) -> Result<Vec<Server>, String> {
    let matches = |server: &Server, name: &String| {
        server.name == *name
            || server.name.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('-'))
    };
    if let Some(name) = names.iter().find(|name| !servers.iter().any(|server| matches(server, name))) {
        let known: Vec<_> = servers.iter().map(|server| server.name.as_str()).collect();
        return Err(format!("no server is called {name}; there are {}", known.join(", ")));
    }
    let wanted = |server: &Server| names.is_empty() || names.iter().any(|name| matches(server, name));
    Ok(servers.into_iter().filter(wanted).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::Ask;

    fn chosen(names: &[&str]) -> Vec<String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        choose(all(), &names).unwrap().into_iter().map(|server| server.name).collect()
    }

    #[test]
    fn a_family_is_chosen_by_its_first_word() {
        assert_eq!(
            chosen(&["null"]),
            ["null-epoll", "null-uring", "null-half-close", "null-h2", "null-proxy"]
        );
        assert_eq!(chosen(&["actix", "nginx-constant"]), ["actix", "nginx-constant"]);
    }

    #[test]
    fn every_observed_server_has_its_plain_one() {
        let servers = all();
        for baseline in servers.iter().filter_map(|server| server.baseline) {
            assert!(servers.iter().any(|server| server.name == baseline), "{baseline}");
        }
    }

    #[test]
    fn null_servers_are_asked_for_nothing_that_must_be_looked_at() {
        let whole = Work::file("1 KiB", "1k.bin", 1);
        let unchanged = whole.clone().asked("304", Ask::IfNoneMatch, 0);
        let able = |work: &Work| all().iter().filter(|server| server.is_null() && server.can(work)).count();
        assert_eq!((able(&whole), able(&unchanged)), (2, 0));
    }

    #[test]
    fn the_half_closing_null_server_takes_part_only_where_connections_end() {
        let short = Work { is_short: true, ..Work::hello(1) };
        let takes_part =
            |work: &Work| all().iter().any(|server| server.name == "null-half-close" && server.can(work));
        assert!(takes_part(&short) && !takes_part(&Work::hello(1)) && !takes_part(&Work::user()));
    }

    #[test]
    fn what_carries_and_what_secures_takes_part_there_and_nowhere_else() {
        let names = |work: &Work| -> Vec<String> {
            all().iter().filter(|server| server.can(work)).map(|server| server.name.clone()).collect()
        };
        let tiny = names(&Work::hello(1).proxied(Beside::Client));
        let long = names(&Work::body("10 MiB", 10 * 1024).proxied(Beside::Client));
        let secured = names(&Work::hello(1).over_tls(Handshake::Full));
        let plain = names(&Work::hello(1));
        for (name, [in_tiny, in_long, in_secured, in_plain]) in [
            ("null-proxy", [true, true, false, false]),
            ("direct", [true, true, false, false]),
            ("nginx-large-buffers", [false, true, false, false]),
            ("haproxy-splicing", [false, true, false, false]),
            ("gannet-uring", [true, true, true, true]),
            ("haproxy", [true, true, true, true]),
            ("caddy", [true, true, true, false]),
            ("actix", [false, false, false, true]),
        ] {
            let takes_part =
                [&tiny, &long, &secured, &plain].map(|names| names.iter().any(|one| one == name));
            assert_eq!(takes_part, [in_tiny, in_long, in_secured, in_plain], "{name}");
        }
    }

    #[test]
    fn who_speaks_http2_takes_part_where_it_can() {
        let clear = Work::hello(1).over_http2(32);
        let secured = clear.clone().over_tls(Handshake::Full);
        let file = Work::file("100 KiB", "100k.bin", 100).over_http2(32).over_tls(Handshake::Full);
        let proxied = clear.clone().proxied(Beside::Client);
        let all_http2 = proxied.clone().all_http2();
        let works = [&clear, &secured, &file, &proxied, &all_http2];
        for (name, expected) in [
            ("null-h2", [true, false, false, false, false]),
            ("null-epoll", [false; 5]),
            ("null-proxy", [false, false, false, false, true]),
            ("gannet-epoll", [true; 5]),
            ("gannet-hello-uring", [true, false, false, false, false]),
            ("actix", [false; 5]),
            ("hyper", [true, true, false, false, false]),
            ("nginx", [true; 5]),
            ("nginx-constant", [false; 5]),
            ("haproxy", [true, true, false, true, true]),
            ("h2o", [true, true, true, true, false]),
            ("nghttpd", [true, true, true, false, false]),
            ("caddy", [true; 5]),
        ] {
            let servers = all();
            let server = servers.iter().find(|server| server.name == name).unwrap();
            assert_eq!(works.map(|work| server.can(work)), expected, "{name}");
        }
        let plain = Work::hello(1);
        assert!(all().iter().all(|server| server.name != "nghttpd" || !server.can(&plain)));
    }

    #[test]
    fn no_names_choose_every_server() {
        assert_eq!(chosen(&[]).len(), all().len());
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_known_ones() {
        let error = choose(all(), &["apache".to_owned()]).map(|_| ()).unwrap_err();
        assert!(error.contains("apache") && error.contains("nginx"), "{error}");
    }

    #[test]
    fn an_extra_server_needs_a_name_and_a_command() {
        assert!(extra("true").is_err());
        assert!(extra("name=").is_err());
        assert_eq!(extra("other=/bin/other {port} 1").unwrap().name, "other");
    }

    #[test]
    fn an_extra_server_takes_part_in_what_its_command_has_a_place_for() {
        let works = [
            Work::hello(1),
            Work::hello(1).proxied(Beside::Client),
            Work::hello(1).over_tls(Handshake::Full),
        ];
        for (command, expected) in [
            ("one=/bin/one {port} {root}", [true, false, false]),
            ("one=/bin/one proxy 127.0.0.1:{upstream} {port}", [false, true, false]),
            ("one=/bin/one {root} {port} {certificate} {key}", [false, false, true]),
        ] {
            let server = extra(command).unwrap();
            assert_eq!([&works[0], &works[1], &works[2]].map(|work| server.can(work)), expected, "{command}");
        }
    }
}
