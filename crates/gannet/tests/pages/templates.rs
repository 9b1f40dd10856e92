//! Templates of an application.

use std::fs;

use gannet::filters::{ContentSecurityPolicy, Nonce, SecurityHeaders};
use gannet::prelude::*;
use gannet::templates::{TemplateError, Templates};
use gannet::{Html, State};
use serde_json::json;

#[expect(clippy::needless_pass_by_value, reason = "a handler is given its arguments")]
fn page(templates: State<Templates>, name: Path<String>) -> Result<Html<String>, TemplateError> {
    templates.render(&name, json!({ "user": "<Ann>" }))
}

#[gannet::test]
async fn handlers_make_pages_of_templates() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("layout.html"), "<h1>{% block title %}{% endblock %}</h1>").unwrap();
    fs::write(
        folder.path().join("page.html"),
        "{% extends 'layout.html' %}{% block title %}{{ user }}{% endblock %}",
    )
    .unwrap();
    let client = App::new().get("/:name", page).templates(Templates::folder(folder.path())).test();
    let answer = client.get("/page.html").send().await;
    answer
        .assert_status(200)
        .assert_header("Content-Type", "text/html; charset=utf-8")
        .assert_text("<h1>&lt;Ann&gt;</h1>");
    client.get("/nothing.html").send().await.assert_status(500);
}

#[gannet::test]
async fn a_page_marks_its_scripts_with_the_nonce_of_its_policy() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("page.html"), "<script nonce=\"{{ nonce }}\"></script>").unwrap();
    let page = |templates: State<Templates>, nonce: Nonce| {
        templates.render("page.html", json!({ "nonce": nonce.as_str() }))
    };
    let policy = ContentSecurityPolicy::new().script_nonces();
    let headers = SecurityHeaders::new().content_security_policy(policy);
    let client = App::new().get("/", page).templates(Templates::folder(folder.path())).with(headers).test();
    let answer = client.get("/").send().await;
    let nonce = answer.text().split('"').nth(1).unwrap();
    let policy = answer.header("Content-Security-Policy").unwrap();
    assert!(nonce.len() == 22 && policy.contains(&format!("'nonce-{nonce}'")), "{nonce}: {policy}");
}

#[test]
fn mistakes_in_templates_are_those_of_the_application() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.html"), "{{").unwrap();
    fs::write(folder.path().join("b.html"), "{% if %}").unwrap();
    let app =
        App::new().get("/:name", page).templates(Templates::folder(folder.path())).get("wrong", "hello");
    let mistakes = app.build().unwrap_err().to_string();
    for part in ["pages/templates.rs:", "a.html:1:", "b.html:1:", "\"wrong\""] {
        assert!(mistakes.contains(part), "{part} is not in {mistakes}");
    }
}
