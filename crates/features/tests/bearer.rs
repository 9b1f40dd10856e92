//! Bearer tokens, as clients and handlers meet them.

#[expect(dead_code, reason = "shared with the tests of other filters, which use all of it")]
mod behind;

use std::time::Duration;

use behind::{Behind, field, text};
use gannet_core::{Request, Response};
use gannet_features::auth::User;
use gannet_features::auth::bearer::{Bearer, Jwt, TokenClaims, VerifyingKey};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::KeyPair;
use serde_json::{Value, json};

const SECRET: [u8; 32] = [7; 32];
/// The world's calendar, at its beginning.
const NOW: u64 = 2_000_001_000;

fn hs256() -> VerifyingKey {
    VerifyingKey::hs256(SECRET).expect("a long secret")
}

fn claims() -> Value {
    json!({"sub": "alice", "exp": NOW + 600, "role": "admin"})
}

fn with(mut claims: Value, name: &str, value: impl Into<Value>) -> Value {
    claims[name] = value.into();
    claims
}

fn signed_by(header: &Header, claims: &Value, key: &EncodingKey) -> String {
    encode(header, claims, key).expect("a key of this algorithm")
}

fn signed(claims: &Value) -> String {
    signed_by(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(&SECRET))
}

fn behind(bearer: Bearer) -> Behind {
    Behind::new(bearer, |request: Request| {
        let role = request.extension::<TokenClaims>().map_or(&Value::Null, |claims| &claims.value()["role"]);
        let user = request.extension::<User>().map_or("nobody", User::name);
        format!("{user} {role}")
    })
}

fn ask(behind: &Behind, token: &str) -> Response {
    behind.get(&[("Authorization", &format!("Bearer {token}"))])
}

/// What is wrong with a token, in words.
fn refused(jwt: &Jwt, token: &str) -> String {
    let response = ask(&behind(Bearer::jwt("api", jwt.clone())), token);
    assert_eq!(response.status().code(), 401, "{token}");
    let challenge = field(&response, "www-authenticate").expect("a challenge").to_owned();
    let rest = challenge.strip_prefix("Bearer realm=\"api\", error=\"invalid_token\", error_description=\"");
    rest.unwrap_or_else(|| panic!("{challenge}")).trim_end_matches('"').to_owned()
}

fn is_taken(jwt: &Jwt, token: &str) -> bool {
    ask(&behind(Bearer::jwt("api", jwt.clone())), token).status().code() == 200
}

#[test]
fn who_has_a_good_token_is_served_with_what_it_claims() {
    let behind = behind(Bearer::jwt("api", Jwt::new(hs256())));
    assert_eq!(text(ask(&behind, &signed(&claims()))), "alice \"admin\"");
    let response = behind.get(&[("Authorization", &format!("bEARER   {}", signed(&claims())))]);
    assert_eq!(text(response), "alice \"admin\"");
}

#[test]
fn who_has_none_is_told_of_no_error_rfc_6750_3_1() {
    let behind = behind(Bearer::jwt("the \"api\"", Jwt::new(hs256())));
    for fields in [&[][..], &[("Authorization", "Basic YTpi")], &[("Cookie", "token=a")]] {
        let response = behind.get(fields);
        assert_eq!(response.status().code(), 401);
        assert_eq!(field(&response, "www-authenticate"), Some("Bearer realm=\"the \\\"api\\\"\""));
    }
}

#[test]
fn what_is_no_token_or_two_is_a_bad_request() {
    let behind = behind(Bearer::jwt("api", Jwt::new(hs256())));
    let good = format!("Bearer {}", signed(&claims()));
    let long = format!("Bearer {}", "a".repeat(8 * 1024 + 1));
    for fields in [
        &[("Authorization", "Bearer ")][..],
        &[("Authorization", "Bearer a b")],
        &[("Authorization", "Bearer \"a\"")],
        &[("Authorization", &long)],
        &[("Authorization", &good), ("Authorization", &good)],
    ] {
        let response = behind.get(fields);
        let challenge = field(&response, "www-authenticate").unwrap_or_default();
        assert!(
            response.status().code() == 400 && challenge.contains("error=\"invalid_request\"")
                || fields[0].1 == "Bearer " && response.status().code() == 401,
            "{challenge}"
        );
    }
}

#[test]
fn a_token_is_good_from_when_it_says_until_when_it_says_give_or_take_a_minute() {
    let jwt = Jwt::new(hs256());
    let until = |exp: Value| signed(&with(claims(), "exp", exp));
    assert!(is_taken(&jwt, &until((NOW + 1).into())));
    assert!(is_taken(&jwt, &until((NOW - 59).into())));
    assert!(is_taken(&jwt, &until(json!(NOW as f64 - 59.5))));
    assert_eq!(refused(&jwt, &until((NOW - 60).into())), "it has expired");
    assert_eq!(refused(&jwt, &until("tomorrow".into())), "one of its times is no number");
    assert_eq!(refused(&jwt, &signed(&json!({"sub": "alice"}))), "it does not say when it ends (exp)");
    assert!(is_taken(&jwt.clone().allow_endless(), &signed(&json!({"sub": "alice"}))));
    let from = |nbf: u64| signed(&with(claims(), "nbf", nbf));
    assert!(is_taken(&jwt, &from(NOW + 60)));
    assert_eq!(refused(&jwt, &from(NOW + 61)), "it is not to be used yet");
    let strict = jwt.leeway(Duration::ZERO);
    assert!(is_taken(&strict, &until((NOW + 1).into())) && is_taken(&strict, &from(NOW)));
    assert_eq!(refused(&strict, &until(NOW.into())), "it has expired");
    assert_eq!(refused(&strict, &from(NOW + 1)), "it is not to be used yet");
}

#[test]
fn time_is_the_clock_s() {
    let behind = behind(Bearer::jwt("api", Jwt::new(hs256())));
    let token = signed(&claims());
    assert_eq!(ask(&behind, &token).status().code(), 200);
    behind.world.now.set(behind.world.now.get() + Duration::from_secs(660));
    assert_eq!(ask(&behind, &token).status().code(), 401);
}

#[test]
fn a_token_is_for_whom_it_says_and_from_whom_it_should_be_rfc_7519_4_1() {
    let jwt = Jwt::new(hs256()).audience("us").audience("api").issuer("them");
    let token = |aud: Value, iss: Value| signed(&with(with(claims(), "aud", aud), "iss", iss));
    assert!(is_taken(&jwt, &token("us".into(), "them".into())));
    assert!(is_taken(&jwt, &token(json!(["others", "api"]), "them".into())));
    for aud in [json!("others"), json!([]), json!(null), json!("")] {
        assert_eq!(refused(&jwt, &token(aud, "them".into())), "it is for somebody else (aud)");
    }
    assert_eq!(refused(&jwt, &token(json!(["us", 1]), "them".into())), "whom it is for (aud) cannot be read");
    for iss in [json!("others"), json!(null), json!(["them"])] {
        assert_eq!(refused(&jwt, &token("us".into(), iss)), "it is from somebody else (iss)");
    }
    // Who says for whom it is speaks of somebody, and that is not us unless we say so.
    assert_eq!(
        refused(&Jwt::new(hs256()), &token("us".into(), "them".into())),
        "it is for somebody else (aud)"
    );
}

#[test]
fn each_algorithm_is_taken_by_its_own_key_and_by_no_other() {
    let pair = |algorithm| KeyPair::generate_for(algorithm).expect("random bytes");
    let (rsa, p256, ed25519) =
        (pair(&rcgen::PKCS_RSA_SHA256), pair(&rcgen::PKCS_ECDSA_P256_SHA256), pair(&rcgen::PKCS_ED25519));
    let secret = |pair: &KeyPair| pair.serialize_pem().into_bytes();
    let keys = [
        (Algorithm::HS256, hs256(), EncodingKey::from_secret(&SECRET)),
        (
            Algorithm::RS256,
            VerifyingKey::rs256(rsa.public_key_pem()).expect("a key"),
            EncodingKey::from_rsa_pem(&secret(&rsa)).expect("a key"),
        ),
        (
            Algorithm::ES256,
            VerifyingKey::es256(p256.public_key_pem()).expect("a key"),
            EncodingKey::from_ec_pem(&secret(&p256)).expect("a key"),
        ),
        (
            Algorithm::EdDSA,
            VerifyingKey::eddsa(ed25519.public_key_pem()).expect("a key"),
            EncodingKey::from_ed_pem(&secret(&ed25519)).expect("a key"),
        ),
    ];
    for (algorithm, verifying, _) in &keys {
        for (other, _, signing) in &keys {
            let token = signed_by(&Header::new(*other), &claims(), signing);
            let is_good = is_taken(&Jwt::new(verifying.clone()), &token);
            assert_eq!(is_good, algorithm == other, "{algorithm:?} {other:?}");
        }
    }
    // Of the public key as a secret (RFC 8725, 2.1): it is known to all.
    let confused = EncodingKey::from_secret(rsa.public_key_pem().as_bytes());
    let token = signed_by(&Header::new(Algorithm::HS256), &claims(), &confused);
    assert!(!is_taken(&Jwt::new(keys[1].1.clone()), &token));
}

#[test]
fn what_is_not_signed_or_was_changed_is_not_believed() {
    let jwt = Jwt::new(hs256());
    let good = signed(&claims());
    let [header, payload, signature]: [&str; 3] =
        good.split('.').collect::<Vec<_>>().try_into().expect("three parts");
    let part = |value: &Value| base64url(value.to_string().as_bytes());
    let none = part(&json!({"alg": "none", "typ": "JWT"}));
    for token in [
        format!("{none}.{payload}."),
        format!("{none}.{payload}.{signature}"),
        format!("{header}.{payload}."),
        format!("{header}.{}.{signature}", part(&with(claims(), "sub", "root"))),
        format!("{header}.{payload}"),
        format!("{header}.{payload}.{signature}.{signature}"),
        format!("{header}..{signature}"),
        "a.b.c".to_owned(),
        "....".to_owned(),
    ] {
        assert!(!is_taken(&jwt, &token), "{token}");
    }
    let others = signed_by(&Header::new(Algorithm::HS256), &claims(), &EncodingKey::from_secret(&[8; 32]));
    assert_eq!(refused(&jwt, &others), "its signature is not right");
    let critical = Header { crit: Some(vec!["exp".to_owned()]), ..Header::new(Algorithm::HS256) };
    let critical = signed_by(&critical, &claims(), &EncodingKey::from_secret(&SECRET));
    assert_eq!(refused(&jwt, &critical), "it has extensions that have to be understood, and are not");
}

fn base64url(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

#[test]
fn a_key_with_an_id_is_for_tokens_that_name_it() {
    let other = VerifyingKey::hs256([8; 32]).expect("a long secret");
    let jwt = Jwt::new(hs256().with_id("old")).or_key(other.with_id("new"));
    let token = |id: Option<&str>, secret: [u8; 32]| {
        let header = Header { kid: id.map(str::to_owned), ..Header::new(Algorithm::HS256) };
        signed_by(&header, &claims(), &EncodingKey::from_secret(&secret))
    };
    assert!(is_taken(&jwt, &token(Some("old"), SECRET)) && is_taken(&jwt, &token(Some("new"), [8; 32])));
    assert_eq!(refused(&jwt, &token(Some("new"), SECRET)), "its signature is not right");
    for id in [None, Some("other")] {
        assert_eq!(refused(&jwt, &token(id, SECRET)), "it is signed by no key that is known here");
    }
}

#[test]
fn tokens_that_were_made_for_something_else_are_not_believed_rfc_8725_3_11() {
    let jwt = Jwt::new(hs256()).token_type("at+jwt");
    let token = |typ: Option<&str>| {
        let header = Header { typ: typ.map(str::to_owned), ..Header::new(Algorithm::HS256) };
        signed_by(&header, &claims(), &EncodingKey::from_secret(&SECRET))
    };
    assert!(is_taken(&jwt, &token(Some("at+jwt"))) && is_taken(&jwt, &token(Some("Application/AT+JWT"))));
    for typ in [None, Some("JWT"), Some("application/"), Some("é")] {
        assert_eq!(refused(&jwt, &token(typ)), "it was made for something else");
    }
}

#[test]
fn a_token_for_less_than_is_asked_for_is_403_with_what_is_missing() {
    let behind = behind(Bearer::jwt("api", Jwt::new(hs256())).scope("orders:read").scope("orders:write"));
    let status = |scope: Value| ask(&behind, &signed(&with(claims(), "scope", scope)));
    assert_eq!(status("orders:write profile orders:read".into()).status().code(), 200);
    for scope in [json!("orders:read"), json!(""), json!(null), json!("orders:reader orders:write")] {
        let response = status(scope);
        assert_eq!(response.status().code(), 403);
        let challenge = field(&response, "www-authenticate").expect("a challenge");
        assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
        assert!(challenge.ends_with("scope=\"orders:read orders:write\""), "{challenge}");
    }
}

#[test]
fn tokens_that_somebody_else_knows_are_asked_for() {
    let find = async |token: String| (token == "s3cret").then(|| User::new("alice"));
    let behind = behind(Bearer::opaque("api", find));
    assert_eq!(text(ask(&behind, "s3cret")), "alice null");
    let response = ask(&behind, "secret");
    assert_eq!(response.status().code(), 401);
    let challenge = field(&response, "www-authenticate").expect("a challenge");
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    assert_eq!(behind.get(&[]).status().code(), 401);
}

#[test]
fn a_key_that_is_none_is_told_with_the_way_out() {
    let pem = KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("random bytes").public_key_pem();
    for (error, word) in [
        (VerifyingKey::hs256([7; 31]).err(), "31 bytes"),
        (VerifyingKey::rs256("no PEM").err(), "RSA as PEM"),
        (VerifyingKey::rs256(&pem).err(), "RSA as PEM"),
        (VerifyingKey::es256(&pem).err(), "P-256 as PEM"),
        (VerifyingKey::eddsa("").err(), "Ed25519 as PEM"),
    ] {
        let error = error.expect("no key").to_string();
        assert!(error.contains(word), "{error}");
    }
    let written = format!("{:?}", Bearer::jwt("api", Jwt::new(hs256())));
    assert!(!written.contains("7, 7") && written.contains("HS256"), "{written}");
}
