//! What a request says of the connection that it came by.

use std::net::IpAddr;
use std::ops::Deref;

use gannet_core::{
    ClientCertificate, FromRequest, OptionalFromRequest, Rejection, Request, Status, Tls as TlsOfConnection,
};

/// The client's address: who is at the other end of the connection, or for whom a proxy asks that is [trusted](crate::App::trust).
///
/// By a Unix socket there is none, unless a proxy says it: 500, or `None` as an `Option<ClientAddr>`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ClientAddr(pub IpAddr);

impl FromRequest for ClientAddr {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<ClientAddr, Rejection> {
        let missing = || Rejection::new(Status::INTERNAL_SERVER_ERROR, "nobody knows the client's address");
        request.client_address().map(ClientAddr).ok_or_else(missing)
    }
}

impl OptionalFromRequest for ClientAddr {
    fn is_there(request: &Request) -> bool {
        request.client_address().is_some()
    }
}

impl Deref for ClientAddr {
    type Target = IpAddr;

    fn deref(&self) -> &IpAddr {
        &self.0
    }
}

/// The TLS that the request came by: version, cipher, the name that was asked for, and who the client is if it showed a certificate.
///
/// In clear text there is none: 403, or `None` as an `Option<TlsInfo>`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsInfo(pub TlsOfConnection);

impl FromRequest for TlsInfo {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<TlsInfo, Rejection> {
        let missing = || Rejection::new(Status::FORBIDDEN, "this is answered over TLS only");
        request.tls().cloned().map(TlsInfo).ok_or_else(missing)
    }
}

impl OptionalFromRequest for TlsInfo {
    fn is_there(request: &Request) -> bool {
        request.is_secure()
    }
}

impl Deref for TlsInfo {
    type Target = TlsOfConnection;

    fn deref(&self) -> &TlsOfConnection {
        &self.0
    }
}

/// Who the client is: its certificate, which was verified when the connection was made (`Tls::client_ca` asks for it).
///
/// Of a client that showed none: 403, or `None` as an `Option<Identity>`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity(pub ClientCertificate);

impl FromRequest for Identity {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<Identity, Rejection> {
        let missing = || Rejection::new(Status::FORBIDDEN, "a client's certificate is needed here");
        request.client_certificate().cloned().map(Identity).ok_or_else(missing)
    }
}

impl OptionalFromRequest for Identity {
    fn is_there(request: &Request) -> bool {
        request.client_certificate().is_some()
    }
}

impl Deref for Identity {
    type Target = ClientCertificate;

    fn deref(&self) -> &ClientCertificate {
        &self.0
    }
}
