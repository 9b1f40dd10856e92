//! What the flags of TLS say together.

use std::ffi::OsString;
use std::path::PathBuf;

use gannet::Hsts;

use crate::address::Place;
use crate::arguments::Common;
use crate::duration;
use crate::sources::Sources;

/// TLS, and what belongs to it.
#[derive(PartialEq, Eq, Debug)]
pub struct TlsOptions {
    /// Where certificates are from.
    pub certificates: Certificates,
    /// Whose certificates clients have.
    pub clients: Option<Clients>,
    /// Where those are led to TLS who come without.
    pub redirect: Option<Place>,
    /// What browsers are told.
    pub hsts: Option<Hsts>,
}

/// Where certificates are from.
#[derive(PartialEq, Eq, Debug)]
pub enum Certificates {
    /// Files: a certificate, with those above it, and its key.
    Files(Vec<(PathBuf, PathBuf)>),
    /// One of our own making.
    SelfSigned,
}

/// The certificates of clients.
#[derive(PartialEq, Eq, Debug)]
pub struct Clients {
    /// The file of the authorities that issue them.
    pub authorities: PathBuf,
    /// A client may have none.
    pub optional: bool,
}

/// The flags that mean nothing without TLS.
struct OnlyWithTls {
    clients: Option<PathBuf>,
    optional: Option<bool>,
    redirect: Option<Place>,
    hsts: Option<Hsts>,
}

const WAY_TO_TLS: &str = "add --tls-cert and --tls-key, or --tls self-signed";

impl TlsOptions {
    /// Takes the flags of TLS out of those that both commands have; none: clear text is served.
    ///
    /// # Errors
    /// When one is wrong, or they do not go together.
    pub fn take<E>(common: &mut Common, sources: &Sources<E>) -> Result<Option<TlsOptions>, String>
    where
        E: Fn(&str) -> Option<OsString>,
    {
        let certificates = certificates(common, sources)?;
        let rest = OnlyWithTls {
            clients: sources.one("tls-client-ca", common.tls_client_ca.take(), path)?,
            optional: sources.one("tls-client-auth", common.tls_client_auth.take(), is_optional)?,
            redirect: sources.one("redirect", common.redirect.take(), parse_redirect)?,
            hsts: sources.one("hsts", common.hsts.take(), parse_hsts)?.flatten(),
        };
        match certificates {
            Some(certificates) => rest.with(certificates).map(Some),
            None => rest.without().map(|()| None),
        }
    }
}

impl OnlyWithTls {
    fn with(self, certificates: Certificates) -> Result<TlsOptions, String> {
        let clients = match (self.clients, self.optional) {
            (Some(authorities), optional) => {
                Some(Clients { authorities, optional: optional.unwrap_or(false) })
            }
            (None, None) => None,
            (None, Some(_)) => {
                return Err("--tls-client-auth says how clients must have a certificate, and not whose; add --tls-client-ca FILE".to_owned());
            }
        };
        Ok(TlsOptions { certificates, clients, redirect: self.redirect, hsts: self.hsts })
    }

    fn without(self) -> Result<(), String> {
        let given = [
            ("--tls-client-ca", self.clients.is_some()),
            ("--tls-client-auth", self.optional.is_some()),
            ("--redirect", self.redirect.is_some()),
            ("--hsts", self.hsts.is_some()),
        ];
        match given.iter().find(|(_, is_given)| *is_given) {
            Some((flag, _)) => Err(format!("{flag} means nothing without TLS; {WAY_TO_TLS}")),
            None => Ok(()),
        }
    }
}

/// Files, or what `--tls` says.
fn certificates<E>(common: &mut Common, sources: &Sources<E>) -> Result<Option<Certificates>, String>
where
    E: Fn(&str) -> Option<OsString>,
{
    let certificates = sources.several("tls-cert", std::mem::take(&mut common.tls_cert), path)?;
    let keys = sources.several("tls-key", std::mem::take(&mut common.tls_key), path)?;
    let self_signed = sources.one("tls", common.tls.take(), is_self_signed)?.unwrap_or(false);
    if let Some(certificate) = certificates.get(keys.len()) {
        return Err(format!("--tls-cert {} has no key; add --tls-key FILE", certificate.display()));
    }
    if let Some(key) = keys.get(certificates.len()) {
        return Err(format!("--tls-key {} has no certificate; add --tls-cert FILE", key.display()));
    }
    match (certificates.first(), self_signed) {
        (Some(first), true) => Err(format!(
            "--tls self-signed makes a certificate of its own, and --tls-cert {} is another; leave one of them out",
            first.display()
        )),
        (Some(_), false) => Ok(Some(Certificates::Files(certificates.into_iter().zip(keys).collect()))),
        (None, true) => Ok(Some(Certificates::SelfSigned)),
        (None, false) => Ok(None),
    }
}

/// The name of a file.
///
/// # Errors
/// When it is empty.
pub fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("the file's name is empty".to_owned()) } else { Ok(text.into()) }
}

fn is_self_signed(text: &str) -> Result<bool, String> {
    match text {
        "self-signed" => Ok(true),
        "off" => Ok(false),
        _ => Err("TLS is self-signed or off; certificates of files are given by --tls-cert and --tls-key"
            .to_owned()),
    }
}

fn is_optional(text: &str) -> Result<bool, String> {
    match text {
        "optional" => Ok(true),
        "required" => Ok(false),
        _ => Err("certificates of clients are required or optional".to_owned()),
    }
}

fn parse_redirect(text: &str) -> Result<Place, String> {
    match text.parse()? {
        Place::Systemd => {
            Err("the redirect takes no socket that is handed over; write IP:PORT, localhost:PORT or PORT"
                .to_owned())
        }
        place => Ok(place),
    }
}

/// A duration, and behind commas `subdomains` and `preload`; or `off`.
fn parse_hsts(text: &str) -> Result<Option<Hsts>, String> {
    if text == "off" {
        return Ok(None);
    }
    let mut parts = text.split(',').map(str::trim);
    let mut hsts = Hsts::for_duration(duration::parse(parts.next().unwrap_or_default())?);
    for part in parts {
        hsts = match part {
            "subdomains" => hsts.include_subdomains(true),
            "preload" => hsts.preload(true),
            _ => {
                return Err("behind the duration stand subdomains or preload, as in 1y,subdomains".to_owned());
            }
        };
    }
    if hsts.asks_to_be_preloaded() && !hsts.can_be_preloaded() {
        return Err("browsers preload only what is for a year or more and for subdomains; write 1y,subdomains,preload".to_owned());
    }
    Ok(Some(hsts))
}
