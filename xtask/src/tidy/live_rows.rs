//! The defaults of what is live: WebSockets, broadcast, events, subscriptions of GraphQL; rows like those of the folder server.

use super::defaults::From::{self, Constant};
use super::defaults::Row;

/// Where every constant has to have a row.
pub const WATCHED: &[&str] = &[
    "crates/features/src/broadcast/",
    "crates/features/src/events/",
    "crates/features/src/websocket/",
    "crates/gannet/src/graphql/mod.rs",
    "crates/gannet/src/graphql/subscriptions.rs",
];

const OPTIONS: &str = "crates/features/src/websocket/options.rs";
const LINE: &str = "crates/features/src/websocket/line.rs";
const SERVED: &str = "crates/features/src/websocket/served.rs";
const BROADCAST: &str = "crates/features/src/broadcast/mod.rs";
const EVENTS: &str = "crates/features/src/events/mod.rs";
const GRAPHQL: &str = "crates/gannet/src/graphql/mod.rs";
const SUBSCRIPTIONS: &str = "crates/gannet/src/graphql/subscriptions.rs";
const SILENT_TEST: &str = "a_client_of_which_nothing_is_heard_is_asked_and_one_that_does_not_answer_is_gone";
const RECOMMENDED_TEST: &str =
    "with_the_recommended_limits_a_query_is_neither_too_deep_nor_too_complex_nor_has_too_many_directives";

/// Constants that bound nothing that anybody sees: how something is sent, and what a worker keeps to use again.
pub const NOT_DEFAULTS: &[(&str, &str)] = &[
    ("crates/features/src/websocket/deflate.rs", "KEPT"),
    ("crates/features/src/websocket/deflate.rs", "PIECE_BYTES"),
    ("crates/features/src/websocket/handshake.rs", "MOST_LINES"),
    (SERVED, "SHORT_BYTES"),
    ("crates/features/src/websocket/state.rs", "COPIED_BYTES"),
    ("crates/features/src/websocket/work.rs", "KEPT"),
    ("crates/features/src/websocket/work.rs", "KEPT_BYTES"),
    ("crates/features/src/events/stream.rs", "BEAT"),
    (SUBSCRIPTIONS, "PROTOCOL"),
];

const fn row(
    name: &'static str,
    from: From,
    beyond: &'static str,
    reason: &'static str,
    test: &'static str,
) -> Row {
    Row { name, from, beyond, reason, test }
}

/// All of them, in the order in which they are shown.
pub const ROWS: &[Row] = &[
    row(
        "WebSocket: Ping",
        Constant(OPTIONS, "PING_INTERVAL", ""),
        "a client of which nothing was heard is sent one",
        "what is between closes connections that say nothing, mostly after a minute",
        SILENT_TEST,
    ),
    row(
        "WebSocket: idle",
        Constant(OPTIONS, "IDLE_TIMEOUT", ""),
        "a client of which nothing was heard, not even an answer, is closed: 1001",
        "two Pings' time",
        SILENT_TEST,
    ),
    row(
        "WebSocket: answer to a Close",
        Constant(OPTIONS, "CLOSE_TIMEOUT", ""),
        "the connection is closed",
        "who is there answers at once",
        "a_close_that_is_not_answered_ends_the_connection_after_a_while",
    ),
    row(
        "WebSocket: what waits to be sent",
        Constant(LINE, "WINDOW_BYTES", "bytes"),
        "`send` waits, and nothing is read of the client",
        "as of other bodies",
        "a_client_that_sends_and_reads_nothing_holds_little_and_others_are_served",
    ),
    row(
        "WebSocket: frames that carry nothing are counted anew",
        Constant(SERVED, "REFILLED_EVERY", ""),
        "the count begins at 0",
        "so that a conversation may last",
        "what_breaks_the_protocol_is_told_by_its_code_and_nobody_else_hears_of_it",
    ),
    row(
        "broadcast: messages that wait for a subscriber",
        Constant(BROADCAST, "BACKLOG", "messages"),
        "it misses the oldest, unless another end was chosen",
        "some seconds of a lively room; each is some 50 bytes a subscriber",
        "who_is_too_slow_misses_the_oldest_or_the_newest_or_is_closed",
    ),
    row(
        "broadcast: messages that wait for a worker",
        Constant(BROADCAST, "WORKER_BACKLOG", "messages"),
        "the oldest is dropped",
        "a worker that takes none is held up, and its subscribers are behind anyway",
        "a_worker_that_takes_nothing_has_the_newest_messages_and_one_letter",
    ),
    row(
        "events: a comment where nothing is said",
        Constant(EVENTS, "HEARTBEAT", ""),
        "one is sent",
        "what is between closes connections that say nothing",
        "events_go_on_with_a_comment_where_nothing_is_said_and_end_with_the_server",
    ),
    row(
        "GraphQL: requests of a batch",
        Constant(GRAPHQL, "BATCH", "requests"),
        "400",
        "they are executed together",
        "a_batch_is_answered_in_its_order_and_bounded",
    ),
    row(
        "GraphQL: depth, where the limits are asked for",
        Constant(GRAPHQL, "DEPTH", ""),
        "an error of the request",
        "introspection, as GraphiQL asks, needs 13",
        RECOMMENDED_TEST,
    ),
    row(
        "GraphQL: complexity, where the limits are asked for",
        Constant(GRAPHQL, "COMPLEXITY", "fields"),
        "an error of the request",
        "each field may cost a query of a database",
        RECOMMENDED_TEST,
    ),
    row(
        "GraphQL: directives of a field, where the limits are asked for",
        Constant(GRAPHQL, "DIRECTIVES", ""),
        "an error of the request",
        "nobody writes so many",
        RECOMMENDED_TEST,
    ),
    row(
        "GraphQL subscriptions: `connection_init`",
        Constant(SUBSCRIPTIONS, "INIT_TIMEOUT", ""),
        "4408",
        "clients send it at once",
        "a_client_that_does_not_begin_is_closed",
    ),
    row(
        "GraphQL subscriptions: operations of a connection",
        Constant(SUBSCRIPTIONS, "OPERATIONS", ""),
        "an error of the operation",
        "each has memory of its own",
        "more_operations_than_may_be_are_refused_one_by_one",
    ),
    row(
        "GraphQL subscriptions: a message",
        Constant(SUBSCRIPTIONS, "MESSAGE_BYTES", "bytes"),
        "1009",
        "as large as a request by POST",
        "a_client_that_breaks_the_protocol_is_told_by_the_code_for_it",
    ),
];
