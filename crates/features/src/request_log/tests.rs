//! Which fields, at which level.

use super::*;

#[test]
fn the_default_has_neither_query_nor_what_clients_say_of_themselves() {
    let log = RequestLog::new();
    let has = |field| log.has(field);
    assert!(DEFAULTS.into_iter().all(has));
    assert!(![LogField::Query, LogField::UserAgent, LogField::Host, LogField::Version].into_iter().any(has));
    let log = log.field(LogField::Query);
    assert!(log.has(LogField::Query) && log.has(LogField::Path));
    let log = log.fields([LogField::Status]);
    assert!(log.has(LogField::Status) && !log.has(LogField::Query));
}

#[test]
fn errors_of_the_server_are_errors_and_nothing_else_is() {
    let level = |code| (RequestLog::new().level)(Status::new(code).expect("a status"));
    assert_eq!([200, 302, 404, 499].map(level), [Some(Level::INFO); 4]);
    assert_eq!([500, 503, 599].map(level), [Some(Level::ERROR); 3]);
}
