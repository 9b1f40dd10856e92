//! Every default of the folder server, the proxy and the library's extractors: `defaults` makes a document of these rows, and holds them to the source.

use super::defaults::From::{self, Constant, Flag, Limit, Said};
use super::defaults::Row;

/// Where every constant has to have a row: what bounds memory, time or work while files are served, requests passed on and arguments made of them.
pub const WATCHED: &[&str] = &[
    "crates/core/src/extractors.rs",
    "crates/core/src/rejection.rs",
    "crates/features/src/accept.rs",
    "crates/features/src/auth/",
    "crates/features/src/body_limit/",
    "crates/features/src/compression/",
    "crates/features/src/cors/",
    "crates/features/src/decompression/",
    "crates/features/src/error_pages/",
    "crates/features/src/files/",
    "crates/features/src/proxy/",
    "crates/features/src/random.rs",
    "crates/features/src/rate_limit/",
    "crates/features/src/recycled.rs",
    "crates/features/src/request_id/",
    "crates/features/src/request_log/",
    "crates/features/src/security_headers/",
    "crates/features/src/timeout/",
    "crates/features/src/timing/",
    "crates/features/src/transform/",
    "crates/gannet/src/extract/",
    "crates/gannet/src/mount/",
    "crates/server/src/file.rs",
    "crates/server/src/fs.rs",
    "crates/server/src/mapped.rs",
    "crates/server/src/offload.rs",
    "crates/server/src/watchdog.rs",
    "crates/engine/src/mappings.rs",
    "crates/engine/src/transfer.rs",
];

/// Constants that bound nothing that anybody sees: where a cache begins to grow from, how often a system call is tried again.
pub const NOT_DEFAULTS: &[(&str, &str)] = &[
    ("crates/features/src/files/store.rs", "EXPECTED_FILES"),
    ("crates/features/src/files/store.rs", "BOOKKEEPING_BYTES"),
    ("crates/features/src/files/compress.rs", "EXPECTED_CONTENTS"),
    ("crates/gannet/src/extract/pairs.rs", "INLINE_PAIRS"),
    // As the RFC has it.
    ("crates/gannet/src/extract/multipart/mod.rs", "BOUNDARY_BYTES"),
    ("crates/features/src/files/origin.rs", "NO_MOMENT"),
    ("crates/gannet/src/mount/response.rs", "AT_ONCE_BYTES"),
    ("crates/server/src/fs.rs", "ATTEMPTS"),
    ("crates/server/src/watchdog.rs", "LOOK"),
    ("crates/server/src/watchdog.rs", "QUIET_LOOKS"),
    ("crates/server/src/watchdog.rs", "LATE"),
    // What the kernel does, as far as it is known.
    ("crates/server/src/fs.rs", "READ_AHEAD_BYTES"),
];

const FILES: &str = "crates/features/src/files/mod.rs";
const STORE: &str = "crates/features/src/files/store.rs";
const CODEC: &str = "crates/features/src/files/codec.rs";
const COMPRESS: &str = "crates/features/src/files/compress.rs";
const MEDIA: &str = "crates/features/src/files/media.rs";
const RANGE: &str = "crates/features/src/files/range.rs";
const LISTING: &str = "crates/features/src/files/listing/mod.rs";
const PROXY: &str = "crates/features/src/proxy/mod.rs";
const FORWARD: &str = "crates/features/src/proxy/forward.rs";
const ACCEPT: &str = "crates/features/src/accept.rs";
const FAILURE: &str = "crates/features/src/proxy/failure.rs";
const EXTRACTORS: &str = "crates/core/src/extractors.rs";
const REJECTION: &str = "crates/core/src/rejection.rs";
const FAULT: &str = "crates/gannet/src/extract/fault.rs";
const WORDING: &str = "crates/gannet/src/extract/wording.rs";
const PAIRS: &str = "crates/gannet/src/extract/pairs.rs";
const MULTIPART: &str = "crates/gannet/src/extract/multipart/mod.rs";
const PART: &str = "crates/gannet/src/extract/multipart/part.rs";
const SAVE: &str = "crates/gannet/src/extract/multipart/save.rs";
const SEALED_COOKIES: &str = "crates/gannet/src/extract/sealed_cookies.rs";
const MAPPED: &str = "crates/server/src/mapped.rs";
const OFFLOAD: &str = "crates/server/src/offload.rs";
const WATCHDOG: &str = "crates/server/src/watchdog.rs";
const FLAG_TEST: &str = "without_any_flag_the_current_folder_is_served_to_this_machine";
const TLS_TEST: &str = "what_belongs_to_tls_is_taken_with_it";
const PROXY_TEST: &str = "the_proxy_takes_upstreams_and_what_both_commands_have";
const H2_TEST: &str = "what_goes_beyond_a_limit_of_http_2_meets_what_its_row_says";
const PROTOCOL_TEST: &str = "what_goes_beyond_a_limit_gets_the_error_of_its_row";

const fn row(
    name: &'static str,
    from: From,
    beyond: &'static str,
    reason: &'static str,
    test: &'static str,
) -> Row {
    Row { name, from, beyond, reason, test }
}

const fn flag(name: &'static str, beyond: &'static str, reason: &'static str) -> Row {
    row(name, Flag, beyond, reason, FLAG_TEST)
}

const fn tls_flag(name: &'static str, beyond: &'static str, reason: &'static str) -> Row {
    row(name, Flag, beyond, reason, TLS_TEST)
}

const fn proxy_flag(name: &'static str, beyond: &'static str, reason: &'static str) -> Row {
    row(name, Flag, beyond, reason, PROXY_TEST)
}

const fn limit(name: &'static str, test: &'static str) -> Row {
    row(name, Limit, "", "", test)
}

/// All of them, in the order in which they are shown.
pub const ROWS: &[Row] = &[
    flag("--listen", "any address, or several", "nobody else is served before that is asked for"),
    tls_flag(
        "--tls-cert",
        "TLS, by this certificate and its key",
        "a certificate is for a name, which only its owner knows",
    ),
    tls_flag("--tls-key", "the certificate's", "as above"),
    tls_flag(
        "--tls",
        "`self-signed`: by an authority of the user's own",
        "nobody else's browser trusts that",
    ),
    tls_flag("--tls-client-ca", "clients show certificates by these authorities", "most clients have none"),
    tls_flag(
        "--tls-client-auth",
        "`optional`: those without are served too",
        "who names authorities wants them to count",
    ),
    tls_flag("--redirect", "clear text is led to TLS", "a second port is opened when it is asked for"),
    tls_flag(
        "--hsts",
        "so long, `subdomains`, `preload`",
        "what browsers were told they remember, right or wrong",
    ),
    flag("--trust", "networks whose proxies are believed", "anybody can write what a proxy writes"),
    flag("--http1-only", "HTTP/2 is not spoken", "it is spoken with clients that ask for it, and is faster"),
    flag("--proxy-protocol", "connections begin with a header", "only those who know of it send one"),
    flag("--workers", "up to 1024", "one for each core that the process may use"),
    flag("--backend", "`uring`, `epoll` or `kqueue`", "io_uring costs less, where it may be used"),
    flag("--pin", "each worker stays on its core", "the kernel moves threads well enough"),
    flag("--share-port", "other processes may listen too", "a port that is taken is told"),
    flag("--mmap", "`on` or `off`", "measured: mappings pay for large files only"),
    flag("--spa", "`true`: paths without a file are the root's index", "most folders are no applications"),
    flag(
        "--listing",
        "`off`: a folder without an index is not found",
        "who tries it out wants to see something",
    ),
    row(
        "--log",
        Flag,
        "`text`, `json` or `off`",
        "people read terminals, programs the rest",
        "the_log_is_json_where_no_terminal_reads_it_and_text_when_asked_for",
    ),
    flag("--log-level", "`error` to `trace`", "what changes, and what goes wrong"),
    flag("--verbose", "as `--log-level debug`", "what went well is not worth a line"),
    flag("--access-log", "a file, or `off`", "who serves something wants to see who asks"),
    flag("--admin", "an address of its own", "what it tells is not for everybody"),
    proxy_flag("--balance", "`least-connections`", "all get the same, whatever they take"),
    proxy_flag("--host", "`upstream`: its own", "applications make links of the host that was asked for"),
    proxy_flag(
        "--upstream-http",
        "`1`, or `2` in clear text, too",
        "over TLS an upstream says what it speaks, and in clear text it is not asked",
    ),
    proxy_flag("--send-proxy", "`v1` or `v2`", "only those who know of it can read it"),
    proxy_flag("--upstream-ca", "these roots, and no others", "an upstream may be anybody's"),
    proxy_flag("--connect-timeout", "504, or another upstream", "who listens answers in milliseconds"),
    proxy_flag("--head-timeout", "504", "slow pages are not errors"),
    proxy_flag("--idle-timeout", "broken off", "who says nothing for so long says nothing more"),
    row(
        "--quiet",
        Flag,
        "no banner, and only errors",
        "one line says where it runs",
        "quiet_leaves_only_errors",
    ),
    row(
        "index files",
        Said("`index.html`"),
        "`Files::indexes`",
        "what every other server takes",
        "a_directory_is_answered_with_its_index_or_redirected_to_its_slash",
    ),
    row(
        "error pages of the folder's own",
        Said("`404.html` and so on, of the root"),
        "`Files::error_pages(false)`",
        "a site looks like itself",
        "the_folder_s_defaults_are_those_that_the_document_names",
    ),
    row(
        "content codings",
        Said("for who takes it; br before zstd before gzip"),
        "`Files::compression(false)`",
        "the ones that compress best first",
        "the_folder_s_defaults_are_those_that_the_document_names",
    ),
    row(
        "small files, kept in memory",
        Constant(FILES, "SMALL_BYTES", "bytes"),
        "kept open, and sent by sendfile or from a mapping",
        "a response from memory is one system call",
        "a_file_of_64_kib_is_kept_in_memory_and_a_larger_one_open",
    ),
    row(
        "memory for small files, of a worker",
        Constant(STORE, "BUDGET_BYTES", "bytes"),
        "those that were asked for least make room",
        "a site's hot files fit, a disk's do not",
        "small_files_beyond_16_mib_make_room_for_each_other",
    ),
    row(
        "files kept open, of a worker",
        Said("an eighth of the connections, over the workers; at most 1024"),
        "those that were asked for least are closed",
        "half of the descriptors that connections leave",
        "no_more_files_are_kept_open_than_descriptors_can_be_spared_for",
    ),
    row(
        "how long a file is not looked at again",
        Constant(STORE, "FRESH", ""),
        "it is looked at again: an unchanged one is not read",
        "a change is seen within a second, at the cost of an open a second",
        "a_small_file_is_opened_once_a_second_at_most_and_read_again_when_it_changed",
    ),
    row(
        "smallest file to be compressed",
        Constant(COMPRESS, "LEAST_BYTES", "bytes"),
        "smaller ones are sent as they are",
        "it would save no packet",
        "only_files_from_256_bytes_to_8_mib_are_compressed",
    ),
    row(
        "largest file to be compressed",
        Constant(COMPRESS, "MOST_BYTES", "bytes"),
        "larger ones are sent as they are, or from a side file",
        "the first client waits for it",
        "only_files_from_256_bytes_to_8_mib_are_compressed",
    ),
    row(
        "memory for what was compressed",
        Constant(COMPRESS, "BUDGET_BYTES", "bytes"),
        "what was asked for least is compressed anew when it is asked for",
        "of all files and workers together",
        "the_largest_content_that_is_compressed_can_be_kept_however_many_cores_there_are",
    ),
    row(
        "files in memory to be compressed",
        Constant(COMPRESS, "WAITING_BYTES", "bytes"),
        "more are sent as they are",
        "a burst of requests does not fill the memory",
        "no_more_is_in_memory_to_be_compressed_than_may_be",
    ),
    row(
        "brotli quality",
        Constant(CODEC, "BROTLI_QUALITY", "of 11"),
        "side files can be better",
        "a small file in a millisecond",
        "what_is_compressed_is_smaller_and_becomes_the_same_again",
    ),
    row(
        "zstd level",
        Constant(CODEC, "ZSTANDARD_LEVEL", "of 22"),
        "side files can be better",
        "its own default",
        "what_is_compressed_is_smaller_and_becomes_the_same_again",
    ),
    row(
        "gzip level",
        Constant(CODEC, "GZIP_LEVEL", "of 9"),
        "side files can be better",
        "its own default",
        "what_is_compressed_is_smaller_and_becomes_the_same_again",
    ),
    row(
        "`Cache-Control` of pages, scripts, styles, data",
        Constant(MEDIA, "REVALIDATE", ""),
        "",
        "what must fit together is asked for together",
        "only_names_with_a_fingerprint_are_kept_for_ever",
    ),
    row(
        "`Cache-Control` of images, sounds, films, fonts",
        Constant(MEDIA, "MEDIA_MAX_AGE", ""),
        "",
        "seconds; they change seldom, and are many",
        "only_names_with_a_fingerprint_are_kept_for_ever",
    ),
    row(
        "`Cache-Control` of names with a fingerprint",
        Constant(MEDIA, "IMMUTABLE", ""),
        "",
        "seconds, a year; another content has another name",
        "only_names_with_a_fingerprint_are_kept_for_ever",
    ),
    row(
        "ranges in a request",
        Constant(RANGE, "MOST_RANGES", "ranges"),
        "the field is ignored: 200 with the whole file",
        "many small parts cost more than the file",
        "many_ranges_are_not_answered_part_by_part_however_small_they_are",
    ),
    row(
        "gap between ranges",
        Constant(RANGE, "GAP_BYTES", "bytes"),
        "they are sent as parts; closer ones as one",
        "what separates two parts is longer",
        "several_ranges_keep_their_order_and_those_that_touch_become_one_rfc_9110_14_2",
    ),
    row(
        "entries of a folder that are read",
        Constant(FILES, "MOST_LISTED", "entries"),
        "listed as far as it was read, and said so",
        "some 25 ms of a core, and 10 MiB for a moment",
        "a_folder_of_more_than_100_000_entries_is_listed_as_far_as_it_was_read",
    ),
    row(
        "entries on a page",
        Constant(LISTING, "ENTRIES_PER_PAGE", "entries"),
        "on the pages that follow",
        "a page of some hundred KiB",
        "pages_lead_to_each_other_and_keep_the_order",
    ),
    row(
        "mapped sends, `--mmap auto`: from",
        Constant(MAPPED, "AUTO_BYTES", "bytes"),
        "larger ranges are mapped, smaller ones go by sendfile",
        "measured",
        "auto_maps_large_ranges_on_all_but_tiny_ones_and_off_none",
    ),
    row(
        "mapped sends, `--mmap on`: from",
        Constant(MAPPED, "SMALL_BYTES", "bytes"),
        "larger ranges are mapped, smaller ones go by sendfile",
        "a mapping costs more than these few pages",
        "auto_maps_large_ranges_on_all_but_tiny_ones_and_off_none",
    ),
    row(
        "what is sent from a mapping at a time",
        Constant("crates/engine/src/mappings.rs", "WINDOW_BYTES", "bytes"),
        "sent when the socket has taken what was before",
        "as much as a socket's buffer grows to",
        "mapped_ranges_of_any_bounds_arrive_in_order_among_bytes_and_other_files",
    ),
    row(
        "a file that is kept mapped",
        Constant("crates/engine/src/mappings.rs", "KEPT_FILE_BYTES", "bytes"),
        "a window is mapped for each send",
        "what costs is to look its pages up",
        "of_a_large_file_and_beyond_the_bounds_only_what_is_sent_is_mapped",
    ),
    row(
        "what one worker keeps mapped",
        Constant("crates/engine/src/mappings.rs", "KEPT_BYTES", "bytes"),
        "a window is mapped for each send",
        "address space; the pages are the kernel's to take back",
        "of_a_large_file_and_beyond_the_bounds_only_what_is_sent_is_mapped",
    ),
    row(
        "files that one worker keeps mapped",
        Constant("crates/engine/src/mappings.rs", "KEPT_MAPPINGS", ""),
        "a window is mapped for each send",
        "a process has so many mappings (`vm.max_map_count`)",
        "of_a_large_file_and_beyond_the_bounds_only_what_is_sent_is_mapped",
    ),
    row(
        "what is sent of one response at a time",
        Constant("crates/engine/src/transfer.rs", "FAIR_BYTES", "bytes"),
        "it is the others' turn",
        "a fast reader holds up nobody",
        "a_large_file_for_many_clients_at_once_and_one_that_reads_later",
    ),
    row(
        "a range that goes out with its head",
        Constant("crates/core/src/body.rs", "FILE_READ_BYTES", "bytes"),
        "sent behind its head, by sendfile or from a mapping",
        "one call that reads costs less than those that look and send",
        "ranges_of_a_large_file_around_what_is_read_at_once_are_its_bytes",
    ),
    row(
        "what is looked for in memory at a time",
        Constant("crates/server/src/file.rs", "PIECE_BYTES", "bytes"),
        "read by a disk's thread first, if it is not there",
        "a slow disk holds up nobody but who waits for it",
        "files_of_every_size_are_served_byte_by_byte",
    ),
    row(
        "what a disk's thread reads at a time",
        Constant("crates/server/src/fs.rs", "SCRATCH_BYTES", "bytes"),
        "it reads on",
        "its memory, whatever the file",
        "files_of_every_size_are_served_byte_by_byte",
    ),
    row(
        "threads that wait for disks",
        Constant(OFFLOAD, "DISK_THREADS", "threads"),
        "files that are not in memory wait for one",
        "a slow disk holds up so many readers, and no worker",
        "jobs_run_beside_each_other_up_to_the_number_of_threads_and_the_others_wait",
    ),
    row(
        "jobs that wait for a thread",
        Constant(OFFLOAD, "WAITING_JOBS", "jobs"),
        "503, or sent uncompressed",
        "what cannot be done soon is said at once",
        "beyond_the_queue_a_job_is_refused_and_runs_not",
    ),
    row(
        "bytes of a request's body that wait for a mounted service",
        Constant("crates/gannet/src/mount/body.rs", "WINDOW_BYTES", "bytes"),
        "no more is received until it has read",
        "what keeps the network busy while it reads",
        "an_upload_goes_no_faster_than_it_is_read",
    ),
    row(
        "a worker is held up that stays in one turn for",
        Constant(WATCHDOG, "HELD_UP", ""),
        "others take its new connections",
        "many small requests take some milliseconds",
        "a_worker_is_held_up_that_stays_in_one_turn_for_10_ms",
    ),
    row(
        "connections of workers that are held up, offered to others",
        Constant(WATCHDOG, "OFFERED", "connections"),
        "more wait in the backlog",
        "nobody is promised more than is soon taken",
        "no_more_than_64_connections_are_offered_and_the_others_wait_in_the_backlog",
    ),
    row(
        "upstream of a request",
        Said("each in its turn, on each worker"),
        "`ProxyOptions::balance`: the one with the fewest exchanges",
        "upstreams are mostly equals, and so are requests",
        "each_upstream_has_its_turn_and_each_worker_begins_at_another",
    ),
    row(
        "`Host` that an upstream is sent",
        Said("the client's"),
        "`ProxyOptions::host`: the upstream's own",
        "what an application makes links of",
        "there_is_exactly_one_host_and_it_is_the_one_that_was_asked_for",
    ),
    row(
        "whom a request came from, as an upstream is told",
        Said("`X-Forwarded-For`, `-Proto`, `-Host`, and `Forwarded`"),
        "`ProxyOptions::forwarded`: one of both styles, or neither",
        "nearly all programs know the one, and the other is the standard",
        "only_the_style_that_is_wanted_is_sent",
    ),
    row(
        "proxies that are trusted",
        Said("none"),
        "`ProxyOptions::trusted`",
        "anybody can write these fields",
        "what_a_client_says_of_itself_is_left_out_and_what_it_is_is_said",
    ),
    row(
        "time to connect to an upstream, with TLS",
        Said("5 s"),
        "504, or elsewhere",
        "who is there answers within a second; a lost packet is sent again after one, and after three",
        "an_upstream_has_5_s_to_be_connected_to_and_60_s_to_answer_and_without_a_byte",
    ),
    row(
        "time for the head of an upstream's response",
        Said("60 s"),
        "504",
        "some applications compute for long; their clients wait no longer",
        "an_upstream_has_5_s_to_be_connected_to_and_60_s_to_answer_and_without_a_byte",
    ),
    row(
        "time without a byte of a body or tunnel",
        Said("60 s"),
        "504 before the head, else the client's body is cut off",
        "who has vanished is found out",
        "an_upstream_has_5_s_to_be_connected_to_and_60_s_to_answer_and_without_a_byte",
    ),
    row(
        "failures in a row after which an upstream is left out",
        Constant(PROXY, "EJECTED_AFTER_FAILURES", "failures"),
        "`Ejection::failures`; 0: never",
        "one may be an accident",
        "after_three_failures_in_a_row_an_upstream_is_left_out_for_ten_seconds",
    ),
    row(
        "how long it is left out, the first time",
        Constant(PROXY, "EJECTION_TIME", ""),
        "`Ejection::time`; each further time in a row twice as long",
        "a restart takes some seconds",
        "after_three_failures_in_a_row_an_upstream_is_left_out_for_ten_seconds",
    ),
    row(
        "how long it is left out, at most",
        Constant(PROXY, "LONGEST_EJECTION_TIME", ""),
        "`Ejection::longest_time`",
        "one that is back is used within a minute, at the price of a failed attempt a minute",
        "each_further_time_is_twice_as_long_up_to_a_minute_and_a_success_begins_anew",
    ),
    row(
        "upstreams of a proxy",
        Constant(PROXY, "MOST_UPSTREAMS", "upstreams"),
        "refused at start; each address of a name is one",
        "choosing may look at each of them",
        "more_than_256_upstreams_are_refused_and_so_are_none",
    ),
    row(
        "attempts elsewhere, where nothing was sent",
        Said("1"),
        "502, 503 or 504",
        "more would be a flood, just when upstreams fail",
        "what_was_not_sent_goes_elsewhere_once",
    ),
    row(
        "options of a request's `Connection`, through a proxy",
        Constant(FORWARD, "MOST_CONNECTION_OPTIONS", "options"),
        "400",
        "each field is compared with each of them",
        "a_connection_of_more_than_32_options_is_refused",
    ),
    row(
        "`Accept` that is heeded where an upstream fails",
        Constant(ACCEPT, "ACCEPT_BYTES", "bytes"),
        "what comes later is not heeded",
        "it is kept for each request that is under way; browsers name HTML first",
        "a_browser_gets_a_page_and_who_asks_for_text_a_line",
    ),
    row(
        "`Retry-After` of a proxy's 503",
        Constant(FAILURE, "RETRY_AFTER_SECONDS", "s"),
        "",
        "what is under way is over soon",
        "every_failure_has_its_status_and_a_problem_that_says_what_happened_and_not_where",
    ),
    row(
        "log lines of an upstream's failures",
        Said("1 each second"),
        "the next line says how many were left out",
        "an upstream that is down must not fill the disk",
        "failures_are_logged_once_a_second_for_each_upstream_with_how_many_were_not",
    ),
    row(
        "body that an extractor takes",
        Constant(EXTRACTORS, "BODY_BYTES", "bytes"),
        "413; a filter may admit more, or less; `BodyStream` takes what comes",
        "it is in memory as a whole",
        "a_body_that_is_too_long_or_no_text_is_refused",
    ),
    row(
        "fields of a form or a query",
        Constant(PAIRS, "FORM_FIELDS", ""),
        "413, of a query 400",
        "all of them are in memory at a time, and sorted",
        "as_many_pairs_as_may_be_are_read_and_no_more",
    ),
    row(
        "nesting of JSON",
        Said("127"),
        "400",
        "each level is a call on the worker's stack",
        "what_is_no_json_is_refused_with_line_and_column",
    ),
    row(
        "parts of a multipart form",
        Constant(MULTIPART, "PARTS", ""),
        "413; `MultipartLimits::parts`",
        "each costs some work, however small it is",
        "what_goes_beyond_the_default_limits_of_multipart_forms_is_refused",
    ),
    row(
        "head of a part of a multipart form",
        Constant(MULTIPART, "PART_HEAD_BYTES", "bytes"),
        "413; `MultipartLimits::head_bytes`",
        "it is in memory as a whole",
        "what_goes_beyond_the_default_limits_of_multipart_forms_is_refused",
    ),
    row(
        "part of a multipart form that is read as a whole",
        Constant(MULTIPART, "PART_BYTES", "bytes"),
        "413; `MultipartLimits::part_bytes`",
        "it is in memory as a whole, whatever the body may have",
        "a_part_is_read_as_a_whole_up_to_2_mib",
    ),
    row(
        "what is gathered of a part before it is written to a file",
        Constant(SAVE, "GATHERED_BYTES", "bytes"),
        "it is written before more is read",
        "a write for each piece would be a job for each",
        "a_file_of_a_form_goes_to_disk_and_is_there_as_a_whole_or_not_at_all",
    ),
    row(
        "name that `Part::safe_file_name` gives",
        Constant(PART, "NAME_BYTES", "bytes"),
        "it is cut there",
        "file systems take 255 bytes, and something may be put before it",
        "a_safe_name_is_one_in_the_folder_that_it_is_put_into",
    ),
    row(
        "least secret of a `Key`",
        Constant(SEALED_COOKIES, "SECRET_BYTES", "bytes"),
        "a shorter one is no key",
        "what is shorter can be guessed",
        "a_secret_that_is_too_short_is_no_key",
    ),
    row(
        "detail of a rejection",
        Constant(REJECTION, "DETAIL_BYTES", "bytes"),
        "it is cut there",
        "it may quote what a client sent",
        "a_detail_is_cut_between_two_characters_and_only_the_first_64_errors_are_told",
    ),
    row(
        "end of what was expected that is kept of a longer detail",
        Constant(FAULT, "END_BYTES", "bytes"),
        "what is before it, and behind the beginning, is left out",
        "a message of a megabyte ends with what was expected",
        "of_a_long_message_only_what_is_told_is_kept",
    ),
    row(
        "text of a client that a rejection quotes",
        Constant(WORDING, "QUOTED_BYTES", "bytes"),
        "it is cut there",
        "enough to recognise it",
        "of_a_long_text_its_beginning_is_quoted",
    ),
    row(
        "places that a rejection tells",
        Constant(REJECTION, "ERRORS_TOLD", ""),
        "more are left out",
        "who reads them mends them one by one",
        "a_detail_is_cut_between_two_characters_and_only_the_first_64_errors_are_told",
    ),
    limit("head_timeout", "head_timeout_a_head_that_comes_a_byte_a_second_is_answered_408_after_10_s"),
    limit("body_grace", "a_body_that_does_not_go_on_is_answered_408"),
    limit(
        "body_bytes_per_second",
        "body_bytes_per_second_a_body_of_one_byte_a_second_is_answered_408_and_its_handler_dropped",
    ),
    limit("body_window_bytes", "body_window_bytes_a_body_that_is_not_read_is_not_received"),
    limit(
        "discard_bytes",
        "discard_bytes_a_body_that_nobody_reads_is_discarded_or_else_the_connection_closed",
    ),
    limit("output_bytes", "output_bytes_a_reader_that_stops_does_not_let_a_stream_run_ahead"),
    limit("write_timeout", "write_timeout_a_client_that_never_reads_is_gone_after_30_s"),
    limit("idle_timeout", "idle_timeout_a_connection_without_requests_is_closed_after_75_s"),
    limit("linger_timeout", "linger_timeout_who_goes_on_sending_after_the_last_answer_is_cut_off_after_2_s"),
    limit("tls_handshake_timeout", "tls_handshake_timeout_a_handshake_that_stalls_is_ended_after_10_s"),
    limit(
        "handshakes_per_turn",
        "handshakes_per_turn_a_storm_of_500_handshakes_holds_up_nobody_who_is_served",
    ),
    limit("connections", "connections_beyond_the_limit_wait_until_another_is_gone"),
    limit(
        "connections_per_address",
        "connections_per_address_beyond_the_limit_are_closed_and_other_addresses_served",
    ),
    limit("drain_grace", "drain_grace_an_idle_connection_has_500_ms_for_a_last_request"),
    limit("drain_timeout", "drain_timeout_what_is_not_finished_after_30_s_is_aborted"),
    limit("worker_hold", "a_handler_that_holds_its_worker_is_named_once_and_once_more_when_it_lets_go"),
    limit("log_field_bytes", "long_texts_are_cut_off_at_the_limit"),
    limit("log_ring_bytes", "every_request_of_a_burst_has_a_line_or_is_counted_as_dropped"),
    limit("log_flush_timeout", "whoever_stops_reading_the_log_holds_nobody_up"),
    limit("upstream_connections", "upstream_connections_one_more_is_503"),
    limit("upstream_idle_connections", "upstream_idle_connections_one_more_is_closed_after_its_response"),
    limit("upstream_h2_streams", "upstream_h2_streams_one_more_gets_another_connection"),
    limit("upstream_idle_timeout", "upstream_idle_timeout_a_connection_that_waits_is_closed_after_60_s"),
    limit(
        "upstream_takeover_delay",
        "upstream_takeover_delay_what_a_worker_has_not_needed_for_1_s_serves_another",
    ),
    limit("upstream_continue_timeout", "upstream_continue_timeout_a_body_is_sent_unasked_after_1_s"),
    limit("upstream_window_bytes", "upstream_window_bytes_what_is_not_passed_on_is_not_received"),
    limit("upstream_output_bytes", "upstream_output_bytes_what_is_not_taken_is_not_asked_of_the_client"),
    limit("head_bytes", PROTOCOL_TEST),
    limit("method_bytes", PROTOCOL_TEST),
    limit("target_bytes", PROTOCOL_TEST),
    limit("fields", PROTOCOL_TEST),
    limit("empty_lines", PROTOCOL_TEST),
    limit("chunk_extension_bytes", PROTOCOL_TEST),
    limit("trailer_bytes", PROTOCOL_TEST),
    limit("interim_responses", "what_a_response_has_beyond_a_limit_is_the_error_of_its_row"),
    limit("h2.streams", H2_TEST),
    limit("h2.pushed_streams", "no_more_is_promised_than_pushed_streams_says"),
    limit("h2.stream_window_bytes", H2_TEST),
    limit("h2.connection_window_bytes", H2_TEST),
    limit("h2.frame_bytes", H2_TEST),
    limit("h2.header_table_bytes", H2_TEST),
    limit("h2.header_list_bytes", H2_TEST),
    limit("h2.fields", H2_TEST),
    limit("h2.method_bytes", H2_TEST),
    limit("h2.target_bytes", H2_TEST),
    limit("h2.header_block_bytes", H2_TEST),
    limit("h2.continuations", H2_TEST),
    limit("h2.interim_responses", "interim_responses_beyond_the_limit_reset_their_stream"),
    limit("h2.resets", H2_TEST),
    limit("h2.faults", H2_TEST),
    limit("h2.pings", H2_TEST),
    limit("h2.settings", H2_TEST),
    limit("h2.priorities", H2_TEST),
    limit("h2.priority_updates", H2_TEST),
    limit("h2.window_updates", H2_TEST),
    limit("h2.useless_frames", H2_TEST),
    limit("h2.empty_data_frames", H2_TEST),
    limit("h2.tiny_data_frames", H2_TEST),
    limit("h2.priority_bytes", "a_priority_update_beyond_priority_bytes_is_ignored"),
    limit("h2.early_priorities", "of_early_priorities_the_oldest_is_forgotten"),
    limit("h2.remembered_resets", "what_comes_for_resets_that_are_not_remembered_is_useless_and_no_error"),
    limit("websocket.message_bytes", "a_message_beyond_message_bytes_fails_by_1009_however_it_is_fragmented"),
    limit("websocket.fragments", "a_message_of_more_than_fragments_frames_fails_by_1009"),
    limit("websocket.useless_frames", "floods_of_pings_and_pongs_fail_by_1008_and_messages_earn_four_each"),
    limit("proxy_line_bytes", "the_longest_line_is_read_and_no_longer_one"),
    limit("proxy_header_bytes", "the_longest_binary_header_is_read_and_no_longer_one"),
];
