//! The blog, asked as a browser asks it.

use gannet::Key;
use gannet::test::{Answer, Client};

use super::{app, database};

const PASSWORD: &str = "plunge and surface";

/// A visitor of a blog in which nobody has written. Its database and its hashes have threads of their own, so time is real.
async fn visitor() -> Client {
    app(database::open(None).await.expect("a database in memory"), Key::generate()).test()
}

/// Lets a visitor join.
async fn join(client: &Client, name: &str) {
    let answer = client.post("/join").form([("name", name), ("password", PASSWORD)]).send().await;
    answer.assert_status(303).assert_header("Location", "/");
}

/// Writes a post.
async fn write(client: &Client, title: &str, text: &str) -> Answer {
    client.post("/posts").form([("title", title), ("text", text)]).send().await
}

#[gannet::test(real_time)]
async fn who_joins_may_write_and_everybody_may_read_and_comment() {
    let author = visitor().await;
    author.get("/").send().await.assert_status(200).assert_text_contains("Nobody has written anything yet.");
    join(&author, "Gannet").await;
    author.get("/").send().await.assert_text_contains("Welcome.").assert_text_contains("Log out");
    write(&author, "Diving", "Fold the wings.\r\n\r\nFall.")
        .await
        .assert_status(303)
        .assert_header("Location", "/posts/1");

    let reader = author.stranger();
    reader.get("/").send().await.assert_text_contains("<a href=\"/posts/1\">Diving</a>");
    let post = reader.get("/posts/1").send().await;
    post.assert_text_contains("<p>Fold the wings.</p>")
        .assert_text_contains("<p>Fall.</p>")
        .assert_text_contains("Gannet, <time");
    assert!(!post.text().contains("Delete"), "a reader is no author:\n{post}");
    let comment =
        reader.post("/posts/1/comments").form([("name", "Cod"), ("text", "Please don't.")]).send().await;
    comment.assert_status(303).assert_header("Location", "/posts/1#comment-1");
    let post = reader.get("/posts/1").send().await;
    post.assert_text_contains("1 comment<")
        .assert_text_contains("Please don&#39;t.")
        .assert_text_contains("Thank you");
}

#[gannet::test(real_time)]
async fn what_is_told_once_is_not_told_again() {
    let client = visitor().await;
    join(&client, "Gannet").await;
    client.get("/").send().await.assert_text_contains("Welcome.");
    assert!(!client.get("/").send().await.text().contains("Welcome."));
}

#[gannet::test(real_time)]
async fn a_form_that_is_wrong_comes_back_as_it_was_filled_in() {
    let client = visitor().await;
    join(&client, "Gannet").await;
    let answer = write(&client, "  ", "A text that took an hour").await;
    answer
        .assert_status(422)
        .assert_text_contains("Title is missing.")
        .assert_text_contains("A text that took an hour");
    let taken =
        client.stranger().post("/join").form([("name", "gannet"), ("password", PASSWORD)]).send().await;
    taken.assert_status(422).assert_text_contains("Name is taken.");
    assert!(!taken.text().contains(PASSWORD), "a password is not shown again:\n{taken}");
    client.post("/posts").text("no form").send().await.assert_status(415).assert_text_contains("<h1>");
    client.post("/posts").form([("title", "%".repeat(3_000_000))]).send().await.assert_status(413);
}

#[gannet::test(real_time)]
async fn what_visitors_write_is_text_wherever_it_stands() {
    let client = visitor().await;
    let attacks = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "{{ user.name }}",
        "' onmouseover='alert(1)",
    ];
    for (number, attack) in attacks.into_iter().enumerate() {
        let author = client.stranger();
        join(&author, attack).await;
        write(&author, attack, attack).await.assert_status(303);
        let post = format!("/posts/{}", number + 1);
        author
            .post(&format!("{post}/comments"))
            .form([("name", attack), ("text", attack)])
            .send()
            .await
            .assert_status(303);
        for page in ["/", &post, &format!("{post}/edit")] {
            let page = author.get(page).send().await;
            page.assert_status(200);
            for markup in ["<script>alert", "<img", "' onmouseover"] {
                assert!(!page.text().contains(markup), "{attack} becomes {markup}:\n{page}");
            }
        }
        let wrong = author.post("/posts").form([("title", attack), ("text", "")]).send().await;
        assert!(!wrong.text().contains(attack) || attack.starts_with("{{"), "{attack} in a form:\n{wrong}");
    }
}

#[gannet::test(real_time)]
async fn nobody_changes_what_is_anothers() {
    let author = visitor().await;
    join(&author, "Gannet").await;
    write(&author, "Mine", "All of it.").await.assert_status(303);
    let stranger = author.stranger();
    stranger.get("/posts/1/edit").send().await.assert_status(303).assert_header("Location", "/login");
    stranger.post("/posts/1/delete").send().await.assert_status(303).assert_header("Location", "/login");
    join(&stranger, "Skua").await;
    stranger.get("/posts/1/edit").send().await.assert_status(403);
    stranger.post("/posts/1").form([("title", "Ours"), ("text", "Now.")]).send().await.assert_status(403);
    stranger.post("/posts/1/delete").send().await.assert_status(403);
    author.get("/posts/1").send().await.assert_text_contains("All of it.");
    author
        .post("/posts/1")
        .form([("title", "Still mine"), ("text", "Some of it.")])
        .send()
        .await
        .assert_status(303);
    author.get("/posts/1").send().await.assert_text_contains("Some of it.");
    author.post("/posts/1/delete").send().await.assert_status(303).assert_header("Location", "/");
    author.get("/posts/1").send().await.assert_status(404).assert_text_contains("404");
}

#[gannet::test(real_time)]
async fn a_session_is_only_what_was_signed_here() {
    let client = visitor().await;
    join(&client, "Gannet").await;
    let session = client.cookie("session").expect("a visitor who joined has one");
    let other = client.stranger();
    other.set_cookie("session", &session);
    other.get("/posts/new").send().await.assert_status(200);
    // The value is behind the signature: the session would end later.
    let forged = format!("{session}9");
    for forged in [forged.as_str(), "1.99999999999", "", "garbage; more"] {
        let other = client.stranger().header("Cookie", format!("session={forged}"));
        other.get("/posts/new").send().await.assert_status(303).assert_header("Location", "/login");
    }
    client.post("/logout").send().await.assert_status(303);
    assert_eq!(client.cookie("session"), None);
    client.get("/posts/new").send().await.assert_status(303);
}

#[gannet::test(real_time)]
async fn who_logs_in_says_the_password_and_guessing_is_slow() {
    let client = visitor().await;
    join(&client, "Gannet").await;
    let login = async |client: &Client, name: &str, password: &str| {
        client.post("/login").form([("name", name), ("password", password)]).send().await
    };
    let other = client.stranger().peer("192.0.2.7");
    login(&other, "Gannet", PASSWORD).await.assert_status(303);
    other.get("/posts/new").send().await.assert_status(200);
    let guesser = client.stranger().peer("192.0.2.8");
    for (name, password) in [("Gannet", "not the password"), ("Nobody", PASSWORD), ("Gannet", ""), ("", "")] {
        login(&guesser, name, password)
            .await
            .assert_status(422)
            .assert_text_contains("Password or name is wrong.");
    }
    login(&guesser, "Gannet", "guess number five").await.assert_status(422);
    let refused = login(&guesser, "Gannet", PASSWORD).await;
    refused.assert_status(429).assert_text_contains("wait a minute");
    assert!(refused.header("Retry-After").is_some(), "{refused}");
}

#[gannet::test(real_time)]
async fn what_another_site_sends_is_refused() {
    let client = visitor().await;
    let comment = |name: &str, value: &str| client.post("/logout").header(name, value).send();
    comment("Sec-Fetch-Site", "same-origin").await.assert_status(303);
    comment("Sec-Fetch-Site", "none").await.assert_status(303);
    comment("Origin", "https://localhost").await.assert_status(303);
    client.post("/logout").send().await.assert_status(303);
    for (name, value) in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Origin", "https://localhost.evil.example"),
        ("Origin", "https://localhost:8443"),
    ] {
        comment(name, value).await.assert_status(403);
    }
    client.get("/").header("Sec-Fetch-Site", "cross-site").send().await.assert_status(200);
}

#[gannet::test(real_time)]
async fn only_the_pages_own_script_may_run() {
    let client = visitor().await;
    let nonce = async || {
        let page = client.get("/").send().await;
        let policy = page.header("Content-Security-Policy").expect("a policy").to_owned();
        let (_, nonce) = page.text().split_once("<script nonce=\"").expect("a script");
        let nonce = nonce.split('"').next().unwrap_or_default().to_owned();
        assert!(nonce.len() >= 16 && policy.contains(&format!("'nonce-{nonce}'")), "{policy}");
        assert!(!policy.contains("unsafe-inline"), "{policy}");
        nonce
    };
    assert_ne!(nonce().await, nonce().await);
    let page = client.get("/no/such/page").send().await;
    page.assert_status(404)
        .assert_header("X-Content-Type-Options", "nosniff")
        .assert_text_contains("Perhaps there was once.");
}

#[gannet::test(real_time)]
async fn old_posts_are_on_further_pages() {
    let client = visitor().await;
    join(&client, "Gannet").await;
    for number in 1..=11 {
        write(&client, &format!("Number {number}."), "Text").await.assert_status(303);
    }
    let first = client.get("/").send().await;
    first.assert_text_contains("Number 11.").assert_text_contains("href=\"/?page=2\"");
    assert!(!first.text().contains("Number 1."), "{first}");
    let second = client.get("/?page=2").send().await;
    second.assert_text_contains("Number 1.").assert_text_contains("href=\"/?page=1\"");
    assert!(!second.text().contains("Older"), "{second}");
    client.get("/?page=x").send().await.assert_status(400);
    client.get("/?page=4294967295").send().await.assert_text_contains("Nobody has written");
}
