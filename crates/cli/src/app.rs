//! From what was asked for to the application that does it.

use gannet::files::Files;
use gannet::{App, Proxy, Tls};

use crate::options::{FilesOptions, Options, Task};
use crate::proxy::ProxyOptions;
use crate::tls::{Certificates, TlsOptions};

/// The application.
pub fn of(options: &Options) -> App {
    let app = edge(options, served(&options.task));
    let app = app.workers(options.workers).pin(options.pin).share_port(options.share_port);
    let app = app.backend(options.backend);
    let app = match &options.access_log {
        Some(log) => app.access_log(log.clone()),
        None => app,
    };
    match options.admin {
        Some(address) => app.admin(address),
        None => app,
    }
}

/// What is served.
fn served(task: &Task) -> App {
    match task {
        Task::Files(FilesOptions { folder, mmap, spa, listing }) => {
            let files = Files::open(folder).map(|files| files.listing(*listing).single_page(*spa));
            App::new().files("/", files).mapped_sends(*mmap)
        }
        Task::Proxy(options) => App::new().proxy("/*", proxy(options)),
    }
}

fn proxy(options: &ProxyOptions) -> Proxy {
    let mut proxy = Proxy::to(&options.upstreams).balance(options.balance).host(options.host);
    proxy = proxy.protocol(options.protocol);
    if let Some(version) = options.send_proxy {
        proxy = proxy.send_proxy_protocol(version);
    }
    if let Some(file) = &options.upstream_ca {
        proxy = proxy.authorities(file);
    }
    if let Some(timeout) = options.connect_timeout {
        proxy = proxy.connect_timeout(timeout);
    }
    if let Some(timeout) = options.head_timeout {
        proxy = proxy.head_timeout(timeout);
    }
    match options.idle_timeout {
        Some(timeout) => proxy.idle_timeout(timeout),
        None => proxy,
    }
}

/// Where and how it is reached.
fn edge(options: &Options, app: App) -> App {
    let mut app = options.listen.iter().fold(app, |app, place| place.listened_on_by(app));
    app = app.trust(options.trust.clone()).proxy_protocol(options.proxy_protocol);
    app = app.http1_only(options.http1_only);
    let Some(tls) = &options.tls else { return app };
    app = app.tls(speaking(tls));
    if let Some(place) = &tls.redirect {
        app = place.redirected_by(app);
    }
    match tls.hsts {
        Some(hsts) => app.hsts(hsts),
        None => app,
    }
}

fn speaking(options: &TlsOptions) -> Tls {
    let tls = match &options.certificates {
        Certificates::Files(files) => {
            let none = Tls::without_certificates();
            files.iter().fold(none, |tls, (certificate, key)| tls.and_files(certificate, key))
        }
        Certificates::SelfSigned => Tls::self_signed(None::<String>),
    };
    match &options.clients {
        None => tls,
        Some(clients) if clients.optional => tls.ask_for_client_certificates(&clients.authorities),
        Some(clients) => tls.require_client_certificates(&clients.authorities),
    }
}
