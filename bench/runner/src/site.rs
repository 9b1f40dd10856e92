//! The folder that the file servers serve.
//!
//! It lies beside the bench's own program, so that an interrupted run leaves nothing outside of `target`, and its files
//! are kept for the next run.

use std::{
    env,
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rustix::fs::{Advice, fadvise};
use rustls::pki_types::CertificateDer;

use crate::{client::NAME, random::Random, work::Content};

/// What every server answers in the scenarios of tiny responses.
pub const HELLO: &str = "Hello, World!";

/// What the prose is made of.
const WORDS: [&str; 40] = [
    "the",
    "of",
    "and",
    "a",
    "to",
    "in",
    "is",
    "server",
    "that",
    "it",
    "client",
    "for",
    "request",
    "was",
    "on",
    "response",
    "are",
    "as",
    "with",
    "field",
    "they",
    "at",
    "be",
    "this",
    "from",
    "connection",
    "have",
    "or",
    "by",
    "one",
    "resource",
    "had",
    "not",
    "but",
    "what",
    "representation",
    "were",
    "when",
    "we",
    "there",
];

/// The served files, and a folder for the servers' own, which goes with the run.
#[derive(Debug)]
pub struct Site {
    root: PathBuf,
    scratch: PathBuf,
    certificate: CertificateDer<'static>,
}

impl Site {
    /// Makes both folders, with `hello.txt` in the one that is served.
    pub fn create() -> io::Result<Site> {
        let folder = env::current_exe()?.with_file_name("gannet-bench-site");
        let scratch = folder.join(format!("run-{}", std::process::id()));
        fs::create_dir_all(&scratch)?;
        let certificate = certify(&scratch)?;
        let site = Site { root: folder.join("public"), scratch, certificate };
        fs::create_dir_all(&site.root)?;
        site.write("hello.txt", HELLO.len() as u64, HELLO.as_bytes())?;
        Ok(site)
    }

    /// The folder that is served.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder for configurations, logs and process ids.
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// What every server shows in a TLS handshake.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The files that hold it, in PEM.
    pub fn tls_files(&self) -> TlsFiles {
        TlsFiles::of(&self.scratch)
    }

    /// Makes a file, unless it exists.
    pub fn file(&self, name: &str, content: Content) -> io::Result<()> {
        match content {
            Content::Filled(bytes) => self.write(name, bytes, &vec![b'x'; 1024 * 1024]),
            Content::Prose(bytes) => self.write(name, bytes, prose(bytes).as_bytes()),
            Content::Sparse(bytes) => File::options()
                .write(true)
                .create(true)
                .truncate(false)
                .open(self.root.join(name))?
                .set_len(bytes),
        }
    }

    /// Takes a file's pages out of the page cache, so that the next server reads it as cold as the last one did.
    pub fn forget(&self, name: &str) -> io::Result<()> {
        let file = File::open(self.root.join(name))?;
        Ok(fadvise(file, 0, None, Advice::DontNeed)?)
    }

    /// Writes `block` over and over until the file is as long as asked for. Writing also brings it into the page cache.
    fn write(&self, name: &str, bytes: u64, block: &[u8]) -> io::Result<()> {
        let path = self.root.join(name);
        if path.metadata().is_ok_and(|metadata| metadata.len() == bytes) {
            return Ok(());
        }
        let mut file = File::create(path)?;
        let mut left = bytes;
        while left > 0 {
            let part = left.min(block.len() as u64);
            file.write_all(&block[..part as usize])?;
            left -= part;
        }
        Ok(())
    }
}

/// Where the certificate and its key lie.
#[derive(Debug)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// One after the other, as haproxy wants them.
    pub both: PathBuf,
}

impl TlsFiles {
    fn of(folder: &Path) -> TlsFiles {
        let [certificate, key, both] =
            ["certificate.pem", "key.pem", "certificate-and-key.pem"].map(|name| folder.join(name));
        TlsFiles { certificate, key, both }
    }
}

/// Makes a certificate that has signed itself, with a new key: ECDSA with P-256, as most servers have.
fn certify(folder: &Path) -> io::Result<CertificateDer<'static>> {
    let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).map_err(io::Error::other)?;
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let files = TlsFiles::of(folder);
    fs::write(files.certificate, &certificate)?;
    fs::write(files.both, format!("{certificate}{key}"))?;
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(files.key)?;
    file.write_all(key.as_bytes())?;
    Ok(made.cert.der().clone())
}

/// Words in an order that does not repeat: it compresses as prose does, and is the same in every run.
fn prose(bytes: u64) -> String {
    let mut random = Random::new(1);
    let mut text = String::new();
    while (text.len() as u64) < bytes {
        let word = WORDS[random.below(WORDS.len())];
        text.extend([word, if random.below(12) == 0 { ".\n" } else { " " }]);
    }
    text
}

impl Drop for Site {
    fn drop(&mut self) {
        // What cannot be removed lies in `target` and harms nobody.
        let _ = fs::remove_dir_all(&self.scratch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prose_is_the_same_each_time_and_does_not_repeat() {
        let text = prose(4096);
        assert_eq!(text, prose(4096));
        assert!(text.len() >= 4096 && !text[64..].contains(&text[..64]));
    }
}
