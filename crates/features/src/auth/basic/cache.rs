//! Credentials that were right a moment ago: a browser sends them with each request, and verifying a password takes tens of milliseconds on purpose.
//!
//! Of credentials only a keyed hash is kept, under a key that is in no other memory and on no disk. Only what was verified is kept, so nobody
//! who does not know a password can change what is here.

use std::rc::Rc;
use std::time::Duration;

use blake2::Blake2sMac256;
use blake2::digest::{KeyInit, Mac};
use subtle::ConstantTimeEq;

use crate::auth::User;
use crate::random::Random;

/// Credentials that one worker keeps. Beyond it each takes the place of another.
const ENTRIES: usize = 256;

/// A keyed hash.
type Tag = [u8; 32];

pub(super) struct Cache {
    key: Tag,
    entries: Box<[Option<Entry>; ENTRIES]>,
}

struct Entry {
    tag: Tag,
    until: Duration,
    user: Rc<User>,
}

impl Cache {
    pub(super) fn new() -> Cache {
        Cache { key: Random::new(None).bytes(), entries: Box::new([const { None }; ENTRIES]) }
    }

    /// Who has these credentials, if that was found out lately enough.
    pub(super) fn find(&self, credentials: &[u8], now: Duration) -> Option<Rc<User>> {
        let tag = self.tag(credentials);
        let entry = self.entries[place(&tag)].as_ref()?;
        (bool::from(entry.tag.ct_eq(&tag)) && now < entry.until).then(|| entry.user.clone())
    }

    /// Keeps that these are theirs.
    pub(super) fn keep(&mut self, credentials: &[u8], user: Rc<User>, until: Duration) {
        let tag = self.tag(credentials);
        self.entries[place(&tag)] = Some(Entry { tag, until, user });
    }

    fn tag(&self, credentials: &[u8]) -> Tag {
        let mac = Blake2sMac256::new_from_slice(&self.key).expect("a key of the right length");
        mac.chain_update(credentials).finalize().into_bytes().into()
    }
}

fn place(tag: &Tag) -> usize {
    usize::from(tag[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(60);

    #[test]
    fn what_was_kept_is_found_until_its_time_is_over() {
        let mut cache = Cache::new();
        assert!(cache.find(b"alice:secret", Duration::ZERO).is_none());
        cache.keep(b"alice:secret", Rc::new(User::new("alice")), SOON);
        let found = |now| cache.find(b"alice:secret", now).map(|user| user.name().to_owned());
        assert_eq!(found(Duration::ZERO).as_deref(), Some("alice"));
        assert_eq!(found(SOON - Duration::from_nanos(1)).as_deref(), Some("alice"));
        assert_eq!(found(SOON), None);
        assert!(cache.find(b"alice:secreT", Duration::ZERO).is_none());
    }

    #[test]
    fn however_many_are_kept_it_stays_as_large_as_it_was() {
        let mut cache = Cache::new();
        for number in 0..10_000 {
            cache.keep(format!("{number}:").as_bytes(), Rc::new(User::new("x")), SOON);
        }
        let found = (0..10_000)
            .filter(|number| cache.find(format!("{number}:").as_bytes(), Duration::ZERO).is_some());
        assert_eq!(found.count(), ENTRIES);
    }

    #[test]
    fn two_caches_keep_the_same_by_other_hashes() {
        let [one, other] = [Cache::new(), Cache::new()];
        assert_ne!(one.tag(b"alice:secret"), other.tag(b"alice:secret"));
    }
}
