//! JSON Web Tokens (RFC 7519), verified as RFC 8725 has it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::time::Duration;

use jsonwebtoken::{Validation, decode, decode_header};
use serde_json::Value;

use super::fault::Fault;
use super::key::VerifyingKey;

/// How far clocks may be apart, unless [`Jwt::leeway`] says otherwise.
const LEEWAY: Duration = Duration::from_secs(60);

/// Tokens that are believed: by which keys they are signed, by whom, for whom, for how long.
///
/// A token must be signed by one of the keys, each of which is for one algorithm: `none`, or another that a token names, is not believed (RFC 8725,
/// 3.1). It must say until when it is good (`exp`), and not be used before it is (`nbf`), give or take 60 seconds. It must be [for](Jwt::audience) us, if it is for anybody in particular
/// (`aud`), and be from [whom](Jwt::issuer) it should be (`iss`). Extensions that must be understood (`crit`) are not.
#[derive(Clone, Debug)]
pub struct Jwt {
    keys: Vec<VerifyingKey>,
    audiences: Vec<String>,
    issuers: Vec<String>,
    token_type: Option<String>,
    leeway: Duration,
    may_be_endless: bool,
}

impl Jwt {
    /// Signed by this key.
    pub fn new(key: VerifyingKey) -> Jwt {
        Jwt {
            keys: vec![key],
            audiences: Vec::new(),
            issuers: Vec::new(),
            token_type: None,
            leeway: LEEWAY,
            may_be_endless: false,
        }
    }

    /// Or by this one: while keys change, or of another issuer. Best each has an [id](VerifyingKey::with_id).
    #[must_use]
    pub fn or_key(mut self, key: VerifyingKey) -> Jwt {
        self.keys.push(key);
        self
    }

    /// For us, by this name, or by one of several (`aud`): it must be said. By default a token for anybody in particular is not believed (RFC 7519, 4.1.3).
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Jwt {
        self.audiences.push(audience.into());
        self
    }

    /// From this issuer, or one of several (`iss`): it must be said. By default from anybody who has a key.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Jwt {
        self.issuers.push(issuer.into());
        self
    }

    /// Of this type (`typ`), as `at+jwt` of RFC 9068: tokens that were made for something else are not believed (RFC 8725, 3.11). By default of any.
    #[must_use]
    pub fn token_type(mut self, token_type: impl Into<String>) -> Jwt {
        self.token_type = Some(token_type.into());
        self
    }

    /// How far the clocks of who made a token and of this machine may be apart. By default 60 seconds.
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Jwt {
        self.leeway = leeway;
        self
    }

    /// Also without an end (`exp`): who has such a token has it for ever. By default not.
    #[must_use]
    pub fn allow_endless(mut self) -> Jwt {
        self.may_be_endless = true;
        self
    }

    /// What a token claims, if it is to be believed at this time.
    pub(super) fn verify(&self, token: &str, unix_seconds: u64) -> Result<Value, Fault> {
        let claims = self.signed(token)?;
        self.check_times(&claims, unix_seconds)?;
        self.check_names(&claims)?;
        Ok(claims)
    }

    /// What a token claims, if it is signed as it has to be.
    fn signed(&self, token: &str) -> Result<Value, Fault> {
        let header = decode_header(token).map_err(|_| refused("it is no token that can be read here"))?;
        if header.crit.is_some() {
            return Err(refused("it has extensions that have to be understood, and are not"));
        }
        if let Some(wanted) = &self.token_type {
            let is_wanted = |other: &str| {
                let other = other
                    .get(..12)
                    .filter(|kind| kind.eq_ignore_ascii_case("application/"))
                    .map_or(other, |_| &other[12..]);
                other.eq_ignore_ascii_case(wanted)
            };
            if !header.typ.as_deref().is_some_and(is_wanted) {
                return Err(refused("it was made for something else"));
            }
        }
        let fits = |key: &&VerifyingKey| {
            key.algorithm == header.alg && key.id.as_ref().is_none_or(|id| Some(id) == header.kid.as_ref())
        };
        let mut keys = self.keys.iter().filter(fits).peekable();
        if keys.peek().is_none() {
            return Err(refused("it is signed by no key that is known here"));
        }
        let decoded = keys.find_map(|key| decode::<Value>(token, &key.key, &signature_only(key)).ok());
        match decoded {
            Some(data) if data.claims.is_object() => Ok(data.claims),
            _ => Err(refused("its signature is not right")),
        }
    }

    fn check_times(&self, claims: &Value, now: u64) -> Result<(), Fault> {
        let (now, leeway) = (now as f64, self.leeway.as_secs_f64());
        match moment(claims, "exp")? {
            Some(end) if now >= end + leeway => return Err(refused("it has expired")),
            Some(_) => {}
            None if self.may_be_endless => {}
            None => return Err(refused("it does not say when it ends (exp)")),
        }
        match moment(claims, "nbf")? {
            Some(begin) if now + leeway < begin => Err(refused("it is not to be used yet")),
            _ => Ok(()),
        }
    }

    fn check_names(&self, claims: &Value) -> Result<(), Fault> {
        let audience: HashSet<&str> = match &claims["aud"] {
            Value::Null => HashSet::new(),
            Value::String(name) => HashSet::from([name.as_str()]),
            Value::Array(names) if names.iter().all(Value::is_string) => {
                names.iter().filter_map(Value::as_str).collect()
            }
            _ => return Err(refused("whom it is for (aud) cannot be read")),
        };
        let is_for_anybody = audience.is_empty() && self.audiences.is_empty();
        if !is_for_anybody && !self.audiences.iter().any(|name| audience.contains(name.as_str())) {
            return Err(refused("it is for somebody else (aud)"));
        }
        let issuer = claims["iss"].as_str();
        if !self.issuers.is_empty() && !self.issuers.iter().any(|name| Some(name.as_str()) == issuer) {
            return Err(refused("it is from somebody else (iss)"));
        }
        Ok(())
    }
}

fn refused(detail: &'static str) -> Fault {
    Fault::Token(Cow::Borrowed(detail))
}

/// Looks at nothing but the signature: time is told by our clock, and everything else is checked with it.
fn signature_only(key: &VerifyingKey) -> Validation {
    let mut validation = Validation::new(key.algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

/// A NumericDate (RFC 7519, 2), if it is there.
fn moment(claims: &Value, name: &str) -> Result<Option<f64>, Fault> {
    match &claims[name] {
        Value::Null => Ok(None),
        Value::Number(number) => Ok(number.as_f64()),
        _ => Err(refused("one of its times is no number")),
    }
}
