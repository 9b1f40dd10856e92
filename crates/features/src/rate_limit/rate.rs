//! How many requests in how long, and how it is written: `100/s`.

use std::fmt;
use std::str::FromStr;

/// The most requests of a rate, and of a burst.
const MOST_REQUESTS: u32 = 1_000_000;

/// The longest period of a rate.
const MOST_SECONDS: u32 = 24 * 3600;

/// So many requests in so long, and how many of them may come at once.
///
/// Written as `100/s`, `5/m`, `1000/h`, `20000/d`, or with a number before the unit: `20/10s`. From 1 to 1,000,000 requests, in one second to
/// one day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    requests: u32,
    seconds: u32,
    burst: u32,
}

/// Why something is no [`Rate`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvalidRate {
    written: String,
    reason: Reason,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reason {
    NoSlash,
    Requests,
    Period,
    Unit,
    Burst,
}

/// What can be made into a [`Rate`]: one, or how it is written.
pub trait IntoRate {
    /// Makes it one.
    ///
    /// # Errors
    /// When it is written otherwise than [`Rate`] says.
    fn into_rate(self) -> Result<Rate, InvalidRate>;
}

impl Rate {
    /// `requests` in `seconds`; as many may come at once.
    ///
    /// # Errors
    /// Where either is out of the bounds that [`Rate`] names.
    pub fn new(requests: u32, seconds: u32) -> Result<Rate, InvalidRate> {
        let invalid = |reason| InvalidRate { written: format!("{requests}/{seconds}s"), reason };
        if !(1..=MOST_REQUESTS).contains(&requests) {
            return Err(invalid(Reason::Requests));
        }
        if !(1..=MOST_SECONDS).contains(&seconds) {
            return Err(invalid(Reason::Period));
        }
        Ok(Rate { requests, seconds, burst: requests })
    }

    /// How many may come at once, after a pause that was long enough. By default as many as in the whole period; one: each waits its turn.
    ///
    /// # Errors
    /// When it is none, or more than 1,000,000.
    pub fn with_burst(mut self, burst: u32) -> Result<Rate, InvalidRate> {
        if !(1..=MOST_REQUESTS).contains(&burst) {
            return Err(InvalidRate { written: burst.to_string(), reason: Reason::Burst });
        }
        self.burst = burst;
        Ok(self)
    }

    /// The requests of a period.
    pub fn requests(&self) -> u32 {
        self.requests
    }

    /// The period, in seconds.
    pub fn seconds(&self) -> u32 {
        self.seconds
    }

    /// How many may come at once.
    pub fn burst(&self) -> u32 {
        self.burst
    }
}

impl IntoRate for Rate {
    fn into_rate(self) -> Result<Rate, InvalidRate> {
        Ok(self)
    }
}

impl IntoRate for &str {
    fn into_rate(self) -> Result<Rate, InvalidRate> {
        self.parse()
    }
}

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Rate, InvalidRate> {
        let invalid = |reason| InvalidRate { written: text.to_owned(), reason };
        let (requests, period) = text.split_once('/').ok_or(invalid(Reason::NoSlash))?;
        let requests = number(requests).ok_or(invalid(Reason::Requests))?;
        let digits = period.bytes().take_while(u8::is_ascii_digit).count();
        let (count, unit) = period.split_at(digits);
        let count = if count.is_empty() { Some(1) } else { number(count) };
        let unit = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 24 * 3600,
            _ => return Err(invalid(Reason::Unit)),
        };
        let seconds = count.and_then(|count| count.checked_mul(unit)).ok_or(invalid(Reason::Period))?;
        Rate::new(requests, seconds).map_err(|InvalidRate { reason, .. }| invalid(reason))
    }
}

/// Digits only: no sign, no blank.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

impl fmt::Display for InvalidRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = &self.written;
        match self.reason {
            Reason::NoSlash => write!(
                f,
                "`{written}` does not say in how long: write requests and a period, as `100/s` or `5/m`"
            ),
            Reason::Requests => {
                write!(f, "`{written}` does not begin with a number of requests, from 1 to {MOST_REQUESTS}")
            }
            Reason::Period => write!(f, "the period of `{written}` is not from one second to one day"),
            Reason::Unit => write!(
                f,
                "the period of `{written}` has no unit that is known: `s`, `m`, `h` or `d`, as in `100/s` or `20/10s`"
            ),
            Reason::Burst => write!(f, "a burst of {written} is not one of 1 to {MOST_REQUESTS} requests"),
        }
    }
}

impl std::error::Error for InvalidRate {}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<(u32, u32, u32), String> {
        let rate = text.into_rate().map_err(|error| error.to_string())?;
        Ok((rate.requests(), rate.seconds(), rate.burst()))
    }

    #[test]
    fn a_rate_is_requests_and_a_period_with_its_unit() {
        for (text, requests, seconds) in [
            ("100/s", 100, 1),
            ("5/m", 5, 60),
            ("1000/h", 1000, 3600),
            ("20000/d", 20_000, 86_400),
            ("20/10s", 20, 10),
            ("1/24h", 1, 86_400),
            ("1000000/s", 1_000_000, 1),
        ] {
            assert_eq!(parsed(text), Ok((requests, seconds, requests)), "{text}");
        }
    }

    #[test]
    fn what_is_no_rate_is_told_with_the_way_out() {
        for (text, word) in [
            ("100", "in how long"),
            ("", "in how long"),
            ("/s", "number of requests"),
            ("0/s", "from 1 to 1000000"),
            ("1000001/s", "from 1 to 1000000"),
            ("+5/s", "number of requests"),
            (" 5/s", "number of requests"),
            ("99999999999/s", "number of requests"),
            ("5/", "no unit"),
            ("5/x", "no unit"),
            ("5/S", "no unit"),
            ("5/10", "no unit"),
            ("5/0s", "one second to one day"),
            ("5/25h", "one second to one day"),
            ("5/4294967295d", "one second to one day"),
        ] {
            let error = parsed(text).expect_err(text);
            assert!(error.contains(word) && error.contains(text), "{text}: {error}");
        }
        let rate = Rate::new(5, 60).expect("a rate");
        for burst in [0, MOST_REQUESTS + 1] {
            assert!(rate.with_burst(burst).expect_err("none").to_string().contains(&burst.to_string()));
        }
        assert_eq!(rate.with_burst(1).map(|rate| rate.burst()), Ok(1));
    }
}
