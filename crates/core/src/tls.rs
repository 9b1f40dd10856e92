//! What a request says of the TLS that it came by. Plain data: who did the TLS is unknown here.

/// The TLS of a connection, as its requests tell it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tls {
    /// The version: `TLSv1.3` or `TLSv1.2`.
    pub version: &'static str,
    /// The cipher suite, as IANA names it: `TLS_AES_256_GCM_SHA384`.
    pub cipher: &'static str,
    /// The host that the client asked for before it sent a request (SNI, RFC 6066, 3), in lower case.
    pub server_name: Option<Box<str>>,
    /// Whether an earlier session was resumed.
    pub resumed: bool,
    /// The client's certificate, verified, if it showed one.
    pub client_certificate: Option<ClientCertificate>,
    /// Whether a client without a certificate is refused where this one came in.
    pub requires_client_certificate: bool,
}

/// A client's certificate, which leads to a root that the server trusts for clients.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientCertificate {
    /// Its subject, as text (RFC 4514): `CN=alice,O=Example`.
    pub subject: String,
    /// Its alternative names that are host names or addresses.
    pub names: Vec<String>,
    /// The certificate itself, in DER.
    pub der: Vec<u8>,
}
