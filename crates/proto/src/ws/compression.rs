//! What is agreed on about permessage-deflate (RFC 7692 section 7.1): who keeps a window from message to message, and how large it is.
//!
//! A server [chooses](choose_compression) among what a client offers, in the client's order, and leaves out what it does not understand: an offer with a parameter that is unknown, there twice, or
//! has a value that it cannot have is declined (section 7), and the next is looked at. A client [offers](Wishes::write_offer), and [checks](Wishes::check_answer) what comes back: there
//! anything of that kind fails the connection.

use super::Disbelief;
use super::extensions::{Extension, Malformed, each};
use alloc::vec::Vec;

const NAME: &[u8] = b"permessage-deflate";
const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";
/// The least and the most that a window's size can be as a power of two: 256 bytes and 32 KiB (section 7.1.2).
const LEAST_BITS: u8 = 8;
const MOST_BITS: u8 = 15;

/// How messages are compressed, each way.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Compression {
    /// The server's messages.
    pub server: Window,
    /// The client's messages.
    pub client: Window,
}

/// What whoever compresses goes back to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Window {
    /// It is kept from one message to the next. Else each message is compressed by itself, and neither side holds anything in between.
    pub is_taken_over: bool,
    /// Its size as a power of two, 8 to 15: 256 bytes to 32 KiB.
    pub bits: u8,
}

impl Window {
    /// All there is: 32 KiB, kept.
    pub const LARGEST: Window = Window { is_taken_over: true, bits: MOST_BITS };
}

impl Default for Compression {
    /// What holds where nothing is said.
    fn default() -> Compression {
        Compression { server: Window::LARGEST, client: Window::LARGEST }
    }
}

/// What one side wants of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wishes {
    /// The most that is to be held of either window. A server asks a client for less than 32 KiB only where it says that it knows how.
    pub most: Compression,
    /// The least window that our own codec can compress by: 9 for those that are zlib's. What asks for less is declined.
    pub least_bits: u8,
}

impl Default for Wishes {
    /// Whatever the peer likes, by a codec like zlib's.
    fn default() -> Wishes {
        Wishes { most: Compression::default(), least_bits: 9 }
    }
}

/// The first offer that can be agreed to: `answer` gets the value of the response's Sec-WebSocket-Extensions. `None` if there is none, and messages are not
/// compressed. `lines` has the values of all lines of the request's.
///
/// # Errors
/// A line is no list of extensions.
pub fn choose_compression(
    lines: &[&[u8]],
    wishes: Wishes,
    answer: &mut Vec<u8>,
) -> Result<Option<Compression>, Malformed> {
    let mut chosen = None;
    for line in lines {
        each(line, |extension| {
            if chosen.is_none() && is_ours(extension) {
                chosen = Parameters::of(extension).and_then(|offer| offer.agreed(wishes));
            }
        })?;
    }
    Ok(chosen.map(|(compression, parameters)| {
        parameters.write(answer);
        compression
    }))
}

/// What a client does with them.
impl Wishes {
    /// Appends an offer: the value of the request's Sec-WebSocket-Extensions.
    pub fn write_offer(self, out: &mut Vec<u8>) {
        let Compression { server, client } = self.most;
        let parameters = Parameters {
            server_no_context_takeover: !server.is_taken_over,
            client_no_context_takeover: !client.is_taken_over,
            server_max_window_bits: (server.bits < MOST_BITS).then_some(server.bits),
            client_max_window_bits: Some((client.bits < MOST_BITS).then_some(client.bits)),
        };
        parameters.write(out);
    }

    /// What the server agreed to; `None`: that messages are not compressed. `lines` has the values of all lines of the response's Sec-WebSocket-Extensions.
    ///
    /// # Errors
    /// It agreed to what was not offered, or in a way that the offer rules out.
    pub fn check_answer(self, lines: &[&[u8]]) -> Result<Option<Compression>, Disbelief> {
        let mut found = None;
        let mut all_known = true;
        for line in lines {
            each(line, |extension| {
                let agreed = is_ours(extension).then(|| Parameters::of(extension)).flatten();
                all_known &= found.is_none() && agreed.is_some();
                found = agreed;
            })
            .map_err(|_| Disbelief::UnofferedExtension)?;
        }
        if !all_known {
            return Err(Disbelief::UnofferedExtension);
        }
        found.map(|answer| self.accepted(answer).ok_or(Disbelief::UnofferedExtension)).transpose()
    }

    /// What an answer means to this offer, if it is an answer to it.
    fn accepted(self, answer: Parameters) -> Option<Compression> {
        let Compression { server, client } = self.most;
        // Only in offers the client's window may be left open.
        let client_bits = match answer.client_max_window_bits {
            Some(bits) => bits?,
            None => client.bits,
        };
        let server_bits = answer.server_max_window_bits.unwrap_or(MOST_BITS);
        let is_answer = server_bits <= server.bits
            && client_bits <= client.bits
            && client_bits >= self.least_bits
            && (server.is_taken_over || answer.server_no_context_takeover);
        is_answer.then_some(Compression {
            server: Window { is_taken_over: !answer.server_no_context_takeover, bits: server_bits },
            client: Window {
                is_taken_over: client.is_taken_over && !answer.client_no_context_takeover,
                bits: client_bits,
            },
        })
    }
}

fn is_ours(extension: Extension<'_>) -> bool {
    extension.name.eq_ignore_ascii_case(NAME)
}

/// What an offer or an answer says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Parameters {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    /// An offer may leave the value to the server.
    client_max_window_bits: Option<Option<u8>>,
}

impl Parameters {
    /// `None` if one is unknown, there twice, or has a value that it cannot have.
    fn of(extension: Extension<'_>) -> Option<Parameters> {
        let mut all = Parameters::default();
        for (name, value) in extension.parameters() {
            let bits =
                value.map(|value| value.number().filter(|bits| (LEAST_BITS..=MOST_BITS).contains(bits)));
            let once = if name.eq_ignore_ascii_case(SERVER_NO_CONTEXT_TAKEOVER.as_bytes()) {
                value.is_none() && !core::mem::replace(&mut all.server_no_context_takeover, true)
            } else if name.eq_ignore_ascii_case(CLIENT_NO_CONTEXT_TAKEOVER.as_bytes()) {
                value.is_none() && !core::mem::replace(&mut all.client_no_context_takeover, true)
            } else if name.eq_ignore_ascii_case(SERVER_MAX_WINDOW_BITS.as_bytes()) {
                all.server_max_window_bits.replace(bits??).is_none()
            } else if name.eq_ignore_ascii_case(CLIENT_MAX_WINDOW_BITS.as_bytes()) {
                let bits = if value.is_some() { Some(bits??) } else { None };
                all.client_max_window_bits.replace(bits).is_none()
            } else {
                false
            };
            if !once {
                return None;
            }
        }
        Some(all)
    }

    /// What a server with these wishes makes of this offer, and its answer; `None` if it declines.
    fn agreed(self, wishes: Wishes) -> Option<(Compression, Parameters)> {
        let most = wishes.most;
        let server = Window {
            is_taken_over: most.server.is_taken_over && !self.server_no_context_takeover,
            bits: most.server.bits.min(self.server_max_window_bits.unwrap_or(MOST_BITS)),
        };
        let client = Window {
            is_taken_over: most.client.is_taken_over && !self.client_no_context_takeover,
            // A client that does not speak of its window cannot be asked for a smaller one (section 7.1.2.2).
            bits: self
                .client_max_window_bits
                .map_or(MOST_BITS, |bits| most.client.bits.min(bits.unwrap_or(MOST_BITS))),
        };
        let answer = Parameters {
            server_no_context_takeover: !server.is_taken_over,
            client_no_context_takeover: !client.is_taken_over,
            // What was asked for is to be confirmed, even if it is the most (section 7.1.2.1).
            server_max_window_bits: (self.server_max_window_bits.is_some() || server.bits < MOST_BITS)
                .then_some(server.bits),
            client_max_window_bits: (client.bits < MOST_BITS).then_some(Some(client.bits)),
        };
        (server.bits >= wishes.least_bits).then_some((Compression { server, client }, answer))
    }

    fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(NAME);
        let mut parameter = |name: &str, value: Option<u8>| {
            out.extend_from_slice(b"; ");
            out.extend_from_slice(name.as_bytes());
            if let Some(value) = value {
                out.push(b'=');
                out.extend((value >= 10).then(|| b'0' + value / 10));
                out.push(b'0' + value % 10);
            }
        };
        if self.server_no_context_takeover {
            parameter(SERVER_NO_CONTEXT_TAKEOVER, None);
        }
        if self.client_no_context_takeover {
            parameter(CLIENT_NO_CONTEXT_TAKEOVER, None);
        }
        if self.server_max_window_bits.is_some() {
            parameter(SERVER_MAX_WINDOW_BITS, self.server_max_window_bits);
        }
        if let Some(bits) = self.client_max_window_bits {
            parameter(CLIENT_MAX_WINDOW_BITS, bits);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use proptest::prelude::*;

    const fn window(is_taken_over: bool, bits: u8) -> Window {
        Window { is_taken_over, bits }
    }

    const fn both(server: Window, client: Window) -> Compression {
        Compression { server, client }
    }

    fn answered(line: &str, wishes: Wishes) -> Option<(Compression, String)> {
        let mut answer = Vec::new();
        let chosen = choose_compression(&[line.as_bytes()], wishes, &mut answer).expect("it is a list");
        chosen.map(|chosen| (chosen, String::from_utf8(answer).expect("it is text")))
    }

    #[test]
    fn an_offer_is_answered_by_what_both_can_have() {
        let small = Wishes { most: both(window(true, 12), window(false, 10)), least_bits: 9 };
        let any = Wishes::default();
        let all = Window::LARGEST;
        for (line, wishes, expected, answer) in [
            ("permessage-deflate", any, both(all, all), "permessage-deflate"),
            ("Permessage-Deflate; CLIENT_MAX_WINDOW_BITS", any, both(all, all), "permessage-deflate"),
            (
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
                any,
                both(window(false, 15), window(false, 15)),
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            ),
            (
                "permessage-deflate; server_max_window_bits=15; client_max_window_bits=\"11\"",
                any,
                both(all, window(true, 11)),
                "permessage-deflate; server_max_window_bits=15; client_max_window_bits=11",
            ),
            (
                "permessage-deflate; server_max_window_bits=9",
                any,
                both(window(true, 9), all),
                "permessage-deflate; server_max_window_bits=9",
            ),
            (
                "permessage-deflate; client_max_window_bits",
                small,
                both(window(true, 12), window(false, 10)),
                "permessage-deflate; client_no_context_takeover; server_max_window_bits=12; client_max_window_bits=10",
            ),
            // Its window is not spoken of, so it is not limited.
            (
                "permessage-deflate",
                small,
                both(window(true, 12), window(false, 15)),
                "permessage-deflate; client_no_context_takeover; server_max_window_bits=12",
            ),
            (
                "foo; bar=1, permessage-deflate; server_max_window_bits=8, permessage-deflate; server_max_window_bits=10, permessage-deflate",
                any,
                both(window(true, 10), all),
                "permessage-deflate; server_max_window_bits=10",
            ),
        ] {
            assert_eq!(answered(line, wishes), Some((expected, String::from(answer))), "{line}");
        }
    }

    #[test]
    fn an_offer_that_is_not_understood_is_declined_and_the_next_is_looked_at() {
        for parameters in [
            "unknown",
            "server_no_context_takeover; server_no_context_takeover",
            "server_no_context_takeover=true",
            "client_no_context_takeover=1",
            "server_max_window_bits",
            "server_max_window_bits=7",
            "server_max_window_bits=8",
            "server_max_window_bits=08",
            "server_max_window_bits=16",
            "server_max_window_bits=10; server_max_window_bits=10",
            "client_max_window_bits=7",
            "client_max_window_bits=16",
            "client_max_window_bits=0x9",
            "client_max_window_bits; client_max_window_bits=10",
        ] {
            let line = alloc::format!("permessage-deflate; {parameters}");
            assert_eq!(answered(&line, Wishes::default()), None, "{line}");
            let line = line + ", permessage-deflate";
            let answer = answered(&line, Wishes::default()).map(|(_, answer)| answer);
            assert_eq!(answer.as_deref(), Some("permessage-deflate"), "{line}");
        }
        for line in ["", "permessage-bzip2", "x-webkit-deflate-frame"] {
            assert_eq!(answered(line, Wishes::default()), None);
        }
        let mut answer = Vec::new();
        let lines: [&[u8]; 2] = [b"permessage-deflate", b"permessage-deflate; ="];
        assert_eq!(choose_compression(&lines, Wishes::default(), &mut answer), Err(Malformed));
        assert!(answer.is_empty());
    }

    fn offered(offer: Wishes) -> String {
        let mut out = Vec::new();
        offer.write_offer(&mut out);
        String::from_utf8(out).expect("it is text")
    }

    #[test]
    fn an_offer_says_what_is_wanted() {
        assert_eq!(offered(Wishes::default()), "permessage-deflate; client_max_window_bits");
        let small = Wishes { most: both(window(false, 10), window(false, 9)), ..Wishes::default() };
        assert_eq!(
            offered(small),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=9"
        );
    }

    #[test]
    fn an_answer_is_believed_if_it_answers_the_offer() {
        let any = Wishes::default();
        let small = Wishes { most: both(window(false, 10), window(true, 12)), ..any };
        let check = |offer: Wishes, line: &str| offer.check_answer(&[line.as_bytes()]);
        let all = Window::LARGEST;
        assert_eq!(any.check_answer(&[]), Ok(None));
        assert_eq!(check(any, ""), Ok(None));
        assert_eq!(check(any, "permessage-deflate"), Ok(Some(both(all, all))));
        assert_eq!(
            check(
                any,
                "permessage-deflate; server_no_context_takeover; client_max_window_bits=9; server_max_window_bits=8"
            ),
            Ok(Some(both(window(false, 8), window(true, 9))))
        );
        let answer = "permessage-deflate; server_no_context_takeover; server_max_window_bits=10";
        assert_eq!(check(small, answer), Ok(Some(both(window(false, 10), window(true, 12)))));
        for (offer, line) in [
            (any, "permessage-deflate; client_max_window_bits"),
            (any, "permessage-deflate; client_max_window_bits=8"),
            (any, "permessage-deflate; unknown"),
            (any, "permessage-deflate, permessage-deflate"),
            (any, "permessage-bzip2"),
            (any, "permessage-deflate, foo"),
            (any, "permessage-deflate;"),
            (small, "permessage-deflate"),
            (small, "permessage-deflate; server_max_window_bits=10"),
            (small, "permessage-deflate; server_no_context_takeover"),
            (small, "permessage-deflate; server_no_context_takeover; server_max_window_bits=11"),
            (
                small,
                "permessage-deflate; server_no_context_takeover; server_max_window_bits=10; client_max_window_bits=13",
            ),
        ] {
            assert_eq!(check(offer, line), Err(Disbelief::UnofferedExtension), "{line}");
        }
    }

    #[test]
    fn whatever_is_offered_and_wished_for_is_agreed_on_alike_by_both() {
        let windows = || [9, 12, 15].into_iter().flat_map(|bits| [window(true, bits), window(false, bits)]);
        for (server, client) in windows().flat_map(|server| windows().map(move |client| (server, client))) {
            let offer = Wishes { most: both(server, client), ..Wishes::default() };
            for (server, client) in windows().flat_map(|server| windows().map(move |client| (server, client)))
            {
                let wishes = Wishes { most: both(server, client), ..Wishes::default() };
                let (chosen, answer) = answered(&offered(offer), wishes).expect("it can be agreed on");
                assert_eq!(
                    offer.check_answer(&[answer.as_bytes()]),
                    Ok(Some(chosen)),
                    "{offer:?} {wishes:?}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_is_offered_the_answer_is_read_as_what_was_chosen(
            parameters in prop::collection::vec(
                prop::sample::select(alloc::vec![
                    "; server_no_context_takeover",
                    "; client_no_context_takeover",
                    "; server_max_window_bits=10",
                    "; server_max_window_bits=15",
                    "; client_max_window_bits",
                    "; client_max_window_bits=12",
                    "; unknown",
                    ", permessage-deflate",
                    ", other",
                ]),
                0..8,
            ),
            server_bits in 9_u8..=15,
            client_bits in 9_u8..=15,
            takes_over: (bool, bool),
        ) {
            let line = parameters.iter().fold(String::from("permessage-deflate"), |line, more| line + more);
            let most = both(window(takes_over.0, server_bits), window(takes_over.1, client_bits));
            if let Some((chosen, answer)) = answered(&line, Wishes { most, ..Wishes::default() }) {
                // A client that wishes for nothing takes any answer, and reads all that it says.
                let read = Wishes::default().check_answer(&[answer.as_bytes()]);
                prop_assert_eq!(read, Ok(Some(chosen)), "{} {}", line, answer);
                prop_assert!(chosen.server.bits <= server_bits && (takes_over.0 || !chosen.server.is_taken_over));
            }
        }
    }
}
