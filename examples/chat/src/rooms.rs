//! Who is in which room.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gannet::Broadcast;
use gannet::broadcast::SlowSubscriber;
use serde::Deserialize;

use crate::talk::Told;

/// The most rooms at a time; nobody gets into one more.
pub const ROOMS: usize = 1000;

/// The most people in a room; nobody else gets in.
pub const PEOPLE: usize = 100;

/// Messages that may wait for somebody who is slow; with one more they are closed, and come again: a chat with gaps would be worse.
const BACKLOG: usize = 256;

/// The most characters of a room's name; a longer one is refused with 400.
const ROOM_CHARACTERS: usize = 32;

/// The most characters of somebody's name; a longer one is refused.
const NAME_CHARACTERS: usize = 24;

/// All rooms with somebody in them. A clone has the same ones.
#[derive(Clone, Default)]
pub struct Rooms {
    rooms: Arc<Mutex<HashMap<RoomName, Room>>>,
}

/// The name of a room, as it is in an address: letters, digits and hyphens.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct RoomName(String);

struct Room {
    broadcast: Broadcast,
    people: BTreeSet<String>,
}

/// Somebody in a room, who leaves it when this is dropped.
pub struct Visit {
    rooms: Rooms,
    room: RoomName,
    broadcast: Broadcast,
    /// Who it is.
    pub name: String,
    /// Who was there when they came, themselves too.
    pub people: Vec<String>,
}

impl Rooms {
    /// Lets somebody in, who has then what is said there by `subscribe`; the others are told. What was heard from then on, and `people`, are the whole: nobody comes
    /// or leaves in between.
    ///
    /// # Errors
    /// Why they cannot come in, for them to read.
    pub fn join(
        &self,
        room: &RoomName,
        name: &str,
        subscribe: impl FnOnce(&Broadcast),
    ) -> Result<Visit, String> {
        let name = checked(name)?;
        let mut rooms = self.lock();
        if rooms.len() == ROOMS && !rooms.contains_key(room) {
            return Err("There are too many rooms. Try one that is there.".to_owned());
        }
        if let Some(room) = rooms.get(room) {
            if room.people.len() == PEOPLE {
                return Err("This room is full.".to_owned());
            }
            if room.people.contains(&name) {
                return Err(format!("Somebody called {name} is here already."));
            }
        }
        let known = rooms.entry(room.clone()).or_insert_with(Room::new);
        known.people.insert(name.clone());
        subscribe(&known.broadcast);
        tell(&known.broadcast, &Told::Joined { name: &name });
        Ok(Visit {
            rooms: self.clone(),
            room: room.clone(),
            broadcast: known.broadcast.clone(),
            name,
            people: known.people.iter().cloned().collect(),
        })
    }

    /// How many there are.
    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RoomName, Room>> {
        // Nothing panics while it is held.
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    fn new() -> Room {
        Room { broadcast: Broadcast::bounded(BACKLOG, SlowSubscriber::Close), people: BTreeSet::new() }
    }
}

impl Visit {
    /// Says something to all who are there.
    pub fn say(&self, text: &str) {
        tell(&self.broadcast, &Told::Said { name: &self.name, text });
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut rooms = self.rooms.lock();
        tell(&self.broadcast, &Told::Left { name: &self.name });
        let Some(room) = rooms.get_mut(&self.room) else { return };
        room.people.remove(&self.name);
        if room.people.is_empty() {
            rooms.remove(&self.room);
        }
    }
}

impl TryFrom<String> for RoomName {
    type Error = String;

    fn try_from(name: String) -> Result<RoomName, String> {
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        match !name.is_empty() && name.len() <= ROOM_CHARACTERS && name.bytes().all(is_name) {
            true => Ok(RoomName(name)),
            false => Err(format!(
                "a room's name is of up to {ROOM_CHARACTERS} small letters of ASCII, digits and hyphens"
            )),
        }
    }
}

/// A name that can be shown, without the blanks around it.
fn checked(name: &str) -> Result<String, String> {
    let name = name.trim();
    if name.is_empty() {
        return Err("A name is needed.".to_owned());
    }
    if name.chars().count() > NAME_CHARACTERS {
        return Err(format!("A name has {NAME_CHARACTERS} characters at most."));
    }
    match name.chars().any(char::is_control) {
        true => Err("A name has no control characters.".to_owned()),
        false => Ok(name.to_owned()),
    }
}

fn tell(broadcast: &Broadcast, told: &Told<'_>) {
    let told = broadcast.send_json(told);
    debug_assert!(told.is_ok(), "texts and lists of them are JSON");
}
