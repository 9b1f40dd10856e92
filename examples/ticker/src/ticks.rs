//! Prices, and the last ones of them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gannet::events::Event;
use serde::Serialize;
use tokio::sync::watch;

/// Ticks that are remembered for those who come, and come again; what is older is forgotten.
pub const HISTORY: usize = 60;

/// From one tick to the next.
const INTERVAL: Duration = Duration::from_secs(1);

/// A price at a time.
#[derive(Clone, Copy, PartialEq, Serialize, Debug)]
pub struct Tick {
    /// Counted from 1, without a gap.
    #[serde(skip)]
    pub number: u64,
    /// In pence per kilogram.
    pub price: u32,
}

/// All of them. A clone has the same ones.
#[derive(Clone)]
pub struct Ticks {
    history: Arc<Mutex<VecDeque<Tick>>>,
    /// The number of the last one, to be told of the next.
    newest: watch::Sender<u64>,
}

impl Ticks {
    /// Adds a price.
    pub fn add(&self, price: u32) {
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        let number = history.back().map_or(1, |last| last.number + 1);
        if history.len() == HISTORY {
            history.pop_front();
        }
        history.push_back(Tick { number, price });
        drop(history);
        self.newest.send_replace(number);
    }

    /// Tells when there is another.
    pub fn newest(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// Those behind one that somebody had, and how many between are forgotten; all that are remembered for who had none. A number that was never told is of an earlier run of this program:
    /// that begins again, too.
    pub fn after(&self, last: Option<u64>) -> (u64, Vec<Tick>) {
        let history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(first), Some(newest)) = (history.front(), history.back()) else { return (0, Vec::new()) };
        let Some(last) = last.filter(|last| *last <= newest.number) else {
            return (0, history.iter().copied().collect());
        };
        let missed = first.number.saturating_sub(last + 1);
        (missed, history.iter().filter(|tick| tick.number > last).copied().collect())
    }

    /// Goes on for ever: now up, now down.
    pub async fn go_on(self) {
        let (mut price, mut chance) = (420_u32, 7_u32);
        loop {
            self.add(price);
            tokio::time::sleep(INTERVAL).await;
            // Numerical Recipes' generator: a market needs no better one.
            chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            price = (price + (chance >> 24) % 31).saturating_sub(15).clamp(100, 999);
        }
    }
}

impl Default for Ticks {
    fn default() -> Ticks {
        Ticks { history: Arc::default(), newest: watch::Sender::new(0) }
    }
}

impl Tick {
    /// As it is sent.
    pub fn event(self) -> Event {
        let data = Event::json(&self).unwrap_or_else(|error| Event::comment(error.to_string()));
        data.name("tick").id(&self.number.to_string())
    }
}
