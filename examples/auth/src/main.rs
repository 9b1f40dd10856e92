//! Who asks: a name and a password once, and a token in their place from then on.
//!
//! ```text
//! cargo run -p example-auth             # then:
//! curl -i 127.0.0.1:8080/me             # 401, which says how
//! curl -u alice:wonderland -X POST 127.0.0.1:8080/token
//! curl -H "Authorization: Bearer TOKEN" 127.0.0.1:8080/me
//! ```
//! Watch for three things. A password is verified by Argon2, which is slow on purpose, so it is done by other threads than those that serve; and guesses are limited. A token is verified
//! by its signature: nobody is asked, and nothing is looked up. And what a token is good for is said at a group of routes, not in each handler.

#[cfg(test)]
mod tests;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gannet::filters::{
    BasicAuth, Bearer, InvalidPasswordHash, Jwt, User, VerifyingKey, hash_password, limit,
};
use gannet::prelude::*;
use gannet::{Claims, Failure};
use jsonwebtoken::{EncodingKey, Header};
use serde::{Deserialize, Serialize};

const ISSUER: &str = "http://127.0.0.1:8080";
const AUDIENCE: &str = "birds";
/// How long a token is good: whoever finds one can use it so long.
const TOKEN_LASTS: Duration = Duration::from_secs(15 * 60);

/// What signs tokens.
struct Signer(EncodingKey);

/// What a token says (RFC 9068).
#[derive(Serialize, Deserialize)]
struct Account {
    iss: String,
    aud: String,
    sub: String,
    /// What it is good for, separated by blanks.
    scope: String,
    exp: u64,
}

/// A token, as RFC 6749, 5.1, has it.
#[derive(Serialize)]
struct Token {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
}

#[gannet::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    // The secret of a service is of its environment, and 32 random bytes at least; this one lasts as long as the program.
    let secret = match std::env::var("AUTH_SECRET") {
        Ok(secret) => secret.into_bytes(),
        Err(_) => random_secret()?.to_vec(),
    };
    app(&secret)?.listen("127.0.0.1:8080").environment().run().await?;
    Ok(())
}

fn random_secret() -> Result<[u8; 32], getrandom::Error> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    Ok(secret)
}

/// The service, whose tokens are signed with this secret.
fn app(secret: &[u8]) -> Result<App, Box<dyn std::error::Error>> {
    let jwt = Jwt::new(VerifyingKey::hs256(secret)?).issuer(ISSUER).audience(AUDIENCE);
    let (bearer, passwords) = (Bearer::jwt("birds", jwt), passwords()?);
    Ok(App::new()
        .group("/token", |group| group.post("/", issue).with(limit("10/m").burst(5)).with(passwords))
        .group("/birds", |group| {
            group
                .group("/nests", |group| group.get("/", "by the cliff\n").with(bearer.clone().scope("nests")))
                .get("/", "gannet, fulmar, skua\n")
                .with(bearer.clone())
        })
        .group("/me", |group| group.get("/", me).with(bearer))
        .state(Signer(EncodingKey::from_secret(secret))))
}

/// Whose passwords are right. A service has the hashes of them only, in its database: `BasicAuth::with_users`.
fn passwords() -> Result<BasicAuth, InvalidPasswordHash> {
    let passwords = BasicAuth::new("birds").user("alice", hash_password("wonderland")?)?;
    passwords.user("bob", hash_password("underground")?)
}

/// A token for who has said a password.
async fn issue(user: User, signer: State<Signer>) -> Result<impl IntoResponse, Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let account = Account {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: user.name().to_owned(),
        scope: if user.name() == "alice" { "nests".to_owned() } else { String::new() },
        exp: (now + TOKEN_LASTS).as_secs(),
    };
    let access_token = jsonwebtoken::encode(&Header::default(), &account, &signer.0)?;
    let token = Token { access_token, token_type: "Bearer", expires_in: TOKEN_LASTS.as_secs() };
    Ok(([("Cache-Control", "no-store")], Json(token)))
}

/// What the token says.
fn me(claims: Claims<Account>) -> Json<Account> {
    Json(claims.0)
}
