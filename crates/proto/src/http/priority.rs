//! Priorities of responses (RFC 9218): what the Priority field and PRIORITY_UPDATE say.

/// How urgent a response is, and whether it is of use in pieces (RFC 9218 section 4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Priority {
    /// 0, the most urgent, to 7, for what nobody waits for.
    pub urgency: u8,
    /// It is of use before it is whole, so that responses of the same urgency can share the connection.
    pub incremental: bool,
}

impl Default for Priority {
    /// What holds where nothing is said: urgency 3, not incremental (RFC 9218 section 4).
    fn default() -> Priority {
        Priority { urgency: 3, incremental: false }
    }
}

impl Priority {
    /// What a Priority field, or a PRIORITY_UPDATE, says. What is not a dictionary (RFC 9651 section 3.2) says nothing, nor do values that `u` and `i`
    /// cannot have; other members are for others.
    pub fn parse(value: &[u8]) -> Priority {
        let mut rest = Rest(value.trim_ascii());
        let mut priority = Priority::default();
        while !rest.0.is_empty() {
            let Some((key, item)) = rest.member() else { return Priority::default() };
            match (key, item) {
                // Of members of one name the last counts, also where it is of no use (RFC 9651 section 4.2.2).
                (b"u", Item::Integer(urgency @ 0..=7)) => priority.urgency = urgency as u8,
                (b"u", _) => priority.urgency = Priority::default().urgency,
                (b"i", item) => priority.incremental = item == Item::Boolean(true),
                _ => {}
            }
        }
        priority
    }
}

/// A value, as far as anybody here asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Item {
    Integer(i64),
    Boolean(bool),
    Other,
}

/// What is to be read still.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    /// The next member of a dictionary, and the comma behind it (RFC 9651 section 4.2.2).
    fn member(&mut self) -> Option<(&'a [u8], Item)> {
        let key = self.key()?;
        let item = if self.take(b'=') { self.value()? } else { Item::Boolean(true) };
        self.parameters()?;
        self.skip_blanks();
        if self.0.is_empty() {
            return Some((key, item));
        }
        let follows = self.take(b',');
        self.skip_blanks();
        (follows && !self.0.is_empty()).then_some((key, item))
    }

    fn key(&mut self) -> Option<&'a [u8]> {
        let first = self.0.first()?;
        let begins = first.is_ascii_lowercase() || *first == b'*';
        let key = self.run(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-' | b'.' | b'*')
        });
        begins.then_some(key)
    }

    /// `;key=item`, any number of them.
    fn parameters(&mut self) -> Option<()> {
        while self.take(b';') {
            self.run(|byte| byte == b' ');
            self.key()?;
            if self.take(b'=') {
                self.item()?;
            }
        }
        Some(())
    }

    /// An item, or a list of them.
    fn value(&mut self) -> Option<Item> {
        if !self.take(b'(') {
            return self.item();
        }
        loop {
            self.run(|byte| byte == b' ');
            if self.take(b')') {
                return Some(Item::Other);
            }
            self.item()?;
            self.parameters()?;
            if !matches!(self.0.first(), Some(b' ' | b')')) {
                return None;
            }
        }
    }

    /// RFC 9651 section 4.2.3.1.
    fn item(&mut self) -> Option<Item> {
        match *self.0.first()? {
            b'-' | b'0'..=b'9' => self.number(),
            b'@' => {
                self.take(b'@');
                self.number().filter(|date| matches!(date, Item::Integer(_))).map(|_| Item::Other)
            }
            b'?' => {
                let (is_true, is_false) = (self.0.starts_with(b"?1"), self.0.starts_with(b"?0"));
                self.0 = self.0.get(2..)?;
                (is_true || is_false).then_some(Item::Boolean(is_true))
            }
            b'"' => self.string(1),
            b'%' if self.0.starts_with(b"%\"") => self.string(2),
            b':' => {
                let end = self.0[1..].iter().position(|byte| *byte == b':')?;
                self.0 = &self.0[end + 2..];
                Some(Item::Other)
            }
            first if first.is_ascii_alphabetic() || first == b'*' => {
                self.run(|byte| byte.is_ascii_graphic() && !b"\"(),;<=>?@[\\]{}".contains(&byte));
                Some(Item::Other)
            }
            _ => None,
        }
    }

    /// Fifteen digits at most, or a decimal.
    fn number(&mut self) -> Option<Item> {
        let sign = if self.take(b'-') { -1 } else { 1 };
        let digits = self.run(|byte| byte.is_ascii_digit());
        if digits.is_empty() || digits.len() > 15 {
            return None;
        }
        if self.take(b'.') {
            let decimals = self.run(|byte| byte.is_ascii_digit()).len();
            return (digits.len() <= 12 && (1..=3).contains(&decimals)).then_some(Item::Other);
        }
        Some(Item::Integer(
            sign * digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')),
        ))
    }

    /// A string, whose quotation mark comes behind so many bytes; `\` takes the next byte as it is.
    fn string(&mut self, opening: usize) -> Option<Item> {
        let mut at = opening;
        loop {
            match *self.0.get(at)? {
                b'"' => break,
                b'\\' => at += 2,
                byte if byte.is_ascii_graphic() || byte == b' ' => at += 1,
                _ => return None,
            }
        }
        self.0 = &self.0[at + 1..];
        Some(Item::Other)
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.0.first() == Some(&byte);
        if found {
            self.0 = &self.0[1..];
        }
        found
    }

    fn skip_blanks(&mut self) {
        self.run(|byte| matches!(byte, b' ' | b'\t'));
    }

    /// The longest run of such bytes.
    fn run(&mut self, belongs: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.0.iter().position(|byte| !belongs(*byte)).unwrap_or(self.0.len());
        let (run, rest) = self.0.split_at(end);
        self.0 = rest;
        run
    }
}

#[cfg(test)]
mod tests {
    use super::Priority;
    use proptest::prelude::*;

    fn parsed(value: &str) -> (u8, bool) {
        let Priority { urgency, incremental } = Priority::parse(value.as_bytes());
        (urgency, incremental)
    }

    #[test]
    fn urgency_and_incremental_are_read_and_have_their_defaults() {
        for (value, expected) in [
            ("", (3, false)),
            ("u=0", (0, false)),
            ("u=7, i", (7, true)),
            ("i", (3, true)),
            ("i=?1,u=2", (2, true)),
            ("i=?0", (3, false)),
            ("  u=5 \t,\t i  ", (5, true)),
            ("u=5, u=1", (1, false)),
            ("u=5, u=9", (3, false)),
            ("i, i=?0", (3, false)),
            ("u=1;x=\"a, b\";y, i;q=0.5", (1, true)),
            ("a=\"u=7\\\", i\", b=(1 tok;p :YQ==: \"x\"), c=@17, d=%\"f%c3\", e=-1.5, u=4", (4, false)),
        ] {
            assert_eq!(parsed(value), expected, "{value}");
        }
    }

    #[test]
    fn values_that_the_members_cannot_have_say_nothing() {
        for value in ["u=8", "u=-1", "u=1.0", "u=\"1\"", "u", "i=1", "i=yes", "u=(1)"] {
            assert_eq!(parsed(value), (3, false), "{value}");
        }
    }

    #[test]
    fn what_is_no_dictionary_says_nothing_at_all() {
        for value in [
            "u=1,",
            "u=1,,i",
            "u=1 i",
            "u=",
            "U=1",
            "u=1, i=?2",
            "u=1, a=\"open",
            "u=1, =",
            "u=1, a=(1",
            "u=1;",
        ] {
            assert_eq!(parsed(value), (3, false), "{value}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_said_is_read_to_a_priority(value in "[ui=?0-9,; \"()a:@%.\\\\-]{0,40}") {
            prop_assert!(parsed(&value).0 <= 7);
        }
    }
}
