//! The defaults of the filters: rows like those of the folder server.

use super::defaults::From::{self, Constant};
use super::defaults::Row;

const BASIC: &str = "crates/features/src/auth/basic/mod.rs";
const CACHE: &str = "crates/features/src/auth/basic/cache.rs";
const CREDENTIALS: &str = "crates/features/src/auth/basic/credentials.rs";
const BEARER: &str = "crates/features/src/auth/bearer/mod.rs";
const JWT: &str = "crates/features/src/auth/bearer/jwt.rs";
const KEY: &str = "crates/features/src/auth/bearer/key.rs";
const COMPRESSION: &str = "crates/features/src/compression/mod.rs";
const ENCODED: &str = "crates/features/src/compression/encoded.rs";
const ENCODER: &str = "crates/features/src/compression/encoder.rs";
const DECOMPRESSION: &str = "crates/features/src/decompression/mod.rs";
const DECODED: &str = "crates/features/src/decompression/decoded.rs";
const DECODER: &str = "crates/features/src/decompression/decoder.rs";
const LIMIT: &str = "crates/features/src/rate_limit/mod.rs";
const RATE: &str = "crates/features/src/rate_limit/rate.rs";
const RECYCLED: &str = "crates/features/src/recycled.rs";
const REQUEST_ID: &str = "crates/features/src/request_id/mod.rs";
const KEPT_FOR_LOG: &str = "crates/features/src/request_log/kept.rs";
const NONCE: &str = "crates/features/src/security_headers/nonce.rs";
const TIMING: &str = "crates/features/src/timing/mod.rs";
const MAPPED_BODY: &str = "crates/features/src/transform/body.rs";

/// Constants that bound nothing that anybody sees: how something is computed, what it is called.
pub const NOT_DEFAULTS: &[(&str, &str)] = &[
    (BASIC, "RETRY_AFTER"),
    ("crates/features/src/auth/basic/passwords.rs", "NOBODY"),
    (ENCODED, "PIECE_BYTES"),
    (ENCODER, "HASH_BITS"),
    (ENCODER, "CHAIN_BITS"),
    (ENCODER, "BUFFER_BYTES"),
    ("crates/features/src/decompression/coded.rs", "TOLD_BYTES"),
    (DECODED, "PIECE_BYTES"),
    (DECODER, "BUFFER_BYTES"),
    (DECOMPRESSION, "RETRY_AFTER"),
    ("crates/features/src/rate_limit/gcra.rs", "INTERVAL"),
    (LIMIT, "NAME"),
    ("crates/features/src/rate_limit/table.rs", "WAYS"),
    ("crates/features/src/rate_limit/table.rs", "TIME_BITS"),
    ("crates/features/src/rate_limit/table.rs", "TIME"),
    ("crates/features/src/rate_limit/table.rs", "ATTEMPTS"),
    ("crates/features/src/rate_limit/table.rs", "SLICES"),
    ("crates/features/src/rate_limit/table.rs", "SLICE_BITS"),
    ("crates/features/src/rate_limit/told.rs", "VALUE_BYTES"),
    ("crates/features/src/rate_limit/told.rs", "NAME_BYTES"),
    ("crates/features/src/random.rs", "BUFFERED"),
    ("crates/features/src/request_id/uuid.rs", "UUID_BYTES"),
    (NONCE, "TEXT_BYTES"),
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
        "rate limit: keys there is room for",
        Constant(LIMIT, "KEYS", "keys, 8 bytes each"),
        "the key that is nearest to its whole allowance is forgotten, and begins anew",
        "memory is the same whoever asks",
        "a_million_addresses_take_the_memory_that_was_there_before_and_none_is_refused",
    ),
    row(
        "rate limit: room that may be asked for",
        Constant(LIMIT, "MOST_KEYS", "keys"),
        "as much",
        "128 MiB",
        "room_is_for_as_many_keys_as_is_said_within_bounds",
    ),
    row(
        "rate limit: requests of a rate, or of a burst",
        Constant(RATE, "MOST_REQUESTS", "requests"),
        "it is no rate",
        "time is counted in parts of the interval between two",
        "what_is_no_rate_is_told_with_the_way_out",
    ),
    row(
        "rate limit: period of a rate",
        Constant(RATE, "MOST_SECONDS", "s"),
        "it is no rate",
        "a process may not run for longer",
        "what_is_no_rate_is_told_with_the_way_out",
    ),
    row(
        "basic authentication: credentials are not verified again for",
        Constant(BASIC, "KEPT", ""),
        "they are verified",
        "a browser sends them with each request, and verifying takes tens of milliseconds",
        "what_was_right_is_not_verified_again_for_a_minute_and_what_was_wrong_is",
    ),
    row(
        "basic authentication: credentials that a worker keeps",
        Constant(CACHE, "ENTRIES", "keyed hashes"),
        "each takes the place of another",
        "memory is the same whoever asks",
        "however_many_are_kept_it_stays_as_large_as_it_was",
    ),
    row(
        "basic authentication: verifications of a worker under way",
        Constant(BASIC, "VERIFICATIONS", ""),
        "503",
        "who guesses passwords must not fill the memory with those who wait",
        "others_are_served_while_a_password_is_verified_and_no_more_than_64_are",
    ),
    row(
        "basic authentication: name and password",
        Constant(CREDENTIALS, "MOST_BYTES", "bytes"),
        "401",
        "nobody has longer ones",
        "what_nobody_can_have_is_not_read",
    ),
    row(
        "bearer: a token",
        Constant(BEARER, "MOST_TOKEN_BYTES", "bytes"),
        "400",
        "a longer one is read for longer",
        "what_is_no_token_or_two_is_a_bad_request",
    ),
    row(
        "bearer: clocks may be apart",
        Constant(JWT, "LEEWAY", ""),
        "401",
        "they are, by seconds",
        "a_token_is_good_from_when_it_says_until_when_it_says_give_or_take_a_minute",
    ),
    row(
        "bearer: a secret has at least",
        Constant(KEY, "LEAST_SECRET_BYTES", "bytes"),
        "a shorter one is no key",
        "RFC 7518, 3.2: a shorter one can be guessed from a token",
        "a_key_that_is_none_is_told_with_the_way_out",
    ),
    row(
        "compression of responses: smallest content",
        Constant(COMPRESSION, "LEAST_BYTES", "bytes"),
        "smaller ones are sent as they are",
        "it would save no packet",
        "what_is_not_to_be_compressed_is_left_alone",
    ),
    row(
        "compression of responses: by the worker, contents of",
        Constant(COMPRESSION, "AT_ONCE_BYTES", "bytes"),
        "by the threads for computations",
        "some hundred microseconds, in which nobody else is served",
        "a_content_of_more_than_16_kib_is_compressed_by_other_threads_or_sent_as_it_is",
    ),
    row(
        "compression of responses: streams of a worker at a time",
        Constant(COMPRESSION, "STREAMS", "streams"),
        "sent as they are",
        "each has a compressor's memory: less than 1 MiB",
        "no_more_streams_are_compressed_at_a_time_than_may_be",
    ),
    row(
        "compression of responses: at a time, of a stream",
        Constant(ENCODED, "SLICE_BYTES", "bytes"),
        "others have their turn",
        "some hundred microseconds",
        "others_have_their_turn_after_each_16_kib",
    ),
    row(
        "compression of responses: brotli quality",
        Constant(ENCODER, "BROTLI_QUALITY", "of 11"),
        "",
        "one client waits for it",
        "a_short_content_is_compressed_at_once_and_has_its_length",
    ),
    row(
        "compression of responses: zstd level",
        Constant(ENCODER, "ZSTANDARD_LEVEL", "of 22"),
        "",
        "its own default",
        "a_short_content_is_compressed_at_once_and_has_its_length",
    ),
    row(
        "compression of responses: gzip level",
        Constant(ENCODER, "GZIP_LEVEL", "of 9"),
        "",
        "its own default",
        "a_short_content_is_compressed_at_once_and_has_its_length",
    ),
    row(
        "compression of responses: window",
        Constant(ENCODER, "WINDOW_BITS", "bits"),
        "repetitions further back are not found",
        "128 KiB: each stream has memory for it",
        "a_stream_that_is_compressed_takes_less_than_1_mib",
    ),
    row(
        "decompression of requests: a body is decoded to",
        Constant(DECOMPRESSION, "MOST_BYTES", "bytes"),
        "413",
        "what a client sends in a moment must not hold a server up",
        "a_body_may_be_decoded_to_so_much_and_to_so_many_times_as_much",
    ),
    row(
        "decompression of requests: to so many times as many bytes",
        Constant(DECOMPRESSION, "MOST_RATIO", "times"),
        "413",
        "text becomes a tenth, a bomb a thousandth",
        "a_bomb_is_413_and_not_decoded_further",
    ),
    row(
        "decompression of requests: bytes whose ratio is not looked at",
        Constant(DECOMPRESSION, "RATIO_FREE_BYTES", "bytes"),
        "the ratio is looked at",
        "small bodies of one letter are no attack",
        "a_body_may_be_decoded_to_so_much_and_to_so_many_times_as_much",
    ),
    row(
        "decompression of requests: codings, one upon the other",
        Constant(DECOMPRESSION, "MOST_LAYERS", "codings"),
        "415",
        "nobody needs two",
        "a_coding_that_is_not_known_is_415_with_those_that_are",
    ),
    row(
        "decompression of requests: memory for decoders of a worker",
        Constant(DECOMPRESSION, "MEMORY_BYTES", "bytes"),
        "503",
        "a window of brotli has 16 MiB",
        "memory_for_decoders_is_bounded_and_given_back",
    ),
    row(
        "decompression of requests: window of zstd",
        Constant(DECODER, "ZSTANDARD_WINDOW_BITS", "bits"),
        "400",
        "8 MiB: RFC 9659",
        "a_window_of_more_than_8_mib_is_not_taken",
    ),
    row(
        "decompression of requests: decoded at a time",
        Constant(DECODED, "TURN_BYTES", "bytes"),
        "others have their turn",
        "some hundred microseconds",
        "a_body_comes_in_any_pieces",
    ),
    row(
        "filters: what is kept of a request for its response, to be used again",
        Constant(RECYCLED, "KEPT", "requests, of each filter"),
        "it is allocated, and freed after",
        "as many as wait at a time",
        "what_is_given_back_is_used_again_unless_somebody_keeps_it",
    ),
    row(
        "request id: longest that is taken from others",
        Constant(REQUEST_ID, "ID_BYTES", "bytes"),
        "a new one is made",
        "it ends up in logs, and is sent on",
        "a_proxy_s_id_is_taken_where_the_proxy_is_trusted_and_the_id_is_one",
    ),
    row(
        "request log: longest value that a client chooses",
        Constant(KEPT_FOR_LOG, "FIELD_BYTES", "bytes"),
        "it is cut",
        "a client chooses what a line of the log holds",
        "a_request_is_an_event_with_the_fields_that_are_wanted_at_the_level_of_its_status",
    ),
    row(
        "server timing: all parts of a response",
        Constant(TIMING, "PARTS_BYTES", "bytes"),
        "further parts are left out",
        "a loop may record one for each of its rounds",
        "the_total_and_the_parts_that_a_handler_names_are_told",
    ),
    row(
        "security headers: chance in a nonce",
        Constant(NONCE, "DRAWN_BYTES", "bytes"),
        "as much",
        "CSP level 3, 7.1 asks for 128 bits",
        "each_is_another_and_stands_in_html_and_in_a_policy_as_it_is",
    ),
    row(
        "transformation of bodies: read of a file at a time",
        Constant(MAPPED_BODY, "READ_BYTES", "bytes"),
        "as much",
        "it passes through memory",
        "every_kind_of_body_is_mapped_piece_by_piece_and_trailers_come_behind",
    ),
];
