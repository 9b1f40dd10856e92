//! Conditional requests: RFC 9110, 13.

use std::time::{Duration, SystemTime};

use gannet_core::{Response, Status};

use crate::files::world::{Served, content, field};

/// When the file of these tests was written: Sun, 09 Sep 2001 01:46:40 GMT.
const WRITTEN: u64 = 1_000_000_000;

const TEXT: &str = "0123456789";

fn date(seconds: u64) -> String {
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

/// A folder with `a.txt`, and its tag.
fn served() -> (Served, String) {
    let served = Served::new(|files| files);
    served.world.write("a.txt", TEXT, WRITTEN);
    let tag = tag(&served.get("/a.txt"));
    (served, tag)
}

fn tag(response: &Response) -> String {
    field(response, "etag").expect("a tag").to_owned()
}

fn status(served: &Served, fields: &[(&str, &str)]) -> u16 {
    served.get_with("/a.txt", fields).status().code()
}

/// A condition: not there, there and true, there and false.
const STATES: [Option<bool>; 3] = [None, Some(true), Some(false)];

/// What RFC 9110, 13.2.2 says step by step, of GET and HEAD.
fn expected(get: bool, [matches, unmodified, none_match, modified]: [Option<bool>; 4], range: u8) -> u16 {
    let first = matches.or(unmodified); // steps 1 and 2
    let second = none_match.or(modified); // steps 3 and 4
    let range_applies = range == 1 || range == 2; // step 5: alone, or If-Range is true
    match (first, second) {
        (Some(false), _) => 412,
        (_, Some(false)) => 304,
        _ if get && range_applies => 206,
        _ => 200,
    }
}

#[test]
fn conditions_are_evaluated_in_the_order_of_rfc_9110_13_2_2_whatever_there_are() {
    let (served, tag) = served();
    let (before, after) = (date(WRITTEN - 1), date(WRITTEN + 1));
    let mut seen = 0;
    for matches in STATES {
        for unmodified in STATES {
            for none_match in STATES {
                for modified in STATES {
                    for range in 0..4 {
                        let pick = |state: Option<bool>, name, yes: &str, no: &str| {
                            state.map(|state| (name, if state { yes.to_owned() } else { no.to_owned() }))
                        };
                        let fields: Vec<(&str, String)> = [
                            pick((range > 0).then_some(true), "Range", "bytes=2-4", ""),
                            pick((range > 1).then_some(range == 2), "If-Range", &tag, "\"other\""),
                            pick(modified, "If-Modified-Since", &before, &after),
                            pick(none_match, "If-None-Match", "\"other\"", &tag),
                            pick(unmodified, "If-Unmodified-Since", &after, &before),
                            pick(matches, "If-Match", &tag, "\"other\""),
                        ]
                        .into_iter()
                        .flatten()
                        .collect();
                        let fields: Vec<(&str, &str)> =
                            fields.iter().map(|(name, value)| (*name, &**value)).collect();
                        for method in ["GET", "HEAD"] {
                            let states = [matches, unmodified, none_match, modified];
                            let response = served.ask(method, "/a.txt", &fields);
                            let expected = expected(method == "GET", states, range);
                            assert_eq!(response.status().code(), expected, "{method} {fields:?}");
                            seen += 1;
                        }
                    }
                }
            }
        }
    }
    assert_eq!(seen, 3 * 3 * 3 * 3 * 4 * 2);
}

#[test]
fn if_match_is_a_list_of_tags_or_an_asterisk_compared_strongly_rfc_9110_13_1_1() {
    let (served, tag) = served();
    let with = |value: &str| status(&served, &[("If-Match", value)]);
    for value in ["*", &tag, &format!("\"a\", {tag}"), &format!("\"a,b\",,{tag} , \"c\"")] {
        assert_eq!(with(value), 200, "{value}");
    }
    let bare = tag.trim_matches('"');
    for value in [&format!("W/{tag}"), "\"a\"", "\"\"", bare, "\"*\"", &format!("W/\"a\", W/{tag}")] {
        assert_eq!(with(value), 412, "{value}");
    }
    assert_eq!(status(&served, &[("If-Match", "\"a\""), ("If-Match", &tag)]), 200, "two lines are one list");
    assert_eq!(status(&served, &[("If-Match", "\"a\""), ("If-Match", "\"b\"")]), 412);
}

#[test]
fn if_none_match_is_compared_weakly_rfc_9110_13_1_2() {
    let (served, tag) = served();
    let with = |value: &str| status(&served, &[("If-None-Match", value)]);
    for value in ["*", &tag, &format!("W/{tag}"), &format!("W/\"a\" ,{tag}"), &format!("\"a\",W/{tag},\"b\"")]
    {
        assert_eq!(with(value), 304, "{value}");
    }
    let bare = tag.trim_matches('"');
    for value in ["\"a\"", "", bare, "\"*\"", &format!("w/{tag}"), &format!("W/ {tag}"), "W/", "\""] {
        assert_eq!(with(value), 200, "{value}");
    }
    assert_eq!(status(&served, &[("If-None-Match", "\"a\""), ("If-None-Match", &tag)]), 304);
    assert_eq!(status(&served, &[("If-None-Match", "\"a\""), ("If-None-Match", "*")]), 304);
}

#[test]
fn if_none_match_hides_if_modified_since_rfc_9110_13_1_3() {
    let (served, _) = served();
    let newest = date(WRITTEN + 100);
    let fields = [("If-None-Match", "\"other\""), ("If-Modified-Since", &*newest)];
    assert_eq!(status(&served, &fields), 200);
}

#[test]
fn a_date_counts_to_the_second_and_in_three_formats_rfc_9110_5_6_7() {
    let (served, _) = served();
    let modified = |value: &str| status(&served, &[("If-Modified-Since", value)]);
    let unmodified = |value: &str| status(&served, &[("If-Unmodified-Since", value)]);
    let earlier =
        ["Sun, 09 Sep 2001 01:46:39 GMT", "Sunday, 09-Sep-01 01:46:39 GMT", "Sun Sep  9 01:46:39 2001"];
    let same =
        ["Sun, 09 Sep 2001 01:46:40 GMT", "Sunday, 09-Sep-01 01:46:40 GMT", "Sun Sep  9 01:46:40 2001"];
    for value in earlier {
        assert_eq!((modified(value), unmodified(value)), (200, 412), "{value}");
    }
    for value in same {
        assert_eq!((modified(value), unmodified(value)), (304, 200), "{value}");
    }
    // A clock that is ahead is no reason to send it again.
    assert_eq!(modified("Sun, 09 Sep 2091 01:46:40 GMT"), 304);
}

#[test]
fn a_date_that_cannot_be_read_is_ignored_and_so_are_two_rfc_9110_13_1_3_and_13_1_4() {
    let (served, tag) = served();
    for value in
        ["", "yesterday", "1000000000", "Sun, 09 Sep 2001 25:46:40 GMT", "2001-09-09T01:46:40Z", &tag]
    {
        for name in ["If-Modified-Since", "If-Unmodified-Since"] {
            assert_eq!(status(&served, &[(name, value)]), 200, "{name}: {value}");
        }
    }
    let (before, after) = (date(WRITTEN - 1), date(WRITTEN + 1));
    let twice = [("If-Modified-Since", &*after), ("If-Modified-Since", &*after)];
    assert_eq!(status(&served, &twice), 200);
    let twice = [("If-Unmodified-Since", &*before), ("If-Unmodified-Since", &*before)];
    assert_eq!(status(&served, &twice), 200);
}

#[test]
fn a_304_has_what_a_cache_needs_and_nothing_that_describes_a_body_rfc_9110_15_4_5() {
    let (served, tag) = served();
    let response = served.get_with("/a.txt", &[("If-None-Match", &tag)]);
    let names: Vec<_> = response.fields().iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    assert_eq!(names, ["vary", "etag", "cache-control"]);
    assert_eq!(field(&response, "etag"), Some(&*tag));
    let whole = served.get("/a.txt");
    for name in ["vary", "cache-control"] {
        assert_eq!(field(&response, name), field(&whole, name), "{name}");
    }
    assert!(content(response).is_empty());
}

#[test]
fn what_is_not_there_is_not_found_whatever_the_conditions_rfc_9110_13_2_1() {
    let (served, _) = served();
    served.world.make_directory("docs");
    for fields in [[("If-None-Match", "*")], [("If-Match", "*")], [("If-Match", "\"a\"")]] {
        assert_eq!(served.get_with("/none", &fields).status(), Status::NOT_FOUND);
        assert_eq!(served.get_with("/docs", &fields).status(), Status::PERMANENT_REDIRECT);
    }
}

#[test]
fn a_small_file_s_tag_is_its_content_s_rfc_9110_8_8_3() {
    let served = Served::new(|files| files);
    let world = &served.world;
    world.write("a.txt", "same", 1);
    world.write("b.txt", "same", 2);
    let first = served.get("/a.txt");
    assert_eq!(tag(&first), tag(&served.get("/b.txt")), "of two servers each takes the other's");
    world.write("a.txt", "same", 3);
    world.now.set(Duration::from_secs(1));
    let later = served.get("/a.txt");
    assert_eq!(tag(&first), tag(&later), "whenever it was written");
    assert_ne!(field(&first, "last-modified"), field(&later, "last-modified"));
    world.write("a.txt", "Same", 3);
    world.now.set(Duration::from_secs(2));
    let other = served.get("/a.txt");
    assert_ne!(tag(&first), tag(&other));
    assert_eq!(served.get_with("/a.txt", &[("If-None-Match", &tag(&first))]).status(), Status::OK);
    for response in [first, later, other] {
        let tag = tag(&response);
        assert!(tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"'), "strong and quoted: {tag}");
    }
}

#[test]
fn a_large_file_s_tag_is_its_identity_size_and_moment() {
    let served = Served::new(|files| files);
    let world = &served.world;
    let mut tags = Vec::new();
    let mut look = || {
        world.now.set(world.now.get() + Duration::from_secs(1));
        tags.push(tag(&served.get("/big")));
    };
    world.write("big", vec![1; 70_000], 5);
    look();
    look();
    world.rewrite("big", vec![1; 70_000], 6);
    look();
    world.rewrite("big", vec![1; 70_001], 6);
    look();
    world.write("big", vec![1; 70_001], 6);
    look();
    assert_eq!(tags[0], tags[1], "unchanged");
    for pair in tags[1..].windows(2) {
        assert_ne!(pair[0], pair[1]);
    }
}

#[test]
fn each_coding_has_a_tag_of_its_own_and_all_are_taken_back_rfc_9110_8_8_3_3() {
    let served = Served::new(|files| files);
    served.world.write("a.txt", "compressible ".repeat(100), WRITTEN);
    let mut tags = Vec::new();
    for coding in ["identity", "br", "zstd", "gzip"] {
        let response = served.get_with("/a.txt", &[("Accept-Encoding", coding)]);
        let tag = tag(&response);
        let again = [("Accept-Encoding", coding), ("If-None-Match", &*tag)];
        let not_modified = served.get_with("/a.txt", &again);
        assert_eq!(not_modified.status(), Status::NOT_MODIFIED, "{coding}");
        assert_eq!(field(&not_modified, "etag"), Some(&*tag));
        assert_eq!(field(&not_modified, "vary"), Some("Accept-Encoding"));
        assert!(!tags.contains(&tag), "{tag}");
        tags.push(tag);
    }
    let fields = [("Accept-Encoding", "gzip"), ("If-None-Match", &*tags[1])];
    assert_eq!(served.get_with("/a.txt", &fields).status(), Status::OK, "brotli's is not gzip's");
}

#[test]
fn a_file_from_the_future_has_no_date_that_would_be_a_lie_rfc_9110_8_8_2_1() {
    let served = Served::new(|files| files);
    let now = served.world.unix_seconds.get();
    served.world.write("now", "a", now);
    served.world.write("later", "a", now + 1);
    assert_eq!(field(&served.get("/now"), "last-modified"), Some(&*date(now)));
    assert_eq!(field(&served.get("/later"), "last-modified"), None);
}

#[test]
fn a_412_says_what_it_is_and_carries_nothing_of_the_file() {
    let (served, _) = served();
    let response = served.get_with("/a.txt", &[("If-Match", "\"a\"")]);
    assert_eq!(response.status(), Status::PRECONDITION_FAILED);
    assert_eq!((field(&response, "etag"), field(&response, "content-encoding")), (None, None));
    assert_eq!(content(response), b"412 Precondition Failed\n");
}
