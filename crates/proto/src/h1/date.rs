//! The Date field's value (RFC 9110 section 5.6.7).

const DAYS: &[u8; 21] = b"ThuFriSatSunMonTueWed";
const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
/// 31 December 9999, 23:59:59: the last second that four digits of a year can say.
const LAST: u64 = 253_402_300_799;

/// Writes the time as an IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`. Times after the year 9999 count as its end.
pub fn date(unix_seconds: u64, out: &mut [u8; 29]) {
    let seconds = unix_seconds.min(LAST);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    *out = *b"Sun, 06 Nov 1994 08:49:37 GMT";
    out[..3].copy_from_slice(three(DAYS, days % 7));
    two_digits(day, &mut out[5..7]);
    out[8..11].copy_from_slice(three(MONTHS, month));
    two_digits(year / 100, &mut out[12..14]);
    two_digits(year % 100, &mut out[14..16]);
    two_digits(second / 3600, &mut out[17..19]);
    two_digits(second / 60 % 60, &mut out[20..22]);
    two_digits(second % 60, &mut out[23..25]);
}

/// Year, month (0 is January) and day of the month of a day counted from 1970-01-01, in the Gregorian calendar.
///
/// Years are counted from March, so that the leap day is the last of its year; 400 such years always have
/// 146,097 days, and five months from March or August on always have 153.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12;
    let year = era * 400 + year_of_era + u64::from(month < 2);
    (year, month, day)
}

fn three(names: &[u8], index: u64) -> &[u8] {
    let start = 3 * index as usize;
    &names[start..start + 3]
}

fn two_digits(number: u64, out: &mut [u8]) {
    out.copy_from_slice(&[b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]);
}

#[cfg(test)]
mod tests {
    use super::date;

    fn written(seconds: u64) -> [u8; 29] {
        let mut out = [0; 29];
        date(seconds, &mut out);
        out
    }

    #[test]
    fn the_example_of_the_rfc_and_the_edges_of_the_calendar() {
        assert_eq!(&written(784_111_777), b"Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(&written(0), b"Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(&written(951_782_399), b"Mon, 28 Feb 2000 23:59:59 GMT");
        assert_eq!(&written(951_782_400), b"Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(&written(4_107_542_399), b"Sun, 28 Feb 2100 23:59:59 GMT");
        assert_eq!(&written(4_107_542_400), b"Mon, 01 Mar 2100 00:00:00 GMT");
        assert_eq!(&written(253_402_300_799), b"Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(written(u64::MAX), written(253_402_300_799));
    }

    #[test]
    fn every_day_of_eight_centuries_follows_the_one_before() {
        const LENGTHS: [u8; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let (mut year, mut month, mut day) = (1970_u64, 0_usize, 1_u8);
        for days in 0..800 * 365 {
            assert_eq!(super::civil(days), (year, month as u64, u64::from(day)));
            let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
            let length = LENGTHS[month] + u8::from(leap && month == 1);
            (month, day) = if day < length { (month, day + 1) } else { (month + 1, 1) };
            (year, month) = if month == 12 { (year + 1, 0) } else { (year, month) };
        }
    }
}
