//! The one line that says what runs, and where.

use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use gannet::{Address, Running};

use crate::options::{Options, Task};

/// What the line says.
pub struct Banner {
    urls: String,
    /// Led to TLS.
    redirect: Vec<String>,
    served: String,
    backend: &'static str,
    workers: usize,
    admin: Option<String>,
    ready_in_ms: u128,
}

impl Banner {
    /// Of a server that runs, and began so long ago.
    pub fn new(running: &Running, options: &Options, since_start: Duration) -> Banner {
        let scheme = if options.tls.is_some() { "https" } else { "http" };
        let urls = running.addresses().iter().map(|address| shown_address(scheme, address));
        let aside = running.addresses_aside().iter().map(|address| shown_address("http", address));
        Banner {
            urls: urls.collect::<Vec<_>>().join(" "),
            redirect: aside.collect(),
            served: served(&options.task),
            backend: if running.backend() == "uring" { "io_uring" } else { running.backend() },
            workers: running.workers(),
            admin: running.admin_address().map(|address| url("http", address)),
            // Rounded up: nothing starts in no time.
            ready_in_ms: since_start.as_micros().div_ceil(1000),
        }
    }

    /// Prints it, unless quiet; the log has it in any case.
    pub fn show(&self, quiet: bool) {
        tracing::debug!(
            urls = self.urls,
            served = self.served,
            redirect = self.redirect.join(" "),
            backend = self.backend,
            workers = self.workers,
            admin = self.admin,
            ready_in_ms = u64::try_from(self.ready_in_ms).unwrap_or(u64::MAX),
            "serving"
        );
        if !quiet {
            print(&format!("{self}\n"));
        }
    }
}

impl fmt::Display for Banner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Banner { urls, redirect, served, backend, workers, admin, ready_in_ms } = self;
        let redirect = match redirect[..] {
            [] => String::new(),
            _ => format!("redirect {}   ", redirect.join(" ")),
        };
        let admin = admin.as_ref().map(|url| format!("admin {url}   ")).unwrap_or_default();
        let version = env!("CARGO_PKG_VERSION");
        let plural = if *workers == 1 { "" } else { "s" };
        write!(
            f,
            "Gannet {version}   {urls}   {served}   {backend}, {workers} worker{plural}   {redirect}{admin}ready in {ready_in_ms} ms"
        )
    }
}

/// Prints to the standard output. That nobody reads it is no reason to fail.
pub fn print(text: &str) {
    let mut output = io::stdout();
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
}

/// The folder, or where requests are passed on to.
fn served(task: &Task) -> String {
    match task {
        Task::Files(files) => shown(&files.folder),
        Task::Proxy(proxy) => {
            let upstreams = proxy.upstreams.iter().map(|upstream| shown(Path::new(upstream)));
            format!("to {}", upstreams.collect::<Vec<_>>().join(" "))
        }
    }
}

fn shown_address(scheme: &str, address: &Address) -> String {
    match address {
        Address::Internet(address) => url(scheme, *address),
        Address::Unix(path) => format!("unix:{}", shown(path)),
    }
}

/// What to type into a browser: the unspecified address is no place to connect to, so this machine's name for itself.
fn url(scheme: &str, address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("{scheme}://localhost:{}", address.port())
    } else {
        format!("{scheme}://{address}")
    }
}

/// The folder as it was named, with all but letters, digits and plain punctuation percent-encoded as in a file URL
/// (RFC 8089): whatever its name, it is one word of one line, and says nothing to the terminal.
fn shown(folder: &Path) -> String {
    let mut text = String::new();
    for piece in folder.as_os_str().as_encoded_bytes().utf8_chunks() {
        for character in piece.valid().chars() {
            if character.is_alphanumeric() || "/._-~!$&'()*+,;=:@".contains(character) {
                text.push(character);
            } else {
                encode(&mut text, character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        encode(&mut text, piece.invalid());
    }
    text
}

fn encode(text: &mut String, bytes: &[u8]) {
    text.extend(bytes.iter().map(|byte| format!("%{byte:02X}")));
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn the_banner_is_the_line_that_the_documents_show() {
        let mut banner = Banner {
            urls: "http://127.0.0.1:8080".to_owned(),
            redirect: Vec::new(),
            served: "./public".to_owned(),
            backend: "io_uring",
            workers: 2,
            admin: None,
            ready_in_ms: 3,
        };
        let expected =
            "Gannet 0.1.0   http://127.0.0.1:8080   ./public   io_uring, 2 workers   ready in 3 ms";
        assert_eq!(banner.to_string(), expected);
        banner.workers = 1;
        assert!(banner.to_string().contains("io_uring, 1 worker   ready"));
        banner.admin = Some("http://127.0.0.1:9000".to_owned());
        assert!(banner.to_string().contains("1 worker   admin http://127.0.0.1:9000   ready in 3 ms"));
        banner.redirect = vec!["http://127.0.0.1:80".to_owned()];
        assert!(banner.to_string().contains("1 worker   redirect http://127.0.0.1:80   admin http://"));
    }

    #[test]
    fn an_unspecified_address_is_shown_as_one_to_connect_to() {
        for (address, shown) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("[::1]:80", "http://[::1]:80"),
            ("[::]:8080", "http://localhost:8080"),
            ("0.0.0.0:8080", "http://localhost:8080"),
        ] {
            let address = Address::Internet(address.parse().unwrap());
            assert_eq!(shown_address("http", &address), shown);
            assert_eq!(shown_address("https", &address), shown.replace("http:", "https:"));
        }
        assert_eq!(shown_address("https", &Address::Unix("/run/my site".into())), "unix:/run/my%20site");
    }

    #[test]
    fn a_folder_is_shown_as_one_word_whatever_its_name() {
        let cases: [(&[u8], &str); 5] = [
            (b"./public", "./public"),
            ("/srv/Bücher".as_bytes(), "/srv/Bücher"),
            (b"my site", "my%20site"),
            (b"a\n\x1b[31m", "a%0A%1B%5B31m"),
            (b"\xff100%", "%FF100%25"),
        ];
        for (folder, expected) in cases {
            assert_eq!(shown(Path::new(OsStr::from_bytes(folder))), expected);
        }
    }
}
