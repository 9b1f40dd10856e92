//! How a worker is reached from outside its turn: wakers of handlers, and commands.
//!
//! A connection slot has one waker for good. Waking notes the slot in the worker's mailbox, once, and wakes the host. A waker
//! kept from an earlier connection of the slot wakes the present one in vain, which futures must bear. An exchange that shares its
//! connection with others leases a waker of its own while it needs one.

use std::sync::Arc;
use std::task::{Wake, Waker};

use crate::sync::{ArrayQueue, AtomicBool, AtomicU8, AtomicWaker, Ordering};

/// What the outside asks of a worker.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Command {
    /// Serve.
    Run,
    /// Accept what waits, finish what runs, begin nothing else; then end.
    Drain,
    /// End at once.
    Stop,
}

/// What reaches one worker from other threads, and from wakers on its own.
#[derive(Debug)]
pub struct Mailbox {
    /// Slots to look at, each in here at most once.
    woken: ArrayQueue<u32>,
    /// More slots were woken than there is room for: look at all of them.
    overflowed: AtomicBool,
    command: AtomicU8,
    host: AtomicWaker,
}

impl Mailbox {
    /// A mailbox with room for `slots` slots. When more are woken at a time, the worker looks at all it has.
    pub fn new(slots: usize) -> Mailbox {
        Mailbox {
            woken: ArrayQueue::new(slots.max(1)),
            overflowed: AtomicBool::new(false),
            command: AtomicU8::new(Command::Run as u8),
            host: AtomicWaker::new(),
        }
    }

    /// Asks something of the worker. What was asked before is not taken back by less.
    pub fn command(&self, command: Command) {
        self.command.fetch_max(command as u8, Ordering::AcqRel);
        self.host.wake();
    }

    /// The most that was asked.
    pub fn commanded(&self) -> Command {
        match self.command.load(Ordering::Acquire) {
            0 => Command::Run,
            1 => Command::Drain,
            _ => Command::Stop,
        }
    }

    /// Whom to wake when something comes.
    pub fn attend(&self, host: &Waker) {
        self.host.register(host);
    }

    /// Wakes the worker for what is not in here.
    pub(crate) fn wake(&self) {
        self.host.wake();
    }

    /// Whether no slot waits to be looked at.
    pub(crate) fn is_empty(&self) -> bool {
        self.woken.is_empty() && !self.overflowed.load(Ordering::Acquire)
    }

    fn put(&self, index: u32) {
        if self.woken.push(index).is_err() {
            // As with a slot's state: only read-modify-writes, so that none is lost between two others.
            self.overflowed.swap(true, Ordering::AcqRel);
        }
        self.host.wake();
    }
}

/// The wakers of one worker's slots.
#[derive(Debug)]
pub(crate) struct Wakers {
    mailbox: Arc<Mailbox>,
    /// Those that were ever needed: a word for each of the others.
    slots: Vec<Option<Arc<Slot>>>,
    /// Those that are leased, and those that were.
    leases: Vec<Lease>,
    /// Which of them are free.
    free: Vec<u32>,
}

/// The number of a waker that is leased has this bit, and that of a connection's slot does not.
const LEASED: u32 = 1 << 31;

/// A waker beside those of the connections' slots.
#[derive(Debug)]
struct Lease {
    slot: Arc<Slot>,
    /// For whom it is: what [`Wakers::lease`] was told; nobody while it is free.
    owner: Option<Owner>,
}

/// Whom a leased waker wakes: something of a connection's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Owner {
    /// The connection's slot.
    pub(crate) connection: u32,
    /// Which of its exchanges.
    pub(crate) exchange: u32,
}

/// What was woken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Woken {
    /// A connection's slot.
    Slot(u32),
    /// One exchange of a connection.
    Exchange(Owner),
}

/// In the mailbox.
const QUEUED: u8 = 1;

/// Woken since last asked.
const WOKEN: u8 = 2;

/// One slot's waker.
#[derive(Debug)]
struct Slot {
    index: u32,
    /// [`QUEUED`] and [`WOKEN`]. Only ever changed by read-modify-writes, of which each sees what went before all that came earlier: whoever
    /// takes `WOKEN` sees the news of all who had set it, not only of the last one (`tests/model.rs` finds what is lost otherwise).
    state: AtomicU8,
    mailbox: Arc<Mailbox>,
}

impl Slot {
    /// Takes a mark away; says whether it was there.
    fn take(&self, mark: u8) -> bool {
        self.state.fetch_and(!mark, Ordering::AcqRel) & mark != 0
    }
}

impl Wake for Slot {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.fetch_or(WOKEN | QUEUED, Ordering::AcqRel) & QUEUED == 0 {
            self.mailbox.put(self.index);
        }
    }
}

impl Wakers {
    pub(crate) fn new(mailbox: Arc<Mailbox>) -> Wakers {
        Wakers { mailbox, slots: Vec::new(), leases: Vec::new(), free: Vec::new() }
    }

    /// The waker of a slot; made once.
    pub(crate) fn waker(&mut self, index: u32) -> Waker {
        let position = index as usize;
        if self.slots.len() <= position {
            self.slots.resize_with(position + 1, || None);
        }
        let slot = self.slots[position].get_or_insert_with(|| {
            Arc::new(Slot { index, state: AtomicU8::new(0), mailbox: self.mailbox.clone() })
        });
        Waker::from(slot.clone())
    }

    /// Leases a waker for one exchange of a connection: its number, by which it is [known](Wakers::leased) and [given back](Wakers::release).
    pub(crate) fn lease(&mut self, owner: Owner) -> u32 {
        let number = self.free.pop().unwrap_or_else(|| {
            let index = LEASED | self.leases.len() as u32;
            let slot = Arc::new(Slot { index, state: AtomicU8::new(0), mailbox: self.mailbox.clone() });
            self.leases.push(Lease { slot, owner: None });
            index
        });
        self.leases[(number & !LEASED) as usize].owner = Some(owner);
        number
    }

    /// A waker that is leased.
    pub(crate) fn leased(&self, number: u32) -> Waker {
        Waker::from(self.leases[(number & !LEASED) as usize].slot.clone())
    }

    /// Gives a leased waker back. Who has kept it wakes the next one to lease it in vain.
    pub(crate) fn release(&mut self, number: u32) {
        let lease = &mut self.leases[(number & !LEASED) as usize];
        debug_assert!(lease.owner.is_some(), "what is given back is leased");
        lease.owner = None;
        self.free.push(number);
    }

    /// How many are leased.
    pub(crate) fn all_leased(&self) -> usize {
        self.leases.len() - self.free.len()
    }

    /// Whether the slot was woken since this was last asked.
    pub(crate) fn take_woken(&self, index: u32) -> bool {
        match self.slots.get(index as usize) {
            Some(Some(slot)) => slot.take(WOKEN),
            _ => false,
        }
    }

    /// A slot is being taken on: until it is [let go](Wakers::let_go) waking it puts nothing into the mailbox. False: it is in there.
    pub(crate) fn hold(&self, index: u32) -> bool {
        match self.slots.get(index as usize) {
            Some(Some(slot)) => slot.state.fetch_or(QUEUED, Ordering::AcqRel) & QUEUED == 0,
            _ => false,
        }
    }

    /// Whether a slot that is held was woken, and that not [taken](Wakers::take_woken) yet.
    pub(crate) fn is_woken(&self, index: u32) -> bool {
        match self.slots.get(index as usize) {
            Some(Some(slot)) => slot.state.load(Ordering::Acquire) & WOKEN != 0,
            _ => false,
        }
    }

    /// The slot is not held any more. If it was woken meanwhile, and that not taken, it is put into the mailbox now.
    pub(crate) fn let_go(&self, index: u32) {
        if let Some(Some(slot)) = self.slots.get(index as usize)
            && slot.state.fetch_and(!QUEUED, Ordering::AcqRel) & WOKEN != 0
        {
            slot.wake_by_ref();
        }
    }

    /// The next to look at. One that nobody leases any more is passed over.
    pub(crate) fn next(&self) -> Option<Woken> {
        loop {
            let index = self.mailbox.woken.pop()?;
            if index & LEASED == 0 {
                if let Some(Some(slot)) = self.slots.get(index as usize) {
                    slot.take(QUEUED);
                }
                return Some(Woken::Slot(index));
            }
            let lease = &self.leases[(index & !LEASED) as usize];
            // The exchange is told, and there is nothing to be asked for afterwards.
            lease.slot.take(QUEUED | WOKEN);
            if let Some(owner) = lease.owner {
                return Some(Woken::Exchange(owner));
            }
        }
    }

    /// Whether the mailbox overflowed: all slots are to be looked at, and all exchanges.
    pub(crate) fn take_overflow(&self) -> bool {
        let overflowed = self.mailbox.overflowed.swap(false, Ordering::AcqRel);
        if overflowed {
            self.slots.iter().flatten().for_each(|slot| {
                slot.take(QUEUED);
            });
            self.leases.iter().for_each(|lease| {
                lease.slot.take(QUEUED | WOKEN);
            });
        }
        overflowed
    }

    /// How many slots wait to be looked at.
    pub(crate) fn waiting(&self) -> usize {
        self.mailbox.woken.len()
    }

    pub(crate) fn mailbox(&self) -> &Arc<Mailbox> {
        &self.mailbox
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::check;

    #[test]
    fn a_slot_woken_many_times_is_looked_at_once() {
        check(|| {
            let mut wakers = Wakers::new(Arc::new(Mailbox::new(8)));
            let waker = wakers.waker(7);
            for _ in 0..3 {
                waker.wake_by_ref();
            }
            assert_eq!((wakers.next(), wakers.next()), (Some(Woken::Slot(7)), None));
            assert!(wakers.take_woken(7) && !wakers.take_woken(7));
            waker.wake();
            assert_eq!(wakers.next(), Some(Woken::Slot(7)), "and can be woken again");
        });
    }

    #[test]
    fn when_more_slots_are_woken_than_there_is_room_for_all_are_to_be_looked_at() {
        check(|| {
            let mut wakers = Wakers::new(Arc::new(Mailbox::new(1)));
            let two = [wakers.waker(0), wakers.waker(1)];
            two.iter().for_each(Waker::wake_by_ref);
            assert!(wakers.take_overflow() && !wakers.take_overflow());
            assert!(wakers.take_woken(0) && wakers.take_woken(1));
        });
    }

    #[test]
    fn a_leased_waker_tells_whose_it_is_and_nobody_is_told_once_it_is_given_back() {
        check(|| {
            let mut wakers = Wakers::new(Arc::new(Mailbox::new(8)));
            let (one, other) = (Owner { connection: 3, exchange: 1 }, Owner { connection: 3, exchange: 2 });
            let (first, second) = (wakers.lease(one), wakers.lease(other));
            let kept = wakers.leased(first);
            kept.wake_by_ref();
            wakers.leased(second).wake();
            assert_eq!(wakers.next(), Some(Woken::Exchange(one)));
            assert_eq!((wakers.next(), wakers.next()), (Some(Woken::Exchange(other)), None));
            wakers.release(first);
            kept.wake_by_ref();
            assert_eq!((wakers.next(), wakers.all_leased()), (None, 1));
            assert_eq!(wakers.lease(other), first, "it is leased again");
            kept.wake();
            assert_eq!(wakers.next(), Some(Woken::Exchange(other)), "in vain");
        });
    }

    #[test]
    fn a_command_is_not_taken_back_by_less() {
        check(|| {
            let mailbox = Mailbox::new(1);
            mailbox.command(Command::Stop);
            mailbox.command(Command::Drain);
            assert_eq!(mailbox.commanded(), Command::Stop);
        });
    }
}
