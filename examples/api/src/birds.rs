//! The data. Locks are held for a look-up only, and never while anything is waited for.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde::{Deserialize, Serialize};

/// What clients say of a bird.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Bird {
    pub name: String,
    pub wingspan_cm: u32,
}

/// A bird with the number that it was given.
#[derive(Clone, Serialize)]
pub struct Listed {
    pub id: u64,
    #[serde(flatten)]
    pub bird: Bird,
}

/// All birds, of all workers.
#[derive(Default)]
pub struct Birds {
    by_id: RwLock<BTreeMap<u64, Bird>>,
}

impl Birds {
    pub fn list(&self, wider_than_cm: u32, limit: usize) -> Vec<Listed> {
        let birds = self.read();
        let wide = birds.iter().filter(|(_, bird)| bird.wingspan_cm > wider_than_cm);
        wide.take(limit).map(|(&id, bird)| Listed { id, bird: bird.clone() }).collect()
    }

    pub fn add(&self, bird: Bird) -> Listed {
        let mut birds = self.write();
        let id = birds.last_key_value().map_or(1, |(id, _)| id + 1);
        birds.insert(id, bird.clone());
        Listed { id, bird }
    }

    pub fn find(&self, id: u64) -> Option<Listed> {
        self.read().get(&id).map(|bird| Listed { id, bird: bird.clone() })
    }

    pub fn replace(&self, id: u64, bird: Bird) -> Option<Listed> {
        self.write().get_mut(&id).map(|known| {
            known.clone_from(&bird);
            Listed { id, bird }
        })
    }

    /// Whether it was there.
    pub fn remove(&self, id: u64) -> bool {
        self.write().remove(&id).is_some()
    }

    /// A map is whole whoever panicked: a handler that did is answered for by 500, and the others go on.
    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<u64, Bird>> {
        self.by_id.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<u64, Bird>> {
        self.by_id.write().unwrap_or_else(PoisonError::into_inner)
    }
}
