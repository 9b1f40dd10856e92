//! TLS of the binary, and what belongs to it: clear text that is led to it, and browsers that are told to keep to it.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use gannet_testing::{Authority, Signed};
use rustix::process::Signal;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::rig::{Gannet, exchange, gannet};
use crate::{complaint, has_field, serve, site};

on_each_backend! {
    a_folder_is_served_over_tls_by_an_authority_that_is_made_once
    clear_text_is_led_to_tls_and_browsers_are_told_to_stay_there
}

/// What trusts this root, and shows this certificate.
fn client(root: &Path, shown: Option<&Signed>) -> Arc<ClientConfig> {
    let read = |file: &Path| CertificateDer::from_pem_file(file).expect("a certificate");
    let mut roots = RootCertStore::empty();
    roots.add(read(root)).expect("a root");
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions that there are")
        .with_root_certificates(roots);
    Arc::new(match shown {
        None => builder.with_no_client_auth(),
        Some(shown) => {
            let key = PrivateKeyDer::from_pem_file(&shown.key).expect("a key");
            builder.with_client_auth_cert(vec![read(&shown.certificate)], key).expect("a pair")
        }
    })
}

/// One request over TLS and all that is answered; nothing where the server refuses.
pub fn exchange_securely(
    client: &Arc<ClientConfig>,
    address: SocketAddr,
    name: &'static str,
    target: &str,
) -> String {
    let name_of_server = ServerName::try_from(name).expect("a name");
    let session = ClientConnection::new(client.clone(), name_of_server).expect("a sound configuration");
    let stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).expect("a time limit can be set");
    let mut stream = StreamOwned::new(session, stream);
    let request = format!("GET {target} HTTP/1.1\r\nhost: {name}\r\nconnection: close\r\n\r\n");
    let mut answer = Vec::new();
    // Who is refused learns it from whichever of the two.
    let _ = stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_end(&mut answer).map(drop));
    String::from_utf8_lossy(&answer).into_owned()
}

/// Serves a folder over TLS by a certificate for `localhost`.
pub fn serve_securely(folder: &Path, signed: &Signed) -> Command {
    let mut command = serve(folder);
    command.arg("--tls-cert").arg(&signed.certificate).arg("--tls-key").arg(&signed.key);
    command
}

fn a_folder_is_served_over_tls_by_an_authority_that_is_made_once(backend: &str) {
    let (folder, home) = (site(), tempfile::tempdir().expect("a folder can be made"));
    let authority = home.path().join("gannet/authority.pem");
    let mut made = None;
    for said in ["which nobody trusts yet", "clients are to trust this file"] {
        let mut command = serve(folder.path());
        command.args(["--tls", "self-signed", "--backend", backend]).env("XDG_DATA_HOME", home.path());
        let mut server = Gannet::start(&mut command);
        assert!(server.banner.contains("   https://127.0.0.1:"), "{}", server.banner);
        let root = fs::read(&authority).expect("the authority is there");
        assert_eq!(made.get_or_insert_with(|| root.clone()), &root, "it is made once");
        for name in ["localhost", "127.0.0.1"] {
            let answer = exchange_securely(&client(&authority, None), server.address(), name, "/");
            assert!(answer.ends_with("\r\n\r\n<h1>Here</h1>"), "{backend}: {answer}");
            assert!(!answer.to_ascii_lowercase().contains("strict-transport-security"), "{answer}");
        }
        let in_clear_text = exchange(server.address(), "GET", "/");
        assert!(
            in_clear_text.contains("400 Bad Request") && in_clear_text.contains("https://"),
            "{in_clear_text}"
        );
        server.signal(Signal::TERM);
        let ended = server.wait();
        assert_eq!(ended.code, Some(0));
        assert!(ended.stderr.contains(said) && ended.stderr.contains("authority.pem"), "{}", ended.stderr);
    }
    let key = fs::metadata(home.path().join("gannet/authority.key")).expect("the key is there");
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
}

fn clear_text_is_led_to_tls_and_browsers_are_told_to_stay_there(backend: &str) {
    let (folder, authority) = (site(), Authority::new());
    let signed = authority.sign("localhost", &["localhost"]);
    let mut command = serve_securely(folder.path(), &signed);
    command.args(["--redirect", "127.0.0.1:0", "--hsts", "1y,subdomains", "--backend", backend]);
    let server = Gannet::start(&mut command);
    let [secure, clear] = server.addresses[..] else { panic!("{}", server.banner) };
    assert!(server.banner.contains(&format!("   redirect http://{clear}   ready in")), "{}", server.banner);
    for method in ["GET", "HEAD", "POST", "DELETE"] {
        let answer = exchange(clear, method, "/below/note.txt?a=b");
        assert!(answer.starts_with("HTTP/1.1 308 Permanent Redirect\r\n"), "{answer}");
        let location = format!("https://localhost:{}/below/note.txt?a=b", secure.port());
        assert!(has_field(&answer, "location", &location), "{answer}");
        assert!(!answer.to_ascii_lowercase().contains("strict-transport-security"), "{answer}");
    }
    let answer = exchange_securely(&client(&authority.root(), None), secure, "localhost", "/below/note.txt");
    assert!(answer.ends_with("\r\n\r\nnote\n"), "{answer}");
    let told = "max-age=31536000; includeSubDomains";
    assert!(has_field(&answer, "strict-transport-security", told), "{answer}");
}

#[test]
fn each_host_has_its_certificate() {
    let (folder, authority) = (site(), Authority::new());
    let (first, second) = (authority.sign("a", &["a.example"]), authority.sign("b", &["*.b.example"]));
    let mut command = serve_securely(folder.path(), &first);
    let server =
        Gannet::start(command.arg("--tls-cert").arg(&second.certificate).arg("--tls-key").arg(&second.key));
    let client = client(&authority.root(), None);
    for name in ["a.example", "www.b.example"] {
        let answer = exchange_securely(&client, server.address(), name, "/");
        assert!(answer.ends_with("<h1>Here</h1>"), "{name}: {answer}");
    }
    assert_eq!(exchange_securely(&client, server.address(), "c.example", "/"), "", "the client refuses that");
}

#[test]
fn clients_show_certificates_where_they_have_to_and_may_where_they_may() {
    let (folder, authority) = (site(), Authority::new());
    let signed = authority.sign("localhost", &["localhost"]);
    let alice = authority.sign("alice", &["alice.example"]);
    let (nobody, alice) = (client(&authority.root(), None), client(&authority.root(), Some(&alice)));
    for (flags, is_nobody_served) in [(&[][..], false), (&["--tls-client-auth", "optional"], true)] {
        let mut command = serve_securely(folder.path(), &signed);
        let server = Gannet::start(command.arg("--tls-client-ca").arg(authority.root()).args(flags));
        let answer = exchange_securely(&alice, server.address(), "localhost", "/");
        assert!(answer.ends_with("<h1>Here</h1>"), "{answer}");
        let answer = exchange_securely(&nobody, server.address(), "localhost", "/");
        assert_eq!(answer.ends_with("<h1>Here</h1>"), is_nobody_served, "{flags:?}: {answer}");
    }
}

#[test]
fn files_that_tls_cannot_be_had_from_are_named_with_what_was_found() {
    let (folder, authority) = (site(), Authority::new());
    let (one, other) = (authority.sign("a", &["a.example"]), authority.sign("b", &["b.example"]));
    let said = |certificate: &Path, key: &Path| {
        let signed = Signed { certificate: certificate.to_owned(), key: key.to_owned() };
        complaint(&mut serve_securely(folder.path(), &signed), 1)
    };
    let missing = said(Path::new("/no/such.pem"), &one.key);
    assert!(missing.contains("/no/such.pem"), "{missing}");
    let swapped = said(&one.key, &one.certificate);
    assert!(swapped.contains(&*one.key.to_string_lossy()) && swapped.contains("key"), "{swapped}");
    let mismatched = said(&one.certificate, &other.key);
    assert!(mismatched.contains(&*other.key.to_string_lossy()), "{mismatched}");
    let no_home = complaint(
        gannet()
            .arg(folder.path())
            .args(["--tls", "self-signed"])
            .env_remove("HOME")
            .env_remove("XDG_DATA_HOME"),
        1,
    );
    assert!(no_home.contains("HOME"), "{no_home}");
}
