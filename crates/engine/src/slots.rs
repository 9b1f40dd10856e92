//! Slots with generations: dense numbers that cannot be mistaken for their predecessors.

use crate::SocketId;

/// Generations wrap at 31 bits, so that a socket's number and a mark fit into the 64 bits that the kernel hands back.
const GENERATIONS: u32 = 0x7fff_ffff;

/// A table of `T` by [`SocketId`].
#[derive(Debug)]
pub struct Slots<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Default for Slots<T> {
    fn default() -> Slots<T> {
        Slots { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slots<T> {
    /// Puts `value` into a free slot.
    pub fn insert(&mut self, value: T) -> SocketId {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, value: None });
            u32::try_from(self.slots.len() - 1)
                .expect("fewer sockets than descriptors, fewer descriptors than 2^31")
        });
        let slot = &mut self.slots[index as usize];
        slot.value = Some(value);
        SocketId { index, generation: slot.generation }
    }

    /// What is in the slot, if it is still of this generation.
    pub fn get(&self, id: SocketId) -> Option<&T> {
        let slot = self.slots.get(id.index as usize)?;
        if slot.generation == id.generation { slot.value.as_ref() } else { None }
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, id: SocketId) -> Option<&mut T> {
        let slot = self.slots.get_mut(id.index as usize)?;
        if slot.generation == id.generation { slot.value.as_mut() } else { None }
    }

    /// Empties the slot; its number is void from here.
    pub fn remove(&mut self, id: SocketId) -> Option<T> {
        let slot = self.slots.get_mut(id.index as usize)?;
        if slot.generation != id.generation {
            return None;
        }
        let value = slot.value.take()?;
        slot.generation = (slot.generation + 1) & GENERATIONS;
        self.free.push(id.index);
        Some(value)
    }

    /// How many slots are taken.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether no slot is taken.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers of the slots taken.
    pub fn ids(&self) -> impl Iterator<Item = SocketId> + '_ {
        self.slots
            .iter()
            .zip(0..)
            .filter(|(slot, _)| slot.value.is_some())
            .map(|(slot, index)| SocketId { index, generation: slot.generation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_kept_after_its_slot_was_emptied_names_nothing() {
        let mut slots = Slots::default();
        let first = slots.insert("first");
        assert_eq!(slots.remove(first), Some("first"));
        let second = slots.insert("second");
        assert_eq!(first.index, second.index, "the slot is used anew");
        assert_eq!(slots.get(first), None);
        assert_eq!(slots.remove(first), None);
        assert_eq!((slots.get(second), slots.len()), (Some(&"second"), 1));
        assert_eq!(slots.ids().collect::<Vec<_>>(), [second]);
    }
}
