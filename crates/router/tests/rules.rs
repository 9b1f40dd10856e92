//! The rules by which patterns match, one by one; and what is said of patterns that cannot be.

use gannet_router::{Builder, Mistake, Problem, Router};

fn router(patterns: &[&str]) -> Router<usize> {
    let mut builder = Builder::new();
    patterns.iter().enumerate().for_each(|(number, pattern)| builder.insert(pattern, number));
    builder.build().expect("no mistakes")
}

/// The patterns that match, in their order.
fn matched<'a>(patterns: &[&'a str], path: &str) -> Vec<&'a str> {
    router(patterns).matches(path).map(|found| patterns[*found.route.value()]).collect()
}

/// The parameters of the first match.
fn parameters(pattern: &str, path: &str) -> Vec<(String, String)> {
    let router = router(&[pattern]);
    let found = router.matches(path).next().expect("a match");
    let text = |one: &gannet_router::Parameter| (one.name().to_owned(), path[one.span(path)].to_owned());
    found.route.parameters().iter().map(text).collect()
}

fn mistakes(patterns: &[&str]) -> Vec<Mistake> {
    let mut builder = Builder::new();
    patterns.iter().for_each(|pattern| builder.insert(pattern, ()));
    builder.build().expect_err("mistakes")
}

#[test]
fn the_most_specific_pattern_comes_first_whatever_the_order() {
    let mut patterns = ["/*", "/users/*", "/users/:id", "/users/me", "/:kind/me", "/:kind/:id", "/:kind/*"];
    for _ in 0..patterns.len() {
        patterns.rotate_left(1);
        let expected = ["/users/me", "/users/:id", "/users/*", "/:kind/me", "/:kind/:id", "/:kind/*", "/*"];
        assert_eq!(matched(&patterns, "/users/me"), expected);
    }
}

#[test]
fn segments_are_compared_from_left_to_right() {
    assert_eq!(matched(&["/:a/b", "/a/*"], "/a/b"), ["/a/*", "/:a/b"]);
    assert_eq!(matched(&["/a/:b/:c", "/a/:b/c", "/:a/b/c"], "/a/b/c"), ["/a/:b/c", "/a/:b/:c", "/:a/b/c"]);
    assert_eq!(matched(&["/a/*", "/a/b/*", "/a/b/c/*"], "/a/b/c/d"), ["/a/b/c/*", "/a/b/*", "/a/*"]);
}

#[test]
fn the_root_is_only_the_root_and_a_prefix_only_what_is_below_it() {
    assert!(matched(&["/"], "/a").is_empty());
    assert_eq!(matched(&["/", "/*"], "/"), ["/", "/*"]);
    assert!(matched(&["/api/*"], "/api").is_empty());
    assert!(matched(&["/api/*"], "/apish").is_empty());
    assert_eq!(matched(&["/api/*"], "/api/"), ["/api/*"]);
    assert_eq!(matched(&["/api/*", "/api/", "/api"], "/api/"), ["/api/", "/api/*"]);
}

#[test]
fn a_parameter_is_one_segment_that_is_not_empty() {
    assert_eq!(matched(&["/a/:b"], "/a/x"), ["/a/:b"]);
    for path in ["/a", "/a/", "/a/x/", "/a/x/y", "/a//x", "//x"] {
        assert!(matched(&["/a/:b"], path).is_empty(), "{path}");
    }
    assert!(matched(&["/:a/b"], "//b").is_empty());
    assert_eq!(matched(&["/:a/"], "/x/"), ["/:a/"]);
}

#[test]
fn a_slash_at_the_end_is_a_segment_of_its_own() {
    assert!(matched(&["/about"], "/about/").is_empty());
    assert!(matched(&["/about/"], "/about").is_empty());
    assert_eq!(matched(&["/a//b"], "/a//b"), ["/a//b"]);
}

#[test]
fn a_walk_that_led_nowhere_is_taken_back() {
    let patterns = ["/a/b/c", "/a/:x/d", "/:y/b/e", "/*"];
    assert_eq!(matched(&patterns, "/a/b/d"), ["/a/:x/d", "/*"]);
    assert_eq!(matched(&patterns, "/a/b/e"), ["/:y/b/e", "/*"]);
    assert_eq!(matched(&patterns, "/a/b/f"), ["/*"]);
    assert_eq!(matched(&["/user/:a/x", "/users/:a", "/use/:a"], "/user/1"), [] as [&str; 0]);
}

#[test]
fn paths_are_compared_as_they_are_sent() {
    assert!(matched(&["/caf%C3%A9"], "/caf%c3%a9").is_empty());
    assert!(matched(&["/a"], "/%61").is_empty());
    assert!(matched(&["/a"], "/A").is_empty());
    assert_eq!(parameters("/:a", "/b%20c"), [("a".into(), "b%20c".into())]);
    for path in ["", "*", "a", "http://a/"] {
        assert!(matched(&["/*", "/:a", "/a"], path).is_empty(), "{path}");
    }
}

#[test]
fn parameters_and_named_wildcards_are_parts_of_the_path() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(parameters("/users/:id", "/users/42"), [pair("id", "42")]);
    assert_eq!(parameters("/{a}/x/:b", "/1/x/2"), [pair("a", "1"), pair("b", "2")]);
    assert_eq!(parameters("/:a/*rest", "/1/2//3"), [pair("a", "1"), pair("rest", "2//3")]);
    assert_eq!(parameters("/files/{*path}", "/files/"), [pair("path", "")]);
    assert!(parameters("/files/*", "/files/a").is_empty());
}

#[test]
fn the_tail_is_where_the_wildcard_begins() {
    let router = router(&["/a/:b/*", "/a/x/y"]);
    let tails = |path: &str| router.matches(path).map(|found| found.tail).collect::<Vec<_>>();
    assert_eq!(tails("/a/long/d"), [8]);
    assert_eq!(tails("/a/x/y"), [0, 5]);
    assert_eq!(tails("/a/x/"), [5]);
}

#[test]
fn routes_are_listed_as_they_were_written_in_the_order_in_which_they_came() {
    let router = router(&["/b/{id}", "/a", "/*"]);
    let listed: Vec<_> = router.routes().iter().map(|route| (route.pattern(), *route.value())).collect();
    assert_eq!(listed, [("/b/{id}", 0), ("/a", 1), ("/*", 2)]);
    assert_eq!(router.matches("/a").map(|found| found.number).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_value_is_found_by_its_pattern_in_either_way_of_writing() {
    let mut builder = Builder::new();
    builder.insert("/users/:id", 1);
    assert_eq!(builder.get_mut("/users/{id}"), Some(&mut 1));
    assert_eq!(builder.get_mut("/users/:name"), None);
    assert_eq!(builder.get_mut("/users"), None);
    assert_eq!(builder.get_mut("users"), None);
}

#[test]
fn all_mistakes_come_at_once_with_their_patterns_and_positions() {
    let found = mistakes(&["/a/:id", "b", "/a/:name", "/c", "/*/c", "/a/{id}", "/c", "/d/*", "/d/*rest"]);
    let twice = |first| Problem::Twice { first };
    let same = |other: &str, first| Problem::SameShape { other: other.into(), first };
    let expected = [
        ("b", 1, Problem::NoSlash),
        ("/a/:name", 2, same("/a/:id", 0)),
        ("/*/c", 4, Problem::Star { at: 1 }),
        ("/a/{id}", 5, twice(0)),
        ("/c", 6, twice(3)),
        ("/d/*rest", 8, same("/d/*", 7)),
    ];
    let expected =
        expected.map(|(pattern, position, problem)| Mistake { pattern: pattern.into(), position, problem });
    assert_eq!(found, expected);
}

#[test]
fn patterns_that_only_match_some_of_the_same_paths_are_no_conflict() {
    router(&["/:a/b", "/a/:b", "/a/b", "/:a/:b", "/:c/:d/e", "/*", "/:a/*", "/a/"]);
}

#[test]
fn each_mistake_names_its_pattern_and_the_way_out() {
    let patterns = [
        ("a", "put one in front"),
        ("/*/a", "begins the last segment"),
        ("/:a.b", "whole segment"),
        ("/a:b", "make it the whole segment"),
        ("/{a", "write \"{name}\""),
        ("/:", "give it one"),
        ("/:a/:a", "another name"),
        ("/a b", "percent-encoded"),
        ("/a?b", "the query is no part"),
    ];
    for (pattern, way_out) in patterns {
        let said = mistakes(&[pattern])[0].to_string();
        assert!(said.starts_with(&format!("pattern {pattern:?} ")) && said.contains(way_out), "{said}");
    }
    let conflict = mistakes(&["/a/:id", "/a/:name"])[0].to_string();
    assert!(conflict.contains("\"/a/:name\"") && conflict.contains("\"/a/:id\""), "{conflict}");
    assert!(mistakes(&["/a", "/a"])[0].to_string().contains("leave one of them away"));
    let many: String = (0..20).map(|number| format!("/:p{number}")).collect();
    assert!(mistakes(&[&many])[0].to_string().contains("20 parameters and may have 16"));
}

#[test]
fn ten_thousand_paths_are_all_found() {
    let patterns: Vec<String> = (0..10_000).map(|number| format!("/page/{number}/{}", number % 7)).collect();
    let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
    let router = router(&patterns);
    for (number, path) in patterns.iter().enumerate() {
        assert_eq!(router.matches(path).map(|found| found.number).collect::<Vec<_>>(), [number]);
    }
}
