//! What a certificate says of itself.

use std::fmt::Write;
use std::net::IpAddr;
use std::path::Path;

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use crate::TlsError;
use crate::pem::Kind;

/// Whom a certificate names, and when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Certificate {
    /// The subject, as text (RFC 4514).
    pub(crate) subject: String,
    /// Its alternative names that are host names or addresses, in lower case.
    pub(crate) names: Vec<String>,
    /// When it becomes valid, as Unix time.
    pub(crate) begins: i64,
    /// When it ends.
    pub(crate) ends: i64,
    /// Its public key's bits.
    pub(crate) public_key: Vec<u8>,
}

impl Certificate {
    /// Reads what is in DER.
    pub(crate) fn read(der: &[u8]) -> Result<Certificate, String> {
        let (_, certificate) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
        let validity = certificate.validity();
        Ok(Certificate {
            subject: subject(certificate.subject()),
            names: names(&certificate),
            begins: validity.not_before.timestamp(),
            ends: validity.not_after.timestamp(),
            public_key: certificate.public_key().subject_public_key.data.to_vec(),
        })
    }

    /// The same, of a certificate that is in a file; and it is valid now.
    pub(crate) fn read_valid(der: &[u8], file: &Path) -> Result<Certificate, TlsError> {
        let (file, wanted) = (file.to_owned(), Kind::Certificate);
        let certificate = match Certificate::read(der) {
            Ok(certificate) => certificate,
            Err(reason) => return Err(TlsError::Damaged { file, wanted, reason }),
        };
        let now = ASN1Time::now().timestamp();
        let subject = certificate.subject.clone();
        if certificate.ends < now {
            let (ended, now) = (date(certificate.ends), date(now));
            return Err(TlsError::Expired { file, subject, ended, now });
        }
        if certificate.begins > now {
            let (begins, now) = (date(certificate.begins), date(now));
            return Err(TlsError::NotYetValid { file, subject, begins, now });
        }
        Ok(certificate)
    }
}

/// Whether the one in DER is signed by the other's key.
pub(crate) fn is_signed_by(certificate: &[u8], authority: &[u8]) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return false };
    let Ok((_, authority)) = X509Certificate::from_der(authority) else { return false };
    certificate.verify_signature(Some(authority.public_key())).is_ok()
}

/// A moment of Unix time, in words.
pub(crate) fn date(seconds: i64) -> String {
    ASN1Time::from_timestamp(seconds)
        .ok()
        .and_then(|time| time.to_rfc2822().ok())
        .unwrap_or_else(|| format!("second {seconds} of Unix time"))
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let extension = certificate.subject_alternative_name().ok().flatten();
    let names = extension.iter().flat_map(|extension| &extension.value.general_names);
    names
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
            _ => None,
        })
        .collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

/// The last of its parts first, as they are written (RFC 4514, 2.1).
fn subject(name: &X509Name<'_>) -> String {
    let mut parts: Vec<String> =
        name.iter_rdn().map(|part| part.iter().map(attribute).collect::<Vec<_>>().join("+")).collect();
    parts.reverse();
    parts.join(",")
}

/// One attribute: its type's short name and its value (RFC 4514, 2.3 and 2.4).
fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    let oid = attribute.attr_type().to_id_string();
    match (short_name(&oid), attribute.as_str()) {
        (Some(name), Ok(value)) => format!("{name}={}", escaped(value)),
        // What has no short name, or is no text, is the value's encoding in hexadecimal digits.
        (name, _) => {
            let value = attribute.attr_value();
            let mut text = format!("{}=#", name.unwrap_or(&oid));
            for byte in encoded(value.header.tag().0, value.data) {
                let _ = write!(text, "{byte:02x}"); // writing to a string does not fail
            }
            text
        }
    }
}

/// In DER: tag, length, content.
fn encoded(tag: u32, content: &[u8]) -> Vec<u8> {
    let mut encoded = vec![u8::try_from(tag).unwrap_or(0)];
    match content.len() {
        short @ 0..128 => encoded.push(short as u8),
        long => {
            let length = long.to_be_bytes();
            let digits = &length[length.iter().take_while(|byte| **byte == 0).count()..];
            encoded.push(0x80 | digits.len() as u8);
            encoded.extend_from_slice(digits);
        }
    }
    encoded.extend_from_slice(content);
    encoded
}

/// The types that have short names (RFC 4514, 3).
fn short_name(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "2.5.4.3" => "CN",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        _ => return None,
    })
}

/// With a backslash before what means something (RFC 4514, 2.4). Control characters, which a log must not have, as hexadecimal digits.
fn escaped(value: &str) -> String {
    let last = value.chars().count().saturating_sub(1);
    let mut text = String::with_capacity(value.len());
    for (index, character) in value.chars().enumerate() {
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => text.extend(['\\', character]),
            ' ' if index == 0 || index == last => text.push_str("\\ "),
            '#' if index == 0 => text.push_str("\\#"),
            control if control.is_control() => {
                let mut room = [0; 4];
                for byte in control.encode_utf8(&mut room).bytes() {
                    let _ = write!(text, "\\{byte:02x}"); // as above
                }
            }
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

    use super::*;

    fn certificate(parts: &[(DnType, &str)], names: &[&str]) -> Certificate {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name = DistinguishedName::new();
        for (kind, value) in parts {
            params.distinguished_name.push(kind.clone(), *value);
        }
        let signed = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        Certificate::read(signed.der()).unwrap()
    }

    #[test]
    fn a_subject_is_written_as_rfc_4514_has_it() {
        let parts = [
            (DnType::CountryName, "DE"),
            (DnType::OrganizationName, "Smith, Jones + Co; \"x\""),
            (DnType::CommonName, " #alice\\ "),
        ];
        let read = certificate(&parts, &[]);
        assert_eq!(read.subject, r#"CN=\ #alice\\\ ,O=Smith\, Jones \+ Co\; \"x\",C=DE"#);
        assert_eq!(certificate(&[(DnType::CommonName, "#a\nb")], &[]).subject, r"CN=\#a\0ab");
    }

    #[test]
    fn a_type_without_a_short_name_is_told_by_its_number() {
        let serial = DnType::CustomDnType(vec![2, 5, 4, 5]);
        assert_eq!(certificate(&[(serial, "7")], &[]).subject, "2.5.4.5=#0c0137");
    }

    #[test]
    fn long_values_have_lengths_of_several_bytes() {
        assert_eq!(encoded(12, &[7; 130])[..4], [12, 0x81, 130, 7]);
        assert_eq!(encoded(12, &[7; 300])[..5], [12, 0x82, 1, 44, 7]);
    }

    #[test]
    fn host_names_and_addresses_are_its_names() {
        let read = certificate(&[], &["A.Example", "*.b.example", "127.0.0.1", "::1"]);
        assert_eq!(read.names, ["a.example", "*.b.example", "127.0.0.1", "::1"]);
    }

    #[test]
    fn what_is_no_certificate_is_said_to_be_none() {
        assert!(Certificate::read(b"\x30\x03\x02\x01\x01").is_err());
    }
}
