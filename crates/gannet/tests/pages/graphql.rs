//! GraphQL over HTTP, section by section of its specification.

use async_graphql::{Context, EmptySubscription, Error, Object, Schema};
use gannet::graphql::{BATCH, COMPLEXITY, DEPTH, DIRECTIVES, GraphQl, LimitedSchema, async_graphql};
use gannet::prelude::*;
use gannet::test::{Answer, Client};
use serde_json::{Value, json};

struct Query;

#[Object]
impl Query {
    async fn hello(&self, name: Option<String>) -> String {
        format!("Hello, {}!", name.as_deref().unwrap_or("World"))
    }

    /// Fails, and may be missing.
    async fn missing(&self) -> Option<Result<i32, Error>> {
        Some(Err(Error::new("it went wrong")))
    }

    /// Fails, and may not be missing.
    async fn required(&self) -> Result<i32, Error> {
        Err(Error::new("it went wrong"))
    }

    /// Who asks.
    async fn me(&self, context: &Context<'_>) -> Option<String> {
        context.data_opt::<User>().map(|user| user.0.clone())
    }

    /// The same again.
    async fn again(&self) -> Query {
        Query
    }

    async fn cached(&self, context: &Context<'_>) -> i32 {
        context.insert_http_header("X-Resolver", "was here");
        7
    }
}

struct Mutation;

#[Object]
impl Mutation {
    async fn add(&self, one: i32, other: i32) -> i32 {
        one + other
    }
}

struct User(String);

fn schema() -> Schema<Query, Mutation, EmptySubscription> {
    Schema::build(Query, Mutation, EmptySubscription).recommended_limits().finish()
}

fn client() -> Client {
    App::new().graphql("/graphql", schema()).test()
}

const GRAPHQL: &str = "application/graphql-response+json";
const JSON: &str = "application/json";
const BOTH: [&str; 2] = [GRAPHQL, JSON];

async fn post(client: &Client, accept: &str, body: &Value) -> Answer {
    client.post("/graphql").header("Accept", accept).json(body).send().await
}

#[gannet::test]
async fn a_query_is_answered_in_the_form_that_is_accepted() {
    let client = client();
    let body = json!({ "query": "query Q($name: String) { hello(name: $name) }", "operationName": "Q", "variables": { "name": "Ann" } });
    for accept in BOTH {
        let answer = post(&client, accept, &body).await;
        answer
            .assert_status(200)
            .assert_header("Content-Type", &format!("{accept}; charset=utf-8"))
            .assert_header("Vary", "Accept");
        answer.assert_json(&json!({ "data": { "hello": "Hello, Ann!" } }));
    }
    for accept in
        ["*/*", "application/*", "application/json;q=0.5, application/graphql-response+json; charset=utf-8"]
    {
        post(&client, accept, &body)
            .await
            .assert_header("Content-Type", &format!("{GRAPHQL}; charset=utf-8"));
    }
    let bare = client.post("/graphql").json(&body).send().await;
    bare.assert_status(200).assert_header("Content-Type", &format!("{GRAPHQL}; charset=utf-8"));
}

#[gannet::test]
async fn who_accepts_neither_form_is_told_so() {
    let answer = post(&client(), "text/csv", &json!({ "query": "{ hello }" })).await;
    answer.assert_status(406).assert_text_contains("application/graphql-response+json and application/json");
}

#[gannet::test]
async fn a_query_may_be_in_the_address() {
    let client = client();
    let get = |query: [(&'static str, &'static str); 4]| client.get("/graphql").query(query).send();
    let answer = get([
        ("query", "query A($name: String) { hello(name: $name) } query B { again { hello } }"),
        ("operationName", "A"),
        ("variables", "{\"name\":\"Ann\"}"),
        ("extensions", "{\"a\":[1]}"),
    ])
    .await;
    answer.assert_status(200).assert_json(&json!({ "data": { "hello": "Hello, Ann!" } }));
    let answer =
        get([("query", "{ hello }"), ("operationName", ""), ("variables", "{}"), ("extensions", "{}")]).await;
    answer.assert_status(200).assert_json(&json!({ "data": { "hello": "Hello, World!" } }));
    let answer =
        get([("query", "{ hello }"), ("operationName", ""), ("variables", "[1]"), ("extensions", "{}")])
            .await;
    answer.assert_status(400).assert_text_contains("variables");
    client.get("/graphql").send().await.assert_status(400).assert_text_contains("query");
}

#[gannet::test]
async fn a_mutation_is_asked_for_by_post_only() {
    let client = client();
    let mutation = "mutation M { add(one: 1, other: 2) } query Q { hello }";
    let by_get = |name: &'static str| {
        client.get("/graphql").query([("query", mutation), ("operationName", name)]).send()
    };
    by_get("M").await.assert_status(405).assert_header("Allow", "POST").assert_text_contains("by POST");
    by_get("Q").await.assert_status(200);
    // Which one is meant is open: nothing is executed.
    by_get("").await.assert_status(400).assert_text_contains("errors");
    let answer = post(&client, GRAPHQL, &json!({ "query": mutation, "operationName": "M" })).await;
    answer.assert_status(200).assert_json(&json!({ "data": { "add": 3 } }));
}

#[gannet::test]
async fn what_cannot_be_executed_is_400_or_in_json_200_and_has_no_data() {
    let client = client();
    let cases = [
        json!({ "query": "{" }),
        json!({ "query": "{ nothing }" }),
        json!({ "query": "{ hello }", "operationName": "Q" }),
        json!({ "query": "" }),
    ];
    for body in cases {
        for (accept, status) in [(GRAPHQL, 400), (JSON, 200)] {
            let answer = post(&client, accept, &body).await;
            answer.assert_status(status);
            let told: Value = answer.json();
            assert!(told["errors"][0]["message"].is_string() && told.get("data").is_none(), "{body}: {told}");
        }
    }
}

#[gannet::test]
async fn what_fails_while_it_is_executed_is_part_of_a_result() {
    let client = client();
    for accept in BOTH {
        // async-graphql looks for a variable when a field takes it.
        let without =
            post(&client, accept, &json!({ "query": "query($name: String!) { hello(name: $name) }" })).await;
        without.assert_status(200).assert_text_contains("Variable name is not defined");
        let answer = post(&client, accept, &json!({ "query": "{ hello missing }" })).await;
        let told: Value = answer.assert_status(200).json();
        assert_eq!(
            (&told["data"]["hello"], &told["data"]["missing"]),
            (&json!("Hello, World!"), &Value::Null)
        );
        assert_eq!(told["errors"][0]["path"], json!(["missing"]));
        let answer = post(&client, accept, &json!({ "query": "{ required }" })).await;
        let told: Value = answer.assert_status(200).json();
        assert_eq!(
            (told.get("data"), &told["errors"][0]["message"]),
            (Some(&Value::Null), &json!("it went wrong"))
        );
    }
}

#[gannet::test]
async fn what_is_no_request_of_graphql_is_told_where_it_is_wrong() {
    let client = client();
    let cases = [
        ("nonsense", "line 1, column 2"),
        ("", "empty"),
        ("{\"query\":", "line 1"),
        ("{\"qeury\":\"{ hello }\"}", "/query: is missing"),
        ("{\"query\":7}", "/query: expected a string, found 7"),
        ("{\"query\":\"{ hello }\",\"variables\":[7]}", "/variables: expected an object, found an array"),
        ("{\"query\":\"{ hello }\",\"operationName\":7}", "/operationName"),
        ("[{\"query\":\"{ hello }\"},{}]", "/1/query"),
        ("7", "expected an object, found 7"),
    ];
    for (body, part) in cases {
        for accept in BOTH {
            let request =
                client.post("/graphql").header("Content-Type", "application/json").header("Accept", accept);
            let answer = request.body(body).send().await;
            let told: Value = answer
                .assert_status(400)
                .assert_header("Content-Type", &format!("{accept}; charset=utf-8"))
                .json();
            let message = told["errors"][0]["message"].as_str().unwrap_or_default();
            assert!(message.contains(part), "{body}: {message}");
        }
    }
}

#[gannet::test]
async fn a_body_of_another_type_or_without_one_is_refused() {
    let client = client();
    let body = "{\"query\":\"{ hello }\"}";
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=a",
        "application/graphql",
    ] {
        let answer = client.post("/graphql").header("Content-Type", media_type).body(body).send().await;
        answer.assert_status(415).assert_text_contains("application/json");
    }
    client.post("/graphql").body(body).send().await.assert_status(415);
    let charset = client
        .post("/graphql")
        .header("Content-Type", "application/json; charset=utf-8")
        .body(body)
        .send()
        .await;
    charset.assert_status(200);
}

#[gannet::test]
async fn a_body_that_is_too_large_or_too_deep_is_refused() {
    let client = client();
    let request = || client.post("/graphql").header("Content-Type", "application/json");
    let large = format!("{{\"query\":\"{}\"}}", " ".repeat(3 * 1024 * 1024));
    request().body(large).send().await.assert_status(413).assert_text_contains("errors");
    let deep = format!(
        "{{\"query\":\"{{ hello }}\",\"variables\":{{\"a\":{}{}}}}}",
        "[".repeat(200),
        "]".repeat(200)
    );
    request().body(deep).send().await.assert_status(400).assert_text_contains("nested deeper");
}

#[gannet::test]
async fn a_batch_is_answered_in_its_order_and_bounded() {
    let client = client();
    let batch = |count: usize| Value::from(vec![json!({ "query": "{ hello }" }); count]);
    let answer = post(
        &client,
        GRAPHQL,
        &json!([{ "query": "{ hello }" }, { "query": "{" }, { "query": "{ required }" }]),
    )
    .await;
    let told: Value = answer.assert_status(200).json();
    assert_eq!(told[0], json!({ "data": { "hello": "Hello, World!" } }));
    assert!(told[1].get("data").is_none() && told[2].get("data").is_some(), "{told}");
    post(&client, GRAPHQL, &batch(BATCH)).await.assert_status(200);
    post(&client, GRAPHQL, &batch(BATCH + 1))
        .await
        .assert_status(400)
        .assert_text_contains("17 requests, and 16 are taken");
    post(&client, GRAPHQL, &json!([])).await.assert_status(400).assert_text_contains("empty");
    let alone = App::new().graphql("/graphql", GraphQl::new(schema()).batch(0)).test();
    post(&alone, GRAPHQL, &batch(1)).await.assert_status(400);
}

#[gannet::test]
async fn resolvers_find_what_is_made_of_the_request_and_may_add_fields() {
    let user = |request: &Request| User(request.field_str("X-User").unwrap_or("nobody").to_owned());
    let client = App::new().graphql("/graphql", GraphQl::new(schema()).data(user)).test();
    let body = json!({ "query": "{ me cached }" });
    let answer = client.post("/graphql").header("X-User", "Ann").json(&body).send().await;
    answer
        .assert_header("X-Resolver", "was here")
        .assert_json(&json!({ "data": { "me": "Ann", "cached": 7 } }));
    let batch = client
        .post("/graphql")
        .header("X-User", "Bob")
        .json(&json!([{ "query": "{ me }" }, { "query": "{ me }" }]))
        .send()
        .await;
    batch.assert_json(&json!([{ "data": { "me": "Bob" } }, { "data": { "me": "Bob" } }]));
}

/// `{ again { again { ... hello } } }`, so many fields deep.
fn nested(depth: usize) -> Value {
    json!({ "query": format!("{{ {}hello{} }}", "again { ".repeat(depth - 1), " }".repeat(depth - 1)) })
}

/// So many fields.
fn wide(count: usize) -> Value {
    let fields: String = (0..count).map(|number| format!("f{number}: hello ")).collect();
    json!({ "query": format!("{{ {fields} }}") })
}

#[gannet::test]
async fn with_the_recommended_limits_a_query_is_neither_too_deep_nor_too_complex_nor_has_too_many_directives()
{
    let client = client();
    post(&client, GRAPHQL, &nested(DEPTH)).await.assert_status(200);
    post(&client, GRAPHQL, &nested(DEPTH + 1))
        .await
        .assert_status(400)
        .assert_text_contains("nested too deep");
    post(&client, GRAPHQL, &wide(COMPLEXITY)).await.assert_status(200);
    post(&client, GRAPHQL, &wide(COMPLEXITY + 1))
        .await
        .assert_status(400)
        .assert_text_contains("too complex");
    let directed =
        |count: usize| json!({ "query": format!("{{ hello {} }}", "@include(if: true) ".repeat(count)) });
    post(&client, GRAPHQL, &directed(DIRECTIVES + 1))
        .await
        .assert_status(400)
        .assert_text_contains("directives");
    post(
        &client,
        GRAPHQL,
        &json!({ "query": format!("{}{}", "{ again ".repeat(10_000), "}".repeat(10_000)) }),
    )
    .await
    .assert_status(400);
}

#[gannet::test]
async fn a_browser_gets_graphiql_and_nothing_in_it_leads_elsewhere() {
    let client = client();
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let page = client.get("/graphql").header("Accept", browser).send().await;
    page.assert_status(200).assert_header("Content-Type", "text/html; charset=utf-8");
    let policy = page.header("Content-Security-Policy").unwrap_or_default();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    assert!(!page.text().contains("://"), "{}", page.text());
    let names = page.text().split(['"', '>']).filter_map(|part| part.strip_prefix("graphql/graphiql/"));
    let mut files = 0;
    for name in names {
        let file = client.get(&format!("/graphql/graphiql/{name}")).send().await;
        file.assert_status(200);
        let tag = file.header("ETag").unwrap_or_default().to_owned();
        let again =
            client.get(&format!("/graphql/graphiql/{name}")).header("If-None-Match", &tag).send().await;
        again.assert_status(304).assert_text("");
        files += 1;
    }
    assert_eq!(files, 6);
    // A query in the address is answered, whoever asks.
    let queried =
        client.get("/graphql?query={hello}").header("Accept", format!("{browser}, {JSON}")).send().await;
    queried.assert_status(200).assert_text_contains("Hello");
}

#[gannet::test]
async fn graphiql_is_left_out_where_it_is_not_wanted() {
    let client = App::new().graphql("/graphql", GraphQl::new(schema()).graphiql(false)).test();
    let page = client.get("/graphql").header("Accept", "text/html, application/json;q=0.1").send().await;
    page.assert_status(400).assert_header("Content-Type", "application/json; charset=utf-8");
    client.get("/graphql/graphiql/page.js").send().await.assert_status(404);
}
