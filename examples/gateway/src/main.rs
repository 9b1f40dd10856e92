//! A gateway: a proxy and handlers in one application, behind filters.
//!
//! ```text
//! cargo run -p example-gateway -- 127.0.0.1:3000        # where the service is; then:
//! curl -i 127.0.0.1:8080/api/birds -H 'X-Api-Key: let-me-in'
//! ```
//! What is below `/api/` is passed on, for those who have a key, and at most a hundred times a second for each; the service behind is told whose key it was, and
//! which request it is. What is more specific is answered here.

use gannet::filters::{RequestIds, RequestLog, limit};
use gannet::prelude::*;
use gannet::{Balance, Failure, Proxy};

/// Keys, and whose they are. A real gateway keeps them elsewhere, and only digests of them.
const KEYS: &[(&str, &str)] = &[("let-me-in", "alice"), ("me-too", "bob")];

#[gannet::main]
async fn main() -> gannet::Result<()> {
    tracing_subscriber::fmt().init();
    let named: Vec<String> = std::env::args().skip(1).collect();
    let upstreams = if named.is_empty() { vec![":3000".to_owned()] } else { named };
    app(Proxy::to(upstreams).balance(Balance::LeastConnections), "100/s")
        .listen("127.0.0.1:8080")
        .environment()
        .run()
        .await
}

fn app(service: Proxy, rate: &str) -> App {
    let rate = limit(rate).by(|request| request.field_str("X-Client").map(Into::into));
    App::new()
        .get("/", "what is below /api/ is answered by the service behind\n")
        .group("/api", |api| {
            api.get("/health", "the gateway is well\n")
                .proxy("/*", service)
                .with(known_clients_only)
                .with(rate)
        })
        .with(RequestIds::new())
        .with(RequestLog::new())
}

/// Passes on what has a key, and says whose it is in the place of the key. Nobody else says so: what a client wrote there is gone.
async fn known_clients_only(mut request: Request, next: Next) -> Result<Response, Failure> {
    let key = request.field_str("X-Api-Key").unwrap_or_default();
    let Some((_, client)) = KEYS.iter().find(|(known, _)| *known == key) else {
        return Err(
            Rejection::new(Status::UNAUTHORIZED, "The field X-Api-Key has no key that is known.").into()
        );
    };
    request.remove_field("X-Api-Key")?;
    request.set_field("X-Client", client)?;
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use gannet::test::TestServer;

    use super::*;

    /// The service behind: it tells what it was asked.
    fn service() -> TestServer {
        TestServer::start(App::new().any("/api/*", |request: Request| {
            let client = request.field_str("X-Client").unwrap_or("nobody");
            let id = request.field_str("X-Request-Id").map_or("none", |_| "one");
            let key = request.field_str("X-Api-Key").unwrap_or("none");
            format!("{} for {client}, with {id} request id and {key} key", request.path())
        }))
    }

    /// What a client of the gateway gets: the status, and the body.
    fn get(gateway: &TestServer, target: &str, fields: &[(&str, &str)]) -> (u16, String) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = fields
            .iter()
            .fold(agent.get(gateway.url(target)), |request, (name, value)| request.header(*name, *value));
        let mut answer = request.call().expect("it is answered");
        let body = answer.body_mut().read_to_string().expect("it is text");
        (answer.status().as_u16(), body)
    }

    #[test]
    fn what_has_a_key_is_passed_on_with_the_name_of_its_owner() {
        let service = service();
        let gateway = TestServer::start(app(Proxy::to([service.address().to_string()]), "100/s"));
        let key = ("X-Api-Key", "let-me-in");
        let passed = (200, String::from("/api/birds for alice, with one request id and none key"));
        assert_eq!(get(&gateway, "/api/birds", &[key]), passed);
        assert_eq!(get(&gateway, "/api/birds", &[key, ("X-Client", "bob")]), passed);
        assert_eq!(get(&gateway, "/api/birds", &[("X-Api-Key", "guess")]).0, 401);
        assert_eq!(get(&gateway, "/api/birds", &[("X-Client", "alice")]).0, 401);
    }

    #[test]
    fn the_gateway_answers_what_is_more_specific_and_what_it_does_not_pass_on() {
        let service = service();
        let gateway = TestServer::start(app(Proxy::to([service.address().to_string()]), "100/s"));
        assert_eq!(get(&gateway, "/", &[]).0, 200);
        assert_eq!(
            get(&gateway, "/api/health", &[("X-Api-Key", "me-too")]),
            (200, String::from("the gateway is well\n"))
        );
        assert_eq!(get(&gateway, "/other", &[]).0, 404);
    }

    #[test]
    fn each_client_has_a_rate_of_its_own() {
        let service = service();
        let gateway = TestServer::start(app(Proxy::to([service.address().to_string()]), "2/h"));
        let ask = |key| get(&gateway, "/api/birds", &[("X-Api-Key", key)]).0;
        assert_eq!([ask("let-me-in"), ask("let-me-in"), ask("let-me-in")], [200, 200, 429]);
        assert_eq!(ask("me-too"), 200);
    }

    #[test]
    fn a_service_that_is_not_there_is_a_bad_gateway() {
        let gone = service().address();
        let gateway = TestServer::start(app(Proxy::to([gone.to_string()]), "100/s"));
        assert_eq!(get(&gateway, "/api/birds", &[("X-Api-Key", "let-me-in")]).0, 502);
    }
}
