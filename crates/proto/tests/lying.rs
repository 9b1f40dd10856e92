//! The corpus of servers that lie, or merely look odd: what the client's role makes of each, however its bytes are cut.

mod common;

use common::asker::Told;
use common::corpus::{Case, heard, lies, outcome_of_lie};
use common::exercise_client::client;
use gannet_proto::Limits;
use gannet_proto::h1::ResponseError;
use std::collections::HashSet;

/// Small enough that the large cases exceed them early; large enough that the others do not.
fn limits() -> Limits {
    Limits { head_bytes: 1600, chunk_extension_bytes: 40, trailer_bytes: 1000, ..Limits::default() }
}

/// The cases, each no longer than the limits make interesting.
fn short_lies() -> Vec<Case> {
    let mut cases = lies();
    cases.iter_mut().for_each(|case| case.bytes.truncate(2500));
    cases
}

#[test]
fn every_lie_ends_as_its_file_says() {
    let wrong: Vec<String> = lies()
        .iter()
        .map(|case| (case, outcome_of_lie(&heard(case, Limits::default(), [&case.bytes[..]]))))
        .filter(|(case, outcome)| *outcome != case.expected)
        .map(|(case, outcome)| {
            format!("{}\n  expected {:?}\n  was      {outcome:?}", case.name, case.expected)
        })
        .collect();
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_corpus_has_eighty_lies_and_more_each_with_a_name_of_its_own() {
    let cases = lies();
    let names: HashSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len());
    let is_fine = |end: &String| ["kept", "switched", "unfinished"].iter().any(|fine| end.starts_with(fine));
    let distrusted = cases.iter().filter(|case| !case.expected.last().is_some_and(is_fine));
    let (distrusted, all) = (distrusted.count(), cases.len());
    assert!(distrusted >= 80 && all - distrusted >= 30, "{distrusted} distrusted of {all}");
}

#[test]
fn every_error_of_responses_is_reached_by_a_case_of_the_corpus() {
    let reached: HashSet<String> = lies().iter().filter_map(|case| case.expected.last().cloned()).collect();
    for error in ResponseError::ALL {
        assert!(reached.contains(&format!("{error:?}")), "no case ends in {error:?}");
    }
}

#[test]
fn a_response_cut_at_any_byte_says_the_same() {
    for case in short_lies() {
        let whole = heard(&case, limits(), [&case.bytes[..]]);
        for cut in 0..=case.bytes.len() {
            let (before, after) = case.bytes.split_at(cut);
            let cut_in_two = heard(&case, limits(), [before, after]);
            assert_eq!(cut_in_two.told, whole.told, "{} cut at {cut}", case.name);
            assert_eq!(outcome_of_lie(&cut_in_two), outcome_of_lie(&whole), "{} cut at {cut}", case.name);
        }
    }
}

#[test]
fn a_response_that_comes_byte_by_byte_says_the_same() {
    for case in lies() {
        let whole = heard(&case, Limits::default(), [&case.bytes[..]]);
        let bytes = heard(&case, Limits::default(), case.bytes.chunks(1));
        assert_eq!(bytes.told, whole.told, "{}", case.name);
        assert_eq!(outcome_of_lie(&bytes), outcome_of_lie(&whole), "{}", case.name);
    }
}

#[test]
fn an_error_of_a_server_shows_at_the_smallest_prefix_and_stays() {
    for mut case in short_lies() {
        case.closes = false;
        let told = |end: usize| heard(&case, limits(), [&case.bytes[..end]]).told;
        let is_wrong = |end: &usize| matches!(told(*end).last(), Some(Told::Wrong(_)));
        let first = (0..=case.bytes.len()).find(is_wrong);
        for end in first.into_iter().flat_map(|first| first..=case.bytes.len()) {
            assert_eq!(told(end), told(case.bytes.len()), "{} up to {end}", case.name);
        }
    }
}

#[test]
fn every_case_of_lying_servers_holds_what_the_fuzz_target_asserts() {
    for case in lies().iter().filter(|case| case.bytes.len() < 2000) {
        for choice in [0, 1, 2, 3, 4, 5, 0x85] {
            client(&[&[choice][..], &case.bytes].concat());
        }
    }
}
