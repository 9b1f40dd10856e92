//! Ranges of bytes: RFC 9110, 14.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use gannet_core::{Response, Status};
use proptest::prelude::*;

use crate::files::world::{Served, content, field};

const WRITTEN: u64 = 1_000_000_000;

/// Bytes that show when some are missing or out of place.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8 ^ (n >> 8) as u8).collect()
}

/// One file that is kept in memory, one that is kept open.
const LENGTHS: [usize; 2] = [1000, 100_000];

fn served() -> Served {
    let served = Served::new(|files| files);
    for length in LENGTHS {
        served.world.write(&length.to_string(), pattern(length), WRITTEN);
    }
    served.world.write("empty", "", WRITTEN);
    served
}

fn range(served: &Served, length: usize, value: &str) -> Response {
    served.get_with(&format!("/{length}"), &[("Range", value)])
}

/// The parts of a `multipart/byteranges` body, taken apart by what RFC 2046, 5.1.1 says and no more.
fn parts(response: Response, length: usize) -> Vec<(Range<usize>, Vec<u8>)> {
    let content_type = field(&response, "content-type").expect("a type").to_owned();
    let boundary = content_type.strip_prefix("multipart/byteranges; boundary=").expect("a boundary");
    let body = content(response);
    let delimiter = format!("\r\n--{boundary}");
    let mut parts = Vec::new();
    let mut rest = &body[..];
    while let Some(behind) = rest.strip_prefix(delimiter.as_bytes()) {
        if behind == b"--\r\n" {
            return parts;
        }
        let head = behind.windows(4).position(|window| window == b"\r\n\r\n").expect("the head's end");
        let lines = std::str::from_utf8(&behind[2..head]).expect("text");
        let fields: Vec<_> =
            lines.split("\r\n").map(|line| line.split_once(": ").expect("a field")).collect();
        assert_eq!(fields[0], ("Content-Type", "application/octet-stream"));
        let (span, of) =
            fields[1].1.strip_prefix("bytes ").and_then(|span| span.split_once('/')).expect("span");
        assert_eq!((fields[1].0, of), ("Content-Range", &*length.to_string()));
        let (first, last) = span.split_once('-').expect("two numbers");
        let span = first.parse().expect("a number")..last.parse::<usize>().expect("a number") + 1;
        let data = &behind[head + 4..];
        parts.push((span.clone(), data[..span.len()].to_vec()));
        rest = &data[span.len()..];
    }
    panic!("no delimiter: {:?}", String::from_utf8_lossy(&rest[..rest.len().min(80)]));
}

#[test]
fn one_range_is_answered_with_206_and_its_place_rfc_9110_15_3_7_1() {
    let served = served();
    for length in LENGTHS {
        let cases = [
            ("bytes=0-0".to_owned(), 0..1),
            ("bytes=2-4".to_owned(), 2..5),
            (format!("bytes={}-", length - 3), length - 3..length),
            ("bytes=-7".to_owned(), length - 7..length),
            (format!("bytes=-{}", length * 2), 0..length),
            (format!("bytes=5-{}", length * 2), 5..length),
            ("bytes=0-".to_owned(), 0..length),
            ("Bytes=1-1".to_owned(), 1..2),
            ("bytes=10-20,15-30, 25-40".to_owned(), 10..41),
        ];
        for (value, expected) in cases {
            let response = range(&served, length, &value);
            assert_eq!(response.status(), Status::PARTIAL_CONTENT, "{value}");
            let place = format!("bytes {}-{}/{length}", expected.start, expected.end - 1);
            assert_eq!(field(&response, "content-range"), Some(&*place));
            assert_eq!(field(&response, "content-type"), Some("application/octet-stream"));
            assert!(content(response) == pattern(length)[expected], "{value}");
        }
    }
}

#[test]
fn several_ranges_come_in_parts_that_are_those_bytes_rfc_9110_14_6() {
    let served = served();
    for length in LENGTHS {
        let response = range(&served, length, "bytes=900-949, 0-9,-10");
        assert_eq!(response.status(), Status::PARTIAL_CONTENT);
        assert_eq!(field(&response, "content-range"), None, "only parts have one (15.3.7.2)");
        let found = parts(response, length);
        // In a file of 1000 bytes the last two of them nearly touch.
        let expected = match length {
            1000 => vec![900..1000, 0..10],
            _ => vec![900..950, 0..10, length - 10..length],
        };
        assert_eq!(found.iter().map(|(span, _)| span.clone()).collect::<Vec<_>>(), expected);
        for (span, data) in found {
            assert!(data == pattern(length)[span]);
        }
    }
}

#[test]
fn no_two_responses_separate_their_parts_alike() {
    let served = served();
    let boundary = || {
        let response = range(&served, 1000, "bytes=0-0,500-500");
        field(&response, "content-type").expect("a type").to_owned()
    };
    let boundaries: std::collections::HashSet<_> = (0..100).map(|_| boundary()).collect();
    assert_eq!(boundaries.len(), 100);
}

#[test]
fn nothing_that_is_there_is_416_with_the_length_rfc_9110_15_5_17() {
    let served = served();
    for length in LENGTHS {
        for value in
            [format!("bytes={length}-"), "bytes=-0".to_owned(), format!("bytes={length}-{length},-0")]
        {
            let response = range(&served, length, &value);
            assert_eq!(response.status(), Status::RANGE_NOT_SATISFIABLE, "{value}");
            assert_eq!(field(&response, "content-range"), Some(&*format!("bytes */{length}")));
            assert_eq!(content(response), b"416 Range Not Satisfiable\n");
        }
    }
    for value in ["bytes=0-", "bytes=-5", "bytes=0-0"] {
        let response = served.get_with("/empty", &[("Range", value)]);
        assert_eq!(response.status(), Status::RANGE_NOT_SATISFIABLE, "{value}");
        assert_eq!(field(&response, "content-range"), Some("bytes */0"));
    }
}

#[test]
fn a_range_that_cannot_be_read_is_ignored_rfc_9110_14_2() {
    let served = served();
    for value in
        ["bytes=", "bytes=b-", "bytes=4-2", "lines=1-2", "bytes", "bytes=0-1;", "bytes=0-0,x", "bytes:0-1"]
    {
        let response = range(&served, 1000, value);
        assert_eq!((response.status(), content(response).len()), (Status::OK, 1000), "{value}");
    }
    let twice = served.get_with("/1000", &[("Range", "bytes=0-0"), ("Range", "bytes=1-1")]);
    assert_eq!(twice.status(), Status::OK, "two lines are no range");
}

#[test]
fn head_has_no_range_rfc_9110_14_2() {
    let served = served();
    for value in ["bytes=0-0", "bytes=5000-", "bytes=0-0,500-500"] {
        let response = served.ask("HEAD", "/1000", &[("Range", value)]);
        assert_eq!((response.status(), field(&response, "content-range")), (Status::OK, None));
    }
}

#[test]
fn ranges_are_said_to_be_accepted_always_rfc_9110_14_3() {
    let served = served();
    for (target, fields) in [
        ("/1000", &[][..]),
        ("/100000", &[]),
        ("/empty", &[]),
        ("/1000", &[("Range", "bytes=0-0")]),
        ("/1000", &[("Range", "bytes=0-0,500-501")]),
    ] {
        let response = served.get_with(target, fields);
        assert_eq!(field(&response, "accept-ranges"), Some("bytes"), "{target} {fields:?}");
    }
}

#[test]
fn if_range_is_a_tag_compared_strongly_or_the_exact_date_rfc_9110_13_1_5() {
    let served = served();
    let date = |seconds| httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    for length in LENGTHS {
        let tag = field(&served.get(&format!("/{length}")), "etag").expect("a tag").to_owned();
        let with = |value: &str| {
            let fields = [("Range", "bytes=1-2"), ("If-Range", value)];
            served.get_with(&format!("/{length}"), &fields).status().code()
        };
        assert_eq!((with(&tag), with(&date(WRITTEN))), (206, 206));
        let others = [
            format!("W/{tag}"),
            "\"other\"".to_owned(),
            format!("{tag}, \"other\""),
            "*".to_owned(),
            String::new(),
            date(WRITTEN - 1),
            date(WRITTEN + 1),
            "yesterday".to_owned(),
        ];
        for value in others {
            assert_eq!(with(&value), 200, "{value}");
        }
        // It says nothing about ranges that cannot be had either: the whole is sent.
        let fields = [("Range", "bytes=900000-"), ("If-Range", "\"other\"")];
        assert_eq!(served.get_with(&format!("/{length}"), &fields).status(), Status::OK);
    }
}

#[test]
fn a_date_within_the_present_second_tells_no_content_rfc_9110_8_8_2_2() {
    let served = Served::new(|files| files);
    let now = served.world.unix_seconds.get();
    served.world.write("a", "0123", now);
    let date = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(now));
    let ask = || served.get_with("/a", &[("Range", "bytes=1-2"), ("If-Range", &date)]).status();
    assert_eq!(ask(), Status::OK, "it may change within this second and keep its date");
    served.world.unix_seconds.set(now + 1);
    assert_eq!(ask(), Status::PARTIAL_CONTENT);
}

#[test]
fn a_range_of_a_coded_file_is_of_its_coded_bytes_rfc_9110_14_1_2() {
    let served = Served::new(|files| files);
    let text: String = (0..200).map(|n| format!("line {n}, much like others\n")).collect();
    served.world.write("a.txt", text, WRITTEN);
    let accept = ("Accept-Encoding", "gzip");
    let whole = served.get_with("/a.txt", &[accept]);
    let tag = field(&whole, "etag").expect("a tag").to_owned();
    let whole = content(whole);
    let part = served.get_with("/a.txt", &[accept, ("Range", "bytes=10-19"), ("If-Range", &tag)]);
    assert_eq!(part.status(), Status::PARTIAL_CONTENT);
    assert_eq!(field(&part, "content-range"), Some(&*format!("bytes 10-19/{}", whole.len())));
    assert_eq!(
        (field(&part, "content-encoding"), field(&part, "vary"), field(&part, "etag")),
        (Some("gzip"), Some("Accept-Encoding"), Some(&*tag))
    );
    assert_eq!(content(part), whole[10..20]);
    let other = served.get_with("/a.txt", &[("Range", "bytes=10-19"), ("If-Range", &tag)]);
    assert_eq!(other.status(), Status::OK, "a part of one coding does not go with another");
}

#[test]
fn more_ranges_than_anyone_needs_are_the_whole_file_and_never_more_rfc_9110_14_2() {
    let served = served();
    let many = |count: usize, spec: &dyn Fn(usize) -> String| {
        format!("bytes={}", (0..count).map(spec).collect::<Vec<_>>().join(","))
    };
    let one_too_many = range(&served, 100_000, &many(65, &|n| format!("{}-{}", n * 1000, n * 1000)));
    assert_eq!((one_too_many.status(), content(one_too_many).len()), (Status::OK, 100_000));
    let as_many_as_may = range(&served, 100_000, &many(64, &|n| format!("{}-{}", n * 1000, n * 1000)));
    assert_eq!(parts(as_many_as_may, 100_000).len(), 64);
    let bombs = [
        many(600, &|_| "0-".to_owned()),
        many(600, &|n| format!("{n}-")),
        many(600, &|n| format!("-{}", n + 1)),
        many(65, &|n| format!("{}-{}", n * 1000, n * 1000)),
        many(64, &|n| format!("{}-{}", n * 100, n * 100 + 50)),
        many(64, &|n| format!("{}-", n * 100)),
    ];
    for value in bombs {
        let body = content(range(&served, 100_000, &value));
        assert!(body.len() <= 100_000, "{} bytes for {value}", body.len());
    }
}

/// A spec, and which bytes of `length` it asks for.
fn spec(length: usize) -> impl Strategy<Value = (String, Range<usize>)> {
    let number = 0..length + 20;
    (number.clone(), number, 0..3).prop_map(move |(a, b, form)| match form {
        0 => (format!("{}-{}", a.min(b), a.max(b)), a.min(b)..(a.max(b) + 1).min(length)),
        1 => (format!("{a}-"), a..length),
        _ => (format!("-{a}"), length.saturating_sub(a)..length),
    })
}

proptest! {
    #[test]
    fn any_list_of_ranges_gives_each_byte_that_is_there_and_none_twice_rfc_9110_14_2(
        large: bool,
        which in 0..2_u8,
        seed in proptest::collection::vec(spec(1000), 1..20),
        wide in proptest::collection::vec(spec(100_000), 1..20),
    ) {
        let length = LENGTHS[usize::from(large)];
        let specs = if large { wide } else { seed };
        let separator = if which == 0 { "," } else { " ,\t" };
        let value = specs.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(separator);
        let served = served();
        let response = range(&served, length, &format!("bytes={value}"));
        let file = pattern(length);
        let asked: Vec<_> = specs.iter().map(|(_, span)| span.clone()).filter(|span| !span.is_empty()).collect();
        match response.status().code() {
            416 => prop_assert!(asked.is_empty()),
            206 if field(&response, "content-range").is_some() => {
                let place = field(&response, "content-range").expect("a place");
                let (span, _) = place["bytes ".len()..].split_once('/').expect("a length");
                let (first, last) = span.split_once('-').expect("two numbers");
                let span = first.parse::<usize>().expect("a number")..last.parse::<usize>().expect("a number") + 1;
                prop_assert!(content(response) == file[span.clone()]);
                for asked in asked {
                    prop_assert!(span.start <= asked.start && asked.end <= span.end);
                }
            }
            206 => {
                let parts = parts(response, length);
                let mut sent = vec![0_u8; length];
                for (span, data) in &parts {
                    prop_assert!(*data == file[span.clone()]);
                    sent[span.clone()].iter_mut().for_each(|count| *count += 1);
                }
                prop_assert!(sent.iter().all(|count| *count <= 1), "a byte is sent twice");
                for asked in asked {
                    prop_assert!(sent[asked].iter().all(|count| *count == 1), "a byte is missing");
                }
            }
            status => prop_assert!(false, "{status}"),
        }
    }
}
