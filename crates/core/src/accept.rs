//! What a client would rather have: the Accept field (RFC 9110, 12.5.1).

/// Which of `offers` (media types, the server's favourite first) the client prefers, as an index; none when it accepts none
/// of them.
///
/// Each offer gets the weight of the most specific range that matches it. The heaviest is taken; among equals the one that
/// was named more specifically, so that `text/html, */*` means HTML; then the server's favourite. Without a field, or with an
/// empty one, anything is welcome. What is malformed is passed over. A range with a parameter matches no offer, unless the
/// parameter is `charset=utf-8`, which all of ours are.
///
/// A problem (`application/problem+json`, RFC 9457) is JSON: who names `application/json`, or any `+json`, takes it as if it had been named itself.
pub fn preferred_media_type(accept: Option<&[u8]>, offers: &[&str]) -> Option<usize> {
    let accept = accept.unwrap_or_default().trim_ascii();
    if accept.is_empty() {
        return (!offers.is_empty()).then_some(0);
    }
    let mut best = None;
    for (index, offer) in offers.iter().enumerate() {
        let rating = rate(accept, offer);
        if rating.weight > 0 && best.is_none_or(|(_, other)| rating > other) {
            best = Some((index, rating));
        }
    }
    best.map(|(index, _)| index)
}

/// How welcome an offer is; ordered by weight, then by how specifically it was named.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Rating {
    /// In thousandths (RFC 9110, 12.4.2).
    weight: u16,
    specificity: u8,
}

/// What names an offer by another name that fits it is passed over where it is named by its own, and else counts as much.
const BY_ANOTHER_NAME: u8 = 3;
const BY_ITS_NAME: u8 = 4;

fn rate(accept: &[u8], offer: &str) -> Rating {
    let ratings = split(accept, b',').filter_map(|member| rate_by(member, offer));
    let rating = ratings.max_by_key(|rating| (rating.specificity, rating.weight)).unwrap_or_default();
    Rating { specificity: rating.specificity.min(BY_ANOTHER_NAME), ..rating }
}

/// Whether a client asks for JSON: it names it, by whichever of its names, and likes it as much as text and pages. Who takes anything does not ask for it.
pub(crate) fn asks_for_json(accept: Option<&[u8]>) -> bool {
    let names_it = rate(accept.unwrap_or_default(), PROBLEM).specificity > ANYTHING;
    names_it && preferred_media_type(accept, &[PROBLEM, "text/plain", "text/html"]) == Some(0)
}

/// What a problem is (RFC 9457, 3).
pub(crate) const PROBLEM: &str = "application/problem+json";

/// What one member of the list says of an offer, if it matches.
fn rate_by(member: &[u8], offer: &str) -> Option<Rating> {
    let mut parts = split(member, b';');
    let specificity = matches(parts.next()?, offer)?;
    let mut weight = 1000;
    for parameter in parts.filter(|parameter| !parameter.is_empty()) {
        match parameter {
            [b'q' | b'Q', b'=', value @ ..] => weight = thousandths(value)?,
            other if is_utf8_charset(other) => {}
            _ => return None,
        }
    }
    Some(Rating { weight, specificity })
}

/// How specifically a range names an offer, if it does.
fn matches(range: &[u8], offer: &str) -> Option<u8> {
    if range == b"*/*" {
        return Some(ANYTHING);
    }
    let group = &offer.as_bytes()[..=offer.find('/')?];
    match range.strip_suffix(b"*") {
        Some(wanted) => wanted.eq_ignore_ascii_case(group).then_some(2),
        None if range.eq_ignore_ascii_case(offer.as_bytes()) => Some(BY_ITS_NAME),
        None => (offer == PROBLEM && is_json(range)).then_some(BY_ANOTHER_NAME),
    }
}

const ANYTHING: u8 = 1;

/// `application/json`, and what is JSON besides being something else (RFC 6839, 3.1).
fn is_json(range: &[u8]) -> bool {
    let Some((kind, subtype)) = range.split_at_checked(b"application/".len()) else { return false };
    let suffix = subtype.last_chunk::<5>().is_some_and(|suffix| suffix.eq_ignore_ascii_case(b"+json"));
    kind.eq_ignore_ascii_case(b"application/") && (suffix || subtype.eq_ignore_ascii_case(b"json"))
}

fn is_utf8_charset(parameter: &[u8]) -> bool {
    [&b"charset=utf-8"[..], b"charset=\"utf-8\""].iter().any(|known| parameter.eq_ignore_ascii_case(known))
}

/// `0` to `1` with up to three decimals (RFC 9110, 12.4.2), in thousandths.
fn thousandths(value: &[u8]) -> Option<u16> {
    let (whole, decimals) = match value {
        [whole] => (whole, &b""[..]),
        [whole, b'.', decimals @ ..] => (whole, decimals),
        _ => return None,
    };
    if !matches!(whole, b'0' | b'1') || decimals.len() > 3 || !decimals.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = [whole].into_iter().chain(decimals).chain(b"000").take(4);
    let number = digits.fold(0, |number, digit| number * 10 + u16::from(digit - b'0'));
    (number <= 1000).then_some(number)
}

/// The parts between separators that stand outside of quoted strings (RFC 9110, 5.6.4), without the blanks around them.
fn split(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = text.split(move |&byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        byte == separator && !quoted
    });
    parts.map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFERS: &[&str] = &["text/plain", "text/html"];

    fn preferred(accept: &str) -> Option<&'static str> {
        preferred_media_type(Some(accept.as_bytes()), OFFERS).map(|index| OFFERS[index])
    }

    #[test]
    fn without_a_preference_the_server_s_favourite_is_taken() {
        assert_eq!(preferred_media_type(None, OFFERS), Some(0));
        assert_eq!(preferred_media_type(None, &[]), None);
        for accept in ["", " ", "*/*", "text/*", "text/html, text/plain", "*/*;q=0.1"] {
            assert_eq!(preferred(accept), Some("text/plain"), "{accept}");
        }
    }

    #[test]
    fn browsers_get_html() {
        let browsers = [
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
            "text/html, */*",
            "TEXT/HTML ; Q=1.000 , text/plain;q=0.999",
            "text/html;charset=UTF-8",
        ];
        for accept in browsers {
            assert_eq!(preferred(accept), Some("text/html"), "{accept}");
        }
    }

    #[test]
    fn the_most_specific_range_says_the_weight_rfc_9110_12_5_1() {
        let example = "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5";
        let weight = |offer| rate(example.as_bytes(), offer).weight;
        assert_eq!([weight("text/plain"), weight("text/html"), weight("image/jpeg")], [700, 300, 500]);
        assert_eq!(preferred("text/html;q=0.1, */*"), Some("text/plain"));
    }

    #[test]
    fn who_names_json_takes_a_problem_and_who_takes_anything_does_not_ask_for_it() {
        for json in [
            "application/json",
            "application/problem+json",
            "application/vnd.api+json, text/html;q=0.9",
            "Application/JSON; charset=utf-8, */*",
            // What axios and jQuery send.
            "application/json, text/plain, */*",
            "application/json, text/javascript, */*; q=0.01",
            "application/*",
        ] {
            assert!(asks_for_json(Some(json.as_bytes())), "{json}");
        }
        for other in [
            "",
            "*/*",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "text/html, application/json;q=0.9",
            "application/json;q=0, */*",
            "application/problem+json;q=0, application/json",
            "application/jsonx",
            "text/json",
            "image/png",
        ] {
            assert!(!asks_for_json(Some(other.as_bytes())), "{other}");
        }
        assert!(!asks_for_json(None));
        // JSON that is none of ours is not what a problem's name asks for.
        assert_eq!(preferred_media_type(Some(b"application/problem+json"), &["application/json"]), None);
    }

    #[test]
    fn weight_nought_is_a_refusal() {
        assert_eq!(preferred("text/plain;q=0, */*;q=0.1"), Some("text/html"));
        assert_eq!(preferred("*/*;q=0"), None);
        assert_eq!(preferred("image/png"), None);
    }

    #[test]
    fn what_is_malformed_is_passed_over() {
        for bad in [
            "text/html;q=2",
            "text/html;q=1.001",
            "text/html;q=",
            "text/html;q=0.1234",
            "text/html;q=-1",
            "html",
        ] {
            assert_eq!(preferred(bad), None, "{bad}");
            assert_eq!(preferred(&format!("{bad}, ,;, text/plain;q=0.1")), Some("text/plain"), "{bad}");
        }
    }

    #[test]
    fn separators_in_quoted_strings_separate_nothing() {
        assert_eq!(preferred(r#"a/b;x=",text/html,;\",", text/plain;q=0.5"#), Some("text/plain"));
        assert_eq!(preferred(r#"a/b;x="never closed, text/html"#), None);
    }
}
