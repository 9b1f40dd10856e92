//! The router beside others: one that looks at every pattern segment by segment, and `matchit`.

use gannet_router::{Builder, Router};
use proptest::prelude::*;

#[path = "common/github.rs"]
mod github;

fn router(patterns: &[String]) -> Router<()> {
    let mut builder = Builder::new();
    patterns.iter().for_each(|pattern| builder.insert(pattern, ()));
    builder.build().expect("no conflicts")
}

/// A segment's kind, the more specific the lower.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Kind {
    Static,
    Parameter,
    Wildcard,
}

fn kind(segment: &str) -> Kind {
    match segment.as_bytes().first() {
        Some(b':') => Kind::Parameter,
        Some(b'*') => Kind::Wildcard,
        _ => Kind::Static,
    }
}

/// What the module documentation says, word by word: the values of the parameters, if the pattern matches.
fn values<'a>(pattern: &str, path: &'a str) -> Option<Vec<&'a str>> {
    let mut values = Vec::new();
    let mut rest = Some(path.strip_prefix('/')?);
    for segment in pattern[1..].split('/') {
        let text = rest?;
        let (first, behind) = text.split_once('/').map_or((text, None), |(one, two)| (one, Some(two)));
        match kind(segment) {
            Kind::Static if first == segment => {}
            Kind::Parameter if !first.is_empty() => values.push(first),
            Kind::Wildcard => {
                values.extend((segment.len() > 1).then_some(text));
                return Some(values);
            }
            _ => return None,
        }
        rest = behind;
    }
    rest.is_none().then_some(values)
}

/// A pattern's number, and the values of its parameters.
type Found<'a> = (usize, Vec<&'a str>);

fn naive<'a>(patterns: &[String], path: &'a str) -> Vec<Found<'a>> {
    let mut found: Vec<Found<'a>> = patterns
        .iter()
        .enumerate()
        .filter_map(|(number, pattern)| Some((number, values(pattern, path)?)))
        .collect();
    found.sort_by_key(|(number, _)| patterns[*number][1..].split('/').map(kind).collect::<Vec<_>>());
    found
}

fn ours<'a>(router: &Router<()>, path: &'a str) -> Vec<Found<'a>> {
    let matches = router.matches(path).map(|found| {
        let values = found.route.parameters().iter().map(|one| &path[one.span(path)]);
        (found.number, values.collect())
    });
    matches.collect()
}

/// Segments that begin alike, so that labels are divided; some of them longer than a word.
const SEGMENTS: &[&str] =
    &["", "a", "b", "ab", "abc", "abcdefgh", "abcdefghi", "abcdefghij", "abcdefgzz", "x", "%2F", "."];

fn pattern() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        3 => prop::sample::select(SEGMENTS).prop_map(String::from),
        2 => Just(String::from(":")),
    ];
    let wildcard = prop_oneof![3 => Just(None), 1 => Just(Some("*")), 1 => Just(Some("*rest"))];
    (prop::collection::vec(segment, 1..5), wildcard).prop_map(|(segments, wildcard)| {
        let name =
            |(at, text): (usize, String)| if text == ":" { format!("/:p{at}") } else { format!("/{text}") };
        let mut pattern: String = segments.into_iter().enumerate().map(name).collect();
        if let Some(wildcard) = wildcard {
            pattern.push('/');
            pattern.push_str(wildcard);
        }
        pattern
    })
}

/// Patterns of which no two have one shape.
fn patterns() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(pattern(), 0..40).prop_map(|mut patterns| {
        patterns.sort_by_key(|pattern| pattern.replace("*rest", "*"));
        patterns.dedup_by_key(|pattern| pattern.replace("*rest", "*"));
        patterns
    })
}

fn path() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        8 => prop::sample::select(SEGMENTS).prop_map(String::from),
        1 => "[a-c]{1,12}",
        1 => "\\PC{0,4}",
    ];
    prop::collection::vec(segment, 0..7)
        .prop_map(|segments| segments.iter().map(|segment| format!("/{segment}")).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn every_match_is_the_naive_one_in_the_naive_order(
        patterns in patterns(),
        paths in prop::collection::vec(path(), 20),
    ) {
        let router = router(&patterns);
        for path in &paths {
            prop_assert_eq!(ours(&router, path), naive(&patterns, path), "{:?}", path);
        }
    }

    #[test]
    fn each_pattern_matches_the_path_that_is_made_from_it(patterns in patterns()) {
        let router = router(&patterns);
        for (number, pattern) in patterns.iter().enumerate() {
            let path = pattern.replace(['*', ':'], "");
            prop_assert!(ours(&router, &path).iter().any(|(found, _)| *found == number), "{}", pattern);
        }
    }

    #[test]
    fn no_pattern_makes_the_builder_panic(patterns in prop::collection::vec("[/:{}*a]{0,8}|\\PC{0,6}", 0..20), path in path()) {
        let mut builder = Builder::new();
        patterns.iter().for_each(|pattern| builder.insert(pattern, ()));
        match builder.build() {
            Ok(router) => prop_assert!(router.matches(&path).count() <= patterns.len()),
            Err(mistakes) => prop_assert!(mistakes.iter().all(|mistake| mistake.position < patterns.len())),
        }
    }
}

/// `matchit` finds one pattern for a path: ours must find the same first, with the same parameters.
#[test]
fn matchit_agrees_on_the_paths_of_github_s_api() {
    let patterns = github::PATTERNS.map(String::from);
    let ours = router(&patterns);
    let mut theirs = matchit::Router::new();
    for (number, pattern) in patterns.iter().enumerate() {
        theirs.insert(pattern.as_str(), number).expect("no conflicts");
    }
    let mut asked = 0;
    for path in github::paths() {
        for path in variations(&path) {
            let our = ours.matches(&path).next();
            let their = theirs.at(&path).ok();
            assert_eq!(
                our.as_ref().map(|found| found.number),
                their.as_ref().map(|found| *found.value),
                "{path}"
            );
            if let (Some(our), Some(their)) = (our, their) {
                let span = |one: &gannet_router::Parameter| {
                    (one.name().to_owned(), path[one.span(&path)].to_owned())
                };
                let our: Vec<_> = our.route.parameters().iter().map(span).collect();
                let their: Vec<_> =
                    their.params.iter().map(|(name, value)| (name.into(), value.into())).collect();
                assert_eq!(our, their, "{path}");
                asked += 1;
            }
        }
    }
    assert!(asked >= 4 * github::PATTERNS.len(), "most of what was asked for was found: {asked}");
}

/// The path itself, with other values, and a little off.
fn variations(path: &str) -> Vec<String> {
    let mut all =
        vec![path.to_owned(), path.replace("/p", "/a-value-that-is-longer-"), path.replace("/p1", "/events")];
    all.extend([
        path.replace("/p2", "/repos"),
        format!("{path}/"),
        format!("{path}x"),
        path[..path.len() - 1].to_owned(),
    ]);
    all.extend([format!("{path}/x"), path.replacen('/', "//", 2), path.to_uppercase()]);
    all
}
