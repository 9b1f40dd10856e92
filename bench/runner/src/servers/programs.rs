//! How each program is started: where it lies, its arguments, its configuration.
//!
//! A variable names a program, such as `NGINX_BIN=/opt/nginx/sbin/nginx`; without it Gannet lies in its workspace's target
//! folder, the bench's own programs beside the bench, and the others where `cargo xtask peers` put them, or where `PATH` says.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use rustix::process::geteuid;

use crate::{
    process::free_port,
    servers::{Place, repository},
    site::HELLO,
    work::{Ask, Protocol},
};

/// What a server keeps of the requests that it answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Observing {
    Nothing,
    /// An access log, in a file.
    Log,
    /// Metrics, on a listener of their own.
    Metrics,
}

/// A program of this workspace, which was built beside the bench itself.
pub fn own(program: &str, place: &Place<'_>) -> io::Result<Command> {
    let path = env::current_exe()?.with_file_name(program);
    let mut command = Command::new(existing(path)?);
    command.arg(place.port.to_string());
    Ok(command)
}

/// A null server; `end` is how it ends its connections where they end with their response.
pub fn null(program: &str, end: &str, place: &Place<'_>) -> io::Result<Command> {
    let mut command = own(program, place)?;
    command.args(["1", &place.work.body_bytes.to_string(), &place.work.depth.to_string()]);
    command.arg(match place.protocol {
        Protocol::WebSocket => "websocket",
        _ if place.work.is_short => end,
        _ => "keep",
    });
    Ok(command)
}

/// The null server of HTTP/2.
pub fn null_h2(place: &Place<'_>) -> io::Result<Command> {
    let mut command = own("null-h2", place)?;
    command.arg(place.work.body_bytes.to_string());
    Ok(command)
}

/// What stands behind a proxy; and that alone, where a proxy is compared with none.
pub fn upstream(place: &Place<'_>) -> io::Result<Command> {
    if place.protocol == Protocol::Http2 {
        return null_h2(place);
    }
    let mut command = own("null-upstream", place)?;
    command.arg(place.work.body_bytes.to_string());
    Ok(command)
}

/// hyper, which is told what it is to speak.
pub fn hyper(place: &Place<'_>) -> io::Result<Command> {
    let mut command = own("peer-hyper", place)?;
    if place.protocol == Protocol::Http2 {
        command.arg("h2");
    }
    if place.work.handshake.is_some() {
        let files = place.site.tls_files();
        command.arg(files.certificate).arg(files.key);
    }
    Ok(command)
}

/// Carries bytes, and looks at none.
pub fn null_proxy(place: &Place<'_>) -> io::Result<Command> {
    let mut command = own("null-proxy", place)?;
    command.arg(place.upstream.to_string());
    Ok(command)
}

/// Gannet's binary. A flag that this build does not know is left out where it would switch something off, and named as
/// missing where it is what the row is about.
pub fn gannet(backend: &str, observing: Observing, place: &Place<'_>) -> io::Result<Command> {
    let program = match env::var_os("GANNET_BIN") {
        Some(path) => existing(path)?,
        None => existing(target().join("release/gannet"))?,
    };
    let mut command = Command::new(&program);
    if place.work.upstream.is_some() {
        let scheme = if place.work.upstream_protocol == Protocol::Http2 { "h2c://" } else { "" };
        command.args(["proxy", &format!("{scheme}127.0.0.1:{}", place.upstream)]);
    } else {
        command.arg(place.root());
    }
    command.args(["--listen", &format!("127.0.0.1:{}", place.port)]);
    command.args(["--workers", "1", "--backend", backend, "-q"]);
    if place.work.handshake.is_some() {
        let files = place.site.tls_files();
        command.arg("--tls-cert").arg(files.certificate);
        command.arg("--tls-key").arg(files.key);
    }
    if place.is_shared {
        command.arg("--share-port");
    }
    let log = place.site.scratch().join(format!("gannet-{}-access.log", place.port));
    if observing == Observing::Log {
        command.arg(known(&program, "--access-log")?).arg(log);
    } else if let Ok(flag) = known(&program, "--access-log") {
        command.args([flag, "off"]);
    }
    if observing == Observing::Metrics {
        command.args([known(&program, "--admin")?, &format!("127.0.0.1:{}", free_port()?)]);
    }
    Ok(command)
}

/// The flag, if Gannet's help names it.
fn known<'a>(program: &Path, flag: &'a str) -> io::Result<&'a str> {
    static HELP: OnceLock<String> = OnceLock::new();
    let help = HELP.get_or_init(|| {
        let output = Command::new(program).arg("--help").output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
    });
    let names = |word: &str| word.split(['=', ',', '[']).next() == Some(flag);
    if help.split_whitespace().any(names) {
        Ok(flag)
    } else {
        Err(io::Error::other(format!("this build of Gannet knows no {flag}")))
    }
}

/// A service of Gannet's library, behind so many filters that do nothing: told by environment, as every flag of Gannet can be.
pub fn gannet_hello(backend: &str, filters: u32, workers: u32, place: &Place<'_>) -> io::Result<Command> {
    let program = match env::var_os("GANNET_HELLO_BIN") {
        Some(path) => path.into(),
        None => env::current_exe()?.with_file_name("gannet-service"),
    };
    let mut command = Command::new(existing(program)?);
    command.arg(filters.to_string());
    command.env("GANNET_LISTEN", format!("127.0.0.1:{}", place.port));
    command.env("GANNET_WORKERS", workers.to_string()).env("GANNET_BACKEND", backend);
    Ok(command)
}

/// The target folder of Gannet's own workspace.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| repository().join("target"), |folder| repository().join(folder))
}

/// Where `cargo xtask peers --sid` puts what starts the programs of a newer Debian, and `cargo xtask peers` what it builds.
pub fn peers() -> PathBuf {
    repository().join("target/peers/bin")
}

/// uWebSockets, as socketify brings it, without Python.
pub fn uwebsockets(place: &Place<'_>) -> io::Result<Command> {
    let mut command = Command::new(installed("socketify", "SOCKETIFY_BIN")?);
    command.arg(place.port.to_string());
    Ok(command)
}

/// nchan, in the nginx that it was built for.
pub fn nchan(place: &Place<'_>) -> io::Result<Command> {
    let file = configure(place, "nchan", include_str!("../../../peers/nchan.conf"), &[])?;
    let mut command = Command::new(installed("nchan", "NCHAN_BIN")?);
    command.arg("-p").arg(place.site.scratch()).arg("-c").arg(file).args(["-e", "stderr"]);
    Ok(command)
}

pub fn nginx(observing: Observing, place: &Place<'_>) -> io::Result<Command> {
    let log = place.site.scratch().join(format!("nginx-{}-access.log", place.port));
    let log = match observing {
        Observing::Log => format!("access_log {} combined buffer=64k flush=1s;", log.display()),
        _ => "access_log off;".to_owned(),
    };
    let compression = match place.work.ask {
        Ask::Compressed => "gzip on; gzip_types text/plain; gzip_proxied any; gzip_vary on;",
        _ => "",
    };
    let security = secured(
        place,
        "ssl; ssl_certificate CERTIFICATE; ssl_certificate_key KEY; ssl_protocols TLSv1.3; ssl_ecdh_curve X25519; \
         ssl_session_timeout 1h",
    );
    let template = include_str!("../../../peers/nginx.conf");
    let words = [
        ("LOG", log.as_str()),
        ("COMPRESSION", compression),
        ("SECURITY", security),
        ("HTTP2", nginx_http2(place)),
    ];
    nginx_with(place, &configure(place, "nginx", template, &words)?)
}

/// As it comes, it reads a response into 32 KiB, and what the client does not take at once into a file; `large_buffers` are
/// what one sets for speed.
pub fn nginx_proxy(large_buffers: bool, place: &Place<'_>) -> io::Result<Command> {
    let buffering = if large_buffers {
        "proxy_buffer_size 64k; proxy_buffers 16 64k; proxy_busy_buffers_size 256k; proxy_max_temp_file_size 0;"
    } else {
        ""
    };
    let template = include_str!("../../../peers/nginx-proxy.conf");
    let version = if place.work.upstream_protocol == Protocol::Http2 { "2" } else { "1.1" };
    let words = [("BUFFERING", buffering), ("VERSION", version), ("HTTP2", nginx_http2(place))];
    nginx_with(place, &configure(place, "nginx", template, &words)?)
}

fn nginx_http2(place: &Place<'_>) -> &'static str {
    if place.protocol == Protocol::Http2 { "http2 on;" } else { "" }
}

fn nginx_with(place: &Place<'_>, file: &Path) -> io::Result<Command> {
    let mut command = Command::new(installed("nginx", "NGINX_BIN")?);
    command.arg("-p").arg(place.site.scratch()).arg("-c").arg(file).args(["-e", "stderr"]);
    Ok(command)
}

pub fn haproxy(place: &Place<'_>) -> io::Result<Command> {
    let protocol = haproxy_protocol(place.protocol);
    let security = match place.work.handshake {
        Some(_) if place.protocol == Protocol::Http2 => {
            "ssl crt BOTH ssl-min-ver TLSv1.3 curves X25519 alpn h2"
        }
        Some(_) => "ssl crt BOTH ssl-min-ver TLSv1.3 curves X25519",
        None => protocol,
    };
    let template = include_str!("../../../peers/haproxy.cfg");
    haproxy_with(&configure(place, "haproxy", template, &[("SECURITY", security)])?)
}

pub fn haproxy_proxy(splices: bool, place: &Place<'_>) -> io::Result<Command> {
    let splicing = if splices { "option splice-response" } else { "" };
    let template = include_str!("../../../peers/haproxy-proxy.cfg");
    let (clients, servers) =
        (haproxy_protocol(place.protocol), haproxy_protocol(place.work.upstream_protocol));
    let words = [("SPLICING", splicing), ("CLIENTS", clients), ("SERVERS", servers)];
    haproxy_with(&configure(place, "haproxy", template, &words)?)
}

fn haproxy_protocol(protocol: Protocol) -> &'static str {
    if protocol == Protocol::Http2 { "proto h2" } else { "" }
}

fn haproxy_with(file: &Path) -> io::Result<Command> {
    let mut command = Command::new(installed("haproxy", "HAPROXY_BIN")?);
    command.arg("-f").arg(file);
    Ok(command)
}

/// What a configuration says of TLS where there is any.
fn secured<'a>(place: &Place<'_>, words: &'a str) -> &'a str {
    if place.work.handshake.is_some() { words } else { "" }
}

pub fn h2o(observing: Observing, place: &Place<'_>) -> io::Result<Command> {
    let log = place.site.scratch().join(format!("h2o-{}-access.log", place.port));
    let log = match observing {
        Observing::Log => format!("access-log: {}", log.display()),
        _ => String::new(),
    };
    // As root it would become `nobody`, who may not be allowed to read what is served.
    let user = if geteuid().is_root() { "user: root" } else { "" };
    let compression = if place.work.ask == Ask::Compressed { "compress: [br, gzip]" } else { "" };
    // Its key would otherwise lie in a process of its own, whose time would not be seen.
    let security = secured(
        place,
        "ssl: {certificate-file: CERTIFICATE, key-file: KEY, neverbleed: OFF, minimum-version: TLSv1.3, \
         ocsp-update-interval: 0}",
    );
    let proxy = include_str!("../../../peers/h2o-proxy.conf");
    let files = include_str!("../../../peers/h2o.conf");
    let template = if place.work.upstream.is_some() { proxy } else { files };
    let words = [("LOG", log.as_str()), ("USER", user), ("COMPRESSION", compression), ("SECURITY", security)];
    let mut command = Command::new(installed("h2o", "H2O_BIN")?);
    command.arg("-c").arg(configure(place, "h2o", template, &words)?);
    Ok(command)
}

pub fn caddy(place: &Place<'_>) -> io::Result<Command> {
    let compression = if place.work.ask == Ask::Compressed { "encode gzip" } else { "" };
    let security = secured(place, "tls CERTIFICATE KEY {\n\t\tprotocols tls1.3\n\t\tcurves x25519\n\t}");
    let address = if place.work.handshake.is_some() { "https://:PORT" } else { "http://127.0.0.1:PORT" };
    let proxy = include_str!("../../../peers/Caddyfile-proxy");
    let files = include_str!("../../../peers/Caddyfile");
    let template = if place.work.upstream.is_some() { proxy } else { files };
    // It takes HTTP/2 in clear text only beside HTTP/1.1.
    let protocols = match (place.protocol, place.work.handshake) {
        (Protocol::Http1 | Protocol::WebSocket, _) => "h1",
        (Protocol::Http2, None) => "h1 h2c",
        (Protocol::Http2, Some(_)) => "h1 h2",
    };
    let versions = if place.work.upstream_protocol == Protocol::Http2 { "h2c" } else { "1.1" };
    let words = [
        ("COMPRESSION", compression),
        ("SITE", address),
        ("SECURITY", security),
        ("PROTOCOLS", protocols),
        ("VERSIONS", versions),
    ];
    let file = configure(place, "caddy", template, &words)?;
    let mut command = Command::new(installed("caddy", "CADDY_BIN")?);
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
    command.env("GOMAXPROCS", "1").env("XDG_DATA_HOME", place.site.scratch());
    Ok(command)
}

pub fn nghttpd(place: &Place<'_>) -> io::Result<Command> {
    let mut command = Command::new(installed("nghttpd", "NGHTTPD_BIN")?);
    command.args(["--address", "127.0.0.1", "--workers", "1", "--htdocs"]).arg(place.root());
    if place.work.handshake.is_none() {
        command.arg("--no-tls");
    }
    command.arg(place.port.to_string());
    if place.work.handshake.is_some() {
        let files = place.site.tls_files();
        command.arg(files.key).arg(files.certificate);
    }
    Ok(command)
}

/// Writes a configuration into the run's own folder: the template with its words in capitals replaced.
fn configure(place: &Place<'_>, name: &str, template: &str, words: &[(&str, &str)]) -> io::Result<PathBuf> {
    let scratch = place.site.scratch();
    let mut text = template.to_owned();
    for (word, value) in words {
        text = text.replace(word, value);
    }
    let files = place.site.tls_files();
    for (word, path) in [("CERTIFICATE", &files.certificate), ("KEY", &files.key), ("BOTH", &files.both)] {
        text = text.replace(word, &path.to_string_lossy());
    }
    text = text.replace("UPSTREAM", &place.upstream.to_string());
    text = text.replace("PORT", &place.port.to_string()).replace("HELLO", HELLO);
    text = text.replace("SCRATCH", &scratch.to_string_lossy());
    text = text.replace("ROOT", &place.root().to_string_lossy());
    let file = scratch.join(format!("{name}-{}.conf", place.port));
    fs::write(&file, text)?;
    Ok(file)
}

/// A program that the variable names, or that is installed.
pub fn installed(program: &str, variable: &str) -> io::Result<PathBuf> {
    if let Some(path) = env::var_os(variable) {
        return existing(path);
    }
    let path = env::var_os("PATH").unwrap_or_default();
    std::iter::once(peers())
        .chain(env::split_paths(&path))
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join(program))
        .find(|program| program.is_file())
        .ok_or_else(|| {
            io::Error::other(format!(
                "{program} is not installed (`cargo xtask peers`), and {variable} names none"
            ))
        })
}

pub fn existing(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    let path = path.as_ref();
    if path.is_file() {
        Ok(path.to_owned())
    } else {
        Err(io::Error::other(format!("{} does not exist", path.display())))
    }
}
