//! What templates promise.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gannet_core::{Body, IntoResponse, Response};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::*;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        write(folder.path(), file);
    }
    folder
}

fn write(folder: &Path, (name, text): &(&str, &str)) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn page(templates: &Templates, name: &str, context: impl Serialize) -> String {
    templates.render(name, context).unwrap().0
}

fn text(response: &Response) -> &str {
    let Body::Bytes(bytes) = response.body() else { panic!("bytes") };
    std::str::from_utf8(bytes).unwrap()
}

const LAYOUT: (&str, &str) = (
    "layouts/base.html",
    "<title>{% block title %}Home{% endblock %}</title>{% include 'parts/menu.html' %}{% block main %}{% endblock %}",
);
const MENU: (&str, &str) = ("parts/menu.html", "<nav>{{ user }}</nav>");
const PAGE: (&str, &str) = (
    "task.html",
    "{% extends 'layouts/base.html' %}{% block title %}Task · {{ super() }}{% endblock %}{% block main %}<p>{{ name }}{% endblock %}",
);

#[test]
fn a_page_is_made_of_a_layout_and_partials_and_its_values_are_escaped() {
    let folder = folder(&[LAYOUT, MENU, PAGE, ("mail.txt", "{{ name }}")]);
    let templates = Templates::folder(folder.path());
    let context = json!({ "user": "Ann", "name": "<b>\"&'" });
    assert_eq!(
        page(&templates, "task.html", &context),
        "<title>Task · Home</title><nav>Ann</nav><p>&lt;b&gt;&quot;&amp;&#39;"
    );
    assert_eq!(templates.render_text("mail.txt", context).unwrap(), "<b>\"&'");
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let folder = folder(&[
        ("a.html", "one\n{{ user. }}"),
        ("b.html", "{% if a %}"),
        ("c.html", "{% extends 'no.html' %}"),
        ("good.html", "{{ a }}"),
    ]);
    let mistakes = Templates::folder(folder.path()).check().unwrap_err().to_string();
    for part in ["a.html:2:", "b.html:1:", "c.html extends \"no.html\", which is no template"] {
        assert!(mistakes.contains(part), "{part} is not in {mistakes}");
    }
}

#[test]
fn what_templates_ask_of_each_other_and_is_not_there_is_told_all_at_once() {
    let folder = folder(&[
        ("a.html", "{{ name | shout }}\n{{ now() }}"),
        ("b.html", "{% include 'gone.html' %}"),
        ("c.html", "{% extends 'b.html' %}{% block lost %}{% endblock %}"),
    ]);
    let mistakes = Templates::folder(folder.path()).check().unwrap_err().to_string();
    for part in
        ["`shout`", "a.html:1:", "`now`", "a.html:2:", "`gone.html`", "b.html:1:", "`lost`", "c.html:1:"]
    {
        assert!(mistakes.contains(part), "{part} is not in {mistakes}");
    }
}

#[test]
fn a_folder_that_is_not_there_is_a_mistake_that_says_where_it_was_looked_for() {
    let mistake = Templates::folder("no-such-folder").check().unwrap_err().to_string();
    let here = std::env::current_dir().unwrap();
    assert!(mistake.contains("no-such-folder") && mistake.contains(here.to_str().unwrap()), "{mistake}");
}

#[test]
fn what_is_no_text_is_a_mistake_and_what_editors_leave_is_passed_over() {
    let folder = folder(&[("a.html", "a"), (".a.html.swp", "{{"), ("a.html~", "{{")]);
    Templates::folder(folder.path()).check().unwrap();
    fs::write(folder.path().join("photo.png"), b"\x89PNG").unwrap();
    let mistake = Templates::folder(folder.path()).check().unwrap_err().to_string();
    assert!(mistake.contains("photo.png"), "{mistake}");
}

#[test]
fn more_templates_than_the_limit_are_a_mistake() {
    let folder = folder(&[]);
    for number in 0..Templates::FILES {
        fs::write(folder.path().join(number.to_string()), "").unwrap();
    }
    Templates::folder(folder.path()).check().unwrap();
    fs::write(folder.path().join("one-more"), "").unwrap();
    let mistake = Templates::folder(folder.path()).check().unwrap_err().to_string();
    assert!(mistake.contains("more than 1000 templates"), "{mistake}");
}

#[test]
fn more_bytes_than_the_limit_are_a_mistake() {
    let folder = folder(&[("a.txt", "")]);
    let file = fs::File::create(folder.path().join("b.txt")).unwrap();
    file.set_len(Templates::BYTES as u64 + 1).unwrap();
    let mistake = Templates::folder(folder.path()).check().unwrap_err().to_string();
    assert!(mistake.contains("more than 16 MiB"), "{mistake}");
}

#[test]
fn folders_that_lead_into_themselves_are_a_mistake() {
    let folder = folder(&[("a.txt", "")]);
    std::os::unix::fs::symlink(folder.path(), folder.path().join("again")).unwrap();
    let mistake = Templates::folder(folder.path()).check().unwrap_err().to_string();
    assert!(mistake.contains("16 folders deep"), "{mistake}");
}

#[test]
fn an_edited_template_is_seen_where_they_are_reloaded_and_nowhere_else() {
    let folder = folder(&[("a.html", "one")]);
    let reloaded = Templates::folder(folder.path()).reload(true);
    let once = Templates::folder(folder.path()).reload(false);
    for templates in [&reloaded, &once] {
        assert_eq!(page(templates, "a.html", json!({})), "one");
    }
    write(folder.path(), &("a.html", "two"));
    assert_eq!(page(&reloaded, "a.html", json!({})), "two");
    assert_eq!(page(&once, "a.html", json!({})), "one");
    write(folder.path(), &("new.html", "new"));
    assert_eq!(page(&reloaded, "new.html", json!({})), "new");
}

#[test]
fn a_mistake_made_while_developing_is_told_until_it_is_mended() {
    let folder = folder(&[("a.html", "one")]);
    let templates = Templates::folder(folder.path()).reload(true);
    assert_eq!(page(&templates, "a.html", json!({})), "one");
    write(folder.path(), &("a.html", "{{"));
    let mistake = templates.render("a.html", json!({})).unwrap_err().to_string();
    assert!(mistake.contains("a.html:1:"), "{mistake}");
    write(folder.path(), &("a.html", "mended"));
    assert_eq!(page(&templates, "a.html", json!({})), "mended");
}

#[test]
fn templates_within_the_program_are_as_those_of_a_folder_and_what_is_no_text_is_a_mistake() {
    let files: &[(&str, &[u8])] =
        &[("a.html", b"{% include 'parts/b.html' %}"), ("a.html~", b"{{"), ("parts/b.html", b"{{ name }}")];
    let templates = Templates::embedded(Embedded::program(files)).reload(true);
    assert_eq!(page(&templates, "a.html", json!({ "name": "<b>" })), "&lt;b&gt;");
    let files: &[(&str, &[u8])] = &[("photo.png", b"\x89PNG")];
    let mistake = Templates::embedded(Embedded::program(files)).check().unwrap_err().to_string();
    assert!(mistake.contains("photo.png"), "{mistake}");
}

#[test]
fn templates_that_will_be_in_the_program_are_read_from_their_folder_while_developing() {
    let folder = folder(&[("a.html", "one")]);
    let path: &'static str = folder.path().to_str().unwrap().to_owned().leak();
    let templates = Templates::embedded(Embedded::folder(path));
    assert_eq!(page(&templates, "a.html", json!({})), "one");
    write(folder.path(), &("a.html", "two"));
    assert_eq!(page(&templates, "a.html", json!({})), "two");
}

#[test]
fn what_is_configured_is_there_in_every_template() {
    let folder = folder(&[("a.html", "{{ 21 | double }} {{ site }}")]);
    let templates = Templates::folder(folder.path()).configure(|tera| {
        tera.register_filter("double", |number: i64, _: tera::Kwargs, _: &tera::State<'_>| number * 2);
        tera.global_context().insert("site", "Gannet");
    });
    assert_eq!(page(&templates, "a.html", json!({})), "42 Gannet");
}

#[test]
fn an_error_names_the_template_and_the_line() {
    let folder = folder(&[("a.html", "<p>\n{{ nobody.name }}")]);
    let templates = Templates::folder(folder.path());
    let error = templates.render("a.html", json!({})).unwrap_err();
    assert_eq!(error.place(), Some(("a.html", 2)));
    let error = templates.render("a.htm", json!({})).unwrap_err();
    assert_eq!(error.to_string(), "there is no template \"a.htm\"; did you mean \"a.html\"?");
    let error = templates.render("a.html", 7).unwrap_err();
    assert!(error.to_string().contains("\"a.html\""), "{error}");
}

#[test]
fn as_a_response_an_error_is_a_500_that_shows_the_place_while_developing() {
    let folder = folder(&[("a.html", "<p>\n{{ nobody.name }}<script>")]);
    let templates = Templates::folder(folder.path());
    let response = templates.render("a.html", json!({})).into_response();
    assert_eq!(response.status().code(), 500);
    let place = format!("{}:2</p>", folder.path().join("a.html").display());
    assert!(text(&response).contains(&place), "{place} is not in {}", text(&response));
    assert!(!text(&response).contains("<script"), "a template's text is escaped");
}

#[test]
fn the_policy_admits_the_page_s_styles_and_nothing_else() {
    let error = Templates::folder("no-such-folder").check().unwrap_err();
    let response = error.into_response();
    let hashes = text(&response).split("<style>").skip(1).map(|rest| {
        let style = rest.split("</style>").next().unwrap();
        format!("'sha256-{}'", STANDARD.encode(Sha256::digest(style)))
    });
    let expected = format!(
        "default-src 'none'; style-src {}; base-uri 'none'; form-action 'none'",
        hashes.collect::<Vec<_>>().join(" ")
    );
    let policy = response.fields().get("Content-Security-Policy").unwrap();
    assert_eq!(std::str::from_utf8(policy).unwrap(), expected);
}
