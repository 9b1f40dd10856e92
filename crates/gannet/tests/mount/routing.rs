//! Paths and methods.

use axum::Router;
use axum::extract::{MatchedPath, OriginalUri, Path, Request};
use axum::http::{StatusCode, Uri};
use axum::routing::{any, get, post};
use gannet::{App, mount};

use crate::{both, mounted};

fn users() -> Router {
    Router::new()
        .route("/", get(async || "all users"))
        .route("/{id}", get(async |Path(id): Path<String>| format!("user {id}")))
        .route("/{id}/files/{*rest}", get(async |Path(path): Path<(u32, String)>| format!("{path:?}")))
}

#[gannet::test]
async fn paths_reach_the_router_without_the_prefix_and_nested_routers_theirs() {
    let router = Router::new().route("/", get(async || "root")).nest("/users", users());
    for client in mounted(router) {
        let expected = [
            ("/api", "root"),
            ("/api/", "root"),
            ("/api/users", "all users"),
            ("/api/users/7", "user 7"),
            ("/api/users/a%2Fb%20c", "user a/b c"),
            ("/api/users/7/files/a/b", "(7, \"a/b\")"),
        ];
        for (target, text) in expected {
            client.get(target).send().await.assert_status(200).assert_text(text);
        }
        client.get("/api/nothing").send().await.assert_status(404);
        client.get("/apis").send().await.assert_status(404);
    }
}

#[gannet::test]
async fn fallbacks_answer_what_no_route_does() {
    let router = Router::new()
        .route("/", get(async || "root"))
        .nest("/inner", Router::new().fallback(async || (StatusCode::NOT_FOUND, "inner fallback")))
        .fallback(async |uri: Uri| (StatusCode::NOT_FOUND, format!("nothing at {uri}")));
    for client in mounted(router) {
        let outer = client.get("/api/x?y=1").send().await;
        assert!(outer.assert_status(404).text().ends_with("/x?y=1"), "{outer}");
        client.get("/api/inner/x").send().await.assert_status(404).assert_text("inner fallback");
    }
}

#[gannet::test]
async fn a_method_that_no_route_has_is_405_with_allow_and_head_is_get_without_a_body() {
    let router = Router::new().route("/", get(async || "hello").post(async || "posted"));
    for client in mounted(router) {
        let refused = client.delete("/api").send().await;
        refused.assert_status(405).assert_header("allow", "GET,HEAD,POST");
        let head = client.head("/api").send().await;
        head.assert_status(200).assert_text("").assert_header("content-length", "5");
        client.post("/api").send().await.assert_text("posted");
        client.request("BREW", "/api").send().await.assert_status(405);
    }
}

#[gannet::test]
async fn any_method_reaches_a_route_of_any() {
    let router = Router::new().route("/", any(async |request: Request| request.method().to_string()));
    for client in mounted(router) {
        for method in ["GET", "OPTIONS", "PATCH", "QUERY", "BREW"] {
            client.request(method, "/api").send().await.assert_status(200).assert_text(method);
        }
    }
}

#[gannet::test]
async fn the_query_stays_and_the_whole_uri_is_an_extension() {
    let told = async |request: Request| {
        let original = request.extensions().get::<mount::OriginalUri>().expect("an extension");
        format!("{} of {}", request.uri().path_and_query().expect("a path"), original.0.path())
    };
    for client in mounted(Router::new().route("/a", get(told))) {
        client.get("/api/a?x=1").send().await.assert_text("/a?x=1 of /api/a");
    }
    let own = async |OriginalUri(uri): OriginalUri| uri.path().to_owned();
    let tell = async |mut request: Request| {
        if let Some(mount::OriginalUri(uri)) = request.extensions().get().cloned() {
            request.extensions_mut().insert(OriginalUri(uri));
        }
        request
    };
    let router = Router::new().route("/a", get(own)).layer(axum::middleware::map_request(tell));
    for client in mounted(router) {
        client.get("/api/a").send().await.assert_text("/api/a");
    }
}

#[gannet::test]
async fn a_prefix_may_have_parameters_and_be_in_groups_and_be_the_root() {
    let router = Router::new().route("/x/{id}", get(async |path: MatchedPath| path.as_str().to_owned()));
    let app = App::new()
        .group("/v1", |group| group.mount("/tenants/:tenant", router.clone()))
        .mount("/", router)
        .get("/own", "gannet's own");
    for client in both(app) {
        client.get("/v1/tenants/7/x/1").send().await.assert_text("/x/{id}");
        client.get("/x/1").send().await.assert_text("/x/{id}");
        client.get("/own").send().await.assert_text("gannet's own");
    }
}

#[gannet::test]
async fn by_http_2_the_uri_has_scheme_and_host_as_with_hyper() {
    let router = Router::new().route("/a", post(async |uri: Uri| uri.to_string()));
    let [http1, http2] = mounted(router);
    http1.post("/api/a?b").send().await.assert_text("/a?b");
    http2.host("example.com").post("/api/a?b").send().await.assert_text("http://example.com/a?b");
}
