//! The smuggling corpus: messages that two readers could understand differently, each with what must become of it,
//! and beside them messages that merely look odd, so that strictness is never blanket.

mod common;

use common::corpus::{cases, outcome};
use std::collections::HashSet;

#[test]
fn every_case_of_the_corpus_ends_as_its_file_says() {
    let wrong: Vec<String> = cases()
        .iter()
        .map(|case| (case, outcome(&case.bytes)))
        .filter(|(case, outcome)| *outcome != case.expected)
        .map(|(case, outcome)| {
            format!("{}\n  expected {:?}\n  was      {outcome:?}", case.name, case.expected)
        })
        .collect();
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_corpus_has_eighty_cases_and_more_each_with_a_name_of_its_own() {
    let cases = cases();
    let names: HashSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len());
    let refused =
        cases.iter().filter(|case| case.expected.last().is_some_and(|line| line.starts_with(['4', '5'])));
    let (refused, all) = (refused.count(), cases.len());
    assert!(refused >= 80 && all - refused >= 25, "{refused} refused of {all}");
}

#[test]
fn every_error_is_reached_by_a_case_of_the_corpus() {
    let reached: HashSet<String> = cases().iter().filter_map(|case| case.expected.last().cloned()).collect();
    for error in gannet_proto::h1::Error::ALL {
        let line = format!("{} {error:?}", error.status());
        assert!(reached.contains(&line), "no case ends in {line}");
    }
}
