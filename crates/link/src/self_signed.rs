//! `--tls self-signed`: an authority of this user's own, made once, and a certificate by it for this machine.
//!
//! Whoever trusts the authority once trusts whatever it signs later: so it is made once, and the certificates by it are made anew
//! as often as they have to be. Its key is what is dangerous: whoever has it can pretend to be any site to those who trust it.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};

use crate::certificate::{Certificate, is_signed_by};
use crate::pem::{self, Kind};
use crate::{CertificateFiles, TlsError};

/// How long the authority is valid.
const AUTHORITY_DAYS: i64 = 3650;

/// How long its certificates are. Some clients take no longer ones (Apple: 398 days, from roots of users' own 825).
const CERTIFICATE_DAYS: i64 = 397;

/// A certificate that ends within so many days is made anew.
const RENEWED_DAYS: i64 = 30;

/// Names that every certificate has, beside this machine's.
const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A certificate by the authority of this user.
#[derive(Clone, Debug)]
pub struct SelfSigned {
    /// The certificate and its key.
    pub files: CertificateFiles,
    /// The authority's certificate: what clients are to trust.
    pub authority: PathBuf,
    /// The names that the certificate has.
    pub names: Vec<String>,
    /// The authority was made just now: nobody can trust it yet.
    pub is_new: bool,
}

/// Where they are kept: `$XDG_DATA_HOME/gannet`, else `~/.local/share/gannet`.
///
/// # Errors
/// [`TlsError::NoHome`] where neither variable is set.
pub fn self_signed_folder() -> Result<PathBuf, TlsError> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    set("XDG_DATA_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".local/share")))
        .map(|data| data.join("gannet"))
        .ok_or(TlsError::NoHome)
}

/// The certificate in `folder` for this machine and `names` (hosts and addresses). It is made anew where it has other names or ends within 30
/// days, and the authority where there is none.
///
/// # Errors
/// See [`TlsError`]: what is there cannot be used, or what is to be made cannot be written. Nothing that is there is replaced but the certificate.
pub fn self_signed(folder: &Path, names: &[String]) -> Result<SelfSigned, TlsError> {
    make_folder(folder)?;
    // Another process may be about to do the same.
    let lock = File::open(folder).and_then(|folder| folder.lock().map(|()| folder));
    let _lock = lock.map_err(|error| TlsError::Unreadable { file: folder.to_owned(), error })?;
    let (authority, authority_key) = (folder.join("authority.pem"), folder.join("authority.key"));
    let is_new = match (authority.exists(), authority_key.exists()) {
        (true, true) => false,
        (false, false) => {
            make_authority(&authority, &authority_key)?;
            true
        }
        (there, _) => {
            let (there, missing) =
                if there { (authority, authority_key) } else { (authority_key, authority) };
            return Err(TlsError::Half { there, missing });
        }
    };
    let names = all_names(names);
    let files = CertificateFiles {
        certificate: folder.join("localhost.pem"),
        key: folder.join("localhost.key"),
        ocsp: None,
    };
    let root = read_authority(&authority, &authority_key)?;
    if !is_usable(&files, &root.der, &names) {
        make_certificate(&files, &root, &names)?;
    }
    Ok(SelfSigned { files, authority, names: names.into_iter().collect(), is_new })
}

/// The authority as it was read.
struct Root {
    der: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

fn make_folder(folder: &Path) -> Result<(), TlsError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| TlsError::Unwritable { file: folder.to_owned(), error })
}

fn make_authority(certificate: &Path, key_file: &Path) -> Result<(), TlsError> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::OrganizationName, "Gannet");
    params.distinguished_name.push(DnType::CommonName, format!("Gannet local authority of {}", host_name()));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid_for(&mut params, AUTHORITY_DAYS);
    let key = KeyPair::generate()?;
    let signed = params.self_signed(&key)?;
    write(key_file, &key.serialize_pem(), 0o600)?;
    write(certificate, &signed.pem(), 0o644)
}

fn read_authority(certificate: &Path, key_file: &Path) -> Result<Root, TlsError> {
    let unreadable = |error| TlsError::Unreadable { file: key_file.to_owned(), error };
    let mode = fs::metadata(key_file).map_err(unreadable)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(TlsError::Exposed { file: key_file.to_owned(), mode });
    }
    let key_text = pem::read(key_file)?;
    pem::count(key_file, &key_text, Kind::PrivateKey)?;
    let text = pem::read(certificate)?;
    pem::count(certificate, &text, Kind::Certificate)?;
    let damaged =
        |file: &Path, wanted, reason: String| TlsError::Damaged { file: file.to_owned(), wanted, reason };
    let of_certificate = |reason: String| damaged(certificate, Kind::Certificate, reason);
    let of_key = |reason: String| damaged(key_file, Kind::PrivateKey, reason);
    let key_text = String::from_utf8(key_text).map_err(|error| of_key(error.to_string()))?;
    let key = KeyPair::from_pem(&key_text).map_err(|error| of_key(error.to_string()))?;
    let text = String::from_utf8(text).map_err(|error| of_certificate(error.to_string()))?;
    let der = x509_parser::pem::parse_x509_pem(text.as_bytes())
        .map_err(|error| of_certificate(error.to_string()))?
        .1
        .contents;
    let read = Certificate::read_valid(&der, certificate)?;
    if read.public_key != key.public_key_raw() {
        let (certificate, key) = (certificate.to_owned(), key_file.to_owned());
        return Err(TlsError::Mismatch { certificate, subject: read.subject, key });
    }
    let issuer = Issuer::from_ca_cert_pem(&text, key).map_err(|error| of_certificate(error.to_string()))?;
    Ok(Root { der, issuer })
}

/// Whether there is a certificate by this authority for these names and no others, that goes on to be valid.
fn is_usable(files: &CertificateFiles, authority: &[u8], names: &BTreeSet<String>) -> bool {
    let Ok(text) = fs::read(&files.certificate) else { return false };
    let Ok((_, section)) = x509_parser::pem::parse_x509_pem(&text) else { return false };
    let Ok(read) = Certificate::read_valid(&section.contents, &files.certificate) else { return false };
    let Ok(key) = fs::read_to_string(&files.key) else { return false };
    let Ok(key) = KeyPair::from_pem(&key) else { return false };
    let ends = OffsetDateTime::now_utc() + Duration::days(RENEWED_DAYS);
    read.names.into_iter().collect::<BTreeSet<_>>() == *names
        && read.ends > ends.unix_timestamp()
        && read.public_key == key.public_key_raw()
        && is_signed_by(&section.contents, authority)
}

fn make_certificate(files: &CertificateFiles, root: &Root, names: &BTreeSet<String>) -> Result<(), TlsError> {
    let mut params = CertificateParams::new(names.iter().cloned().collect::<Vec<_>>())?;
    params.distinguished_name.push(DnType::OrganizationName, "Gannet");
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    valid_for(&mut params, CERTIFICATE_DAYS);
    let key = KeyPair::generate()?;
    let signed = params.signed_by(&key, &root.issuer)?;
    write(&files.key, &key.serialize_pem(), 0o600)?;
    write(&files.certificate, &signed.pem(), 0o644)
}

/// From yesterday on: clocks differ.
fn valid_for(params: &mut CertificateParams, days: i64) {
    let begins = OffsetDateTime::now_utc() - Duration::days(1);
    params.not_before = begins;
    params.not_after = begins + Duration::days(days);
}

/// Those that every certificate has, this machine's, and those that were asked for; in lower case, since no case counts.
fn all_names(names: &[String]) -> BTreeSet<String> {
    let host = host_name();
    let local = LOCAL_NAMES.iter().map(|name| (*name).to_owned());
    local.chain([host]).chain(names.iter().cloned()).map(|name| name.to_ascii_lowercase()).collect()
}

/// This machine's name, if it is one that a certificate can have.
fn host_name() -> String {
    let uname = rustix::system::uname();
    let name = uname.nodename().to_str().unwrap_or_default();
    let fits = !name.is_empty()
        && name.len() < 254
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    if fits { name.to_owned() } else { "localhost".to_owned() }
}

/// Writes a file as a whole, or not at all.
fn write(file: &Path, text: &str, mode: u32) -> Result<(), TlsError> {
    let failed = |error: io::Error| TlsError::Unwritable { file: file.to_owned(), error };
    let new = file.with_extension("new");
    // One that a process left there that was killed; the lock is ours.
    let _ = fs::remove_file(&new);
    let mut written =
        OpenOptions::new().write(true).create_new(true).mode(mode).open(&new).map_err(failed)?;
    written.write_all(text.as_bytes()).and_then(|()| written.sync_all()).map_err(failed)?;
    fs::rename(&new, file).map_err(failed)
}

impl From<rcgen::Error> for TlsError {
    fn from(error: rcgen::Error) -> TlsError {
        TlsError::Refused(format!("a certificate could not be made: {error}"))
    }
}

/// How clients are brought to trust the authority.
impl fmt::Display for SelfSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authority = self.authority.display();
        writeln!(
            f,
            "The certificate is by an authority of your own, which no client trusts by itself: {authority}"
        )?;
        writeln!(f, "  curl      curl --cacert {authority} https://localhost...")?;
        writeln!(
            f,
            "  Debian    sudo cp {authority} /usr/local/share/ca-certificates/gannet.crt && sudo update-ca-certificates"
        )?;
        writeln!(f, "  Firefox   Settings, Privacy & Security, View Certificates, Authorities, Import")?;
        writeln!(
            f,
            "  Chromium  certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n gannet -i {authority} (of libnss3-tools)"
        )?;
        write!(
            f,
            "Keep {} to yourself: whoever has it can pretend to be any site to those who trust it.",
            self.authority.with_extension("key").display()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(folder: &Path, names: &[&str]) -> SelfSigned {
        self_signed(folder, &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    fn mode(file: &Path) -> u32 {
        fs::metadata(file).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_authority_is_made_once_and_its_keys_are_its_user_s_alone() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("share/gannet");
        let first = made(&folder, &[]);
        let authority = fs::read(&first.authority).unwrap();
        let certificate = fs::read(&first.files.certificate).unwrap();
        assert!(first.is_new && first.names.contains(&"127.0.0.1".to_owned()));
        assert_eq!((mode(&folder), mode(&folder.join("authority.key"))), (0o700, 0o600));
        assert_eq!(mode(&first.files.key), 0o600);
        let second = made(&folder, &[]);
        assert!(!second.is_new);
        assert_eq!(fs::read(&second.authority).unwrap(), authority);
        assert_eq!(fs::read(&second.files.certificate).unwrap(), certificate);
    }

    #[test]
    fn a_certificate_is_made_anew_for_other_names_by_the_same_authority() {
        let home = tempfile::tempdir().unwrap();
        let first = made(home.path(), &[]);
        let (authority, certificate) =
            (fs::read(&first.authority).unwrap(), fs::read(&first.files.certificate).unwrap());
        let second = made(home.path(), &["App.example", "192.0.2.7"]);
        assert_ne!(fs::read(&second.files.certificate).unwrap(), certificate);
        assert_eq!(fs::read(&second.authority).unwrap(), authority);
        let text = fs::read(&second.files.certificate).unwrap();
        let (_, section) = x509_parser::pem::parse_x509_pem(&text).unwrap();
        let names = Certificate::read(&section.contents).unwrap().names;
        assert!(
            names.contains(&"app.example".to_owned()) && names.contains(&"192.0.2.7".to_owned()),
            "{names:?}"
        );
    }

    #[test]
    fn a_certificate_that_is_near_its_end_or_by_another_authority_is_made_anew() {
        let home = tempfile::tempdir().unwrap();
        let first = made(home.path(), &[]);
        let root = read_authority(&first.authority, &home.path().join("authority.key")).unwrap();
        let names = all_names(&[]);
        assert!(is_usable(&first.files, &root.der, &names));
        let other = tempfile::tempdir().unwrap();
        let other = made(other.path(), &[]);
        fs::copy(&other.files.certificate, &first.files.certificate).unwrap();
        fs::copy(&other.files.key, &first.files.key).unwrap();
        assert!(!is_usable(&first.files, &root.der, &names), "it is by another authority");
        let mut params = CertificateParams::new(names.iter().cloned().collect::<Vec<_>>()).unwrap();
        valid_for(&mut params, RENEWED_DAYS);
        let key = KeyPair::generate().unwrap();
        let short = params.signed_by(&key, &root.issuer).unwrap();
        fs::write(&first.files.certificate, short.pem()).unwrap();
        fs::write(&first.files.key, key.serialize_pem()).unwrap();
        assert!(!is_usable(&first.files, &root.der, &names), "it ends soon");
        let again = made(home.path(), &[]);
        assert!(is_usable(&again.files, &root.der, &names));
    }

    #[test]
    fn an_authority_that_cannot_be_used_is_named_and_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let key = home.path().join("authority.key");
        let told = |home: &Path| self_signed(home, &[]).unwrap_err().to_string();
        made(home.path(), &[]);
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        let text = told(home.path());
        assert!(
            text.contains("authority.key") && text.contains("0644") && text.contains("chmod 600"),
            "{text}"
        );
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        let kept = fs::read(&key).unwrap();
        fs::write(&key, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").unwrap();
        assert!(
            told(home.path()).contains("authority.key is to hold a private key, which cannot be made out")
        );
        fs::write(&key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
        assert!(told(home.path()).contains("is not that of the certificate in"));
        fs::write(&key, kept).unwrap();
        fs::remove_file(home.path().join("authority.pem")).unwrap();
        let text = told(home.path());
        assert!(
            text.contains("authority.key is there and") && text.contains("authority.pem is not"),
            "{text}"
        );
        assert!(key.exists());
    }

    #[test]
    fn how_to_trust_it_is_said_with_its_path() {
        let home = tempfile::tempdir().unwrap();
        let text = made(home.path(), &[]).to_string();
        let authority = home.path().join("authority.pem").display().to_string();
        for way in ["curl --cacert ", "update-ca-certificates", "Firefox", "certutil"] {
            assert!(text.contains(way) && text.contains(&authority), "{text}");
        }
    }
}
