//! Lengths and times, as people and as programs read them.

use std::fmt::{self, Display, Formatter};
use std::time::{SystemTime, UNIX_EPOCH};

const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// A length in the unit that suits it: `512 B`, `1.2 KiB`, `3.0 GiB`.
pub(super) struct Size(pub(super) u64);

/// A number with its thousands apart: `1,234,567`.
pub(super) struct Grouped(pub(super) u64);

/// A moment in UTC, to the second. Years before 0 and after 9999, which four digits cannot say, count as the nearest.
pub(super) struct Moment {
    year: i64,
    month: i64,
    day: i64,
    second: i64,
}

impl Display for Size {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0 < 1024 {
            return write!(f, "{} B", self.0);
        }
        // Tenths of each unit in turn, rounded, until there are fewer than 1024 units.
        let tenths = |unit: usize| {
            let shift = 10 * (unit as u32 + 1);
            ((u128::from(self.0) * 10) + (1 << (shift - 1))) >> shift
        };
        let unit = (0..UNITS.len() - 1).find(|&unit| tenths(unit) < 10_240).unwrap_or(UNITS.len() - 1);
        write!(f, "{}.{} {}", tenths(unit) / 10, tenths(unit) % 10, UNITS[unit])
    }
}

impl Display for Grouped {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (index, digit) in digits.char_indices() {
            let separator = if index > 0 && (digits.len() - index).is_multiple_of(3) { "," } else { "" };
            write!(f, "{separator}{digit}")?;
        }
        Ok(())
    }
}

/// 0000-01-01 and 9999-12-31, 23:59:59, in seconds since 1970.
const FIRST_AND_LAST: (i64, i64) = (-62_167_219_200, 253_402_300_799);

impl From<SystemTime> for Moment {
    fn from(time: SystemTime) -> Moment {
        let seconds = match time.duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            // Before 1970: the second that had begun.
            Err(before) => {
                let before = before.duration();
                let whole = i64::try_from(before.as_secs()).unwrap_or(i64::MAX - 1);
                -whole - i64::from(before.subsec_nanos() > 0)
            }
        };
        let seconds = seconds.clamp(FIRST_AND_LAST.0, FIRST_AND_LAST.1);
        let (year, month, day) = civil(seconds.div_euclid(86_400));
        Moment { year, month, day, second: seconds.rem_euclid(86_400) }
    }
}

impl Display for Moment {
    /// As RFC 3339 writes it, or, in the alternate form (`{:#}`), shorter and to the minute.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Moment { year, month, day, second } = self;
        let (hour, minute) = (second / 3600, second / 60 % 60);
        if f.alternate() {
            return write!(f, "{year:04}-{month:02}-{day:02} <span>{hour:02}:{minute:02}</span>");
        }
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}Z", second % 60)
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar.
///
/// Years are counted from March, so that the leap day is the last of its year; 400 such years always have 146,097 days, and
/// five months from March or August on always have 153.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (400 * era + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn sizes_are_in_the_unit_that_suits_them_and_never_reach_1024_of_it() {
        let sizes = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1234, "1.2 KiB"),
            (1_048_524, "1023.9 KiB"),
            (1_048_525, "1.0 MiB"),
            (1_048_576, "1.0 MiB"),
            (10 << 30, "10.0 GiB"),
            (u64::MAX, "16.0 EiB"),
        ];
        for (length, text) in sizes {
            assert_eq!(Size(length).to_string(), text, "{length}");
        }
    }

    #[test]
    fn thousands_stand_apart() {
        let grouped = [0, 999, 1000, 1_234_567, u64::MAX].map(|number| Grouped(number).to_string());
        assert_eq!(grouped, ["0", "999", "1,000", "1,234,567", "18,446,744,073,709,551,615"]);
    }

    fn moment(seconds: i64) -> Moment {
        let distance = Duration::from_secs(seconds.unsigned_abs());
        Moment::from(if seconds < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance })
    }

    #[test]
    fn times_are_utc_and_of_any_year_that_four_digits_can_say() {
        assert_eq!(moment(784_111_777).to_string(), "1994-11-06T08:49:37Z");
        assert_eq!(format!("{:#}", moment(784_111_777)), "1994-11-06 <span>08:49</span>");
        assert_eq!(moment(0).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(moment(-1).to_string(), "1969-12-31T23:59:59Z");
        assert_eq!(moment(951_782_400).to_string(), "2000-02-29T00:00:00Z");
        assert_eq!(moment(-62_167_219_200).to_string(), "0000-01-01T00:00:00Z");
        assert_eq!(moment(-62_167_219_201).to_string(), "0000-01-01T00:00:00Z");
        assert_eq!(moment(253_402_300_800).to_string(), "9999-12-31T23:59:59Z");
        let half = UNIX_EPOCH - Duration::from_millis(500);
        assert_eq!(Moment::from(half).to_string(), "1969-12-31T23:59:59Z");
    }

    #[test]
    fn every_day_of_four_centuries_either_way_follows_the_one_before() {
        let (mut year, mut month, mut day) = civil(-146_098);
        for days in -146_097..146_097 {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month {
                2 => 28 + i64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            (month, day) = if day < length { (month, day + 1) } else { (month + 1, 1) };
            (year, month) = if month == 13 { (year + 1, 1) } else { (year, month) };
            assert_eq!(civil(days), (year, month, day));
        }
    }
}
