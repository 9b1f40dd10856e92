//! Renewal: a thread that looks whether the files of certificates have changed.
//!
//! It looks at each file's identity, time and size, rather than be told by the kernel: a certificate is renewed by renaming a file (certbot), by
//! leading a symbolic link elsewhere (Kubernetes), by writing in place, on file systems of all sorts; a look sees all of them.

use std::io;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use gannet_link::{Certificates, Look};

use crate::accept::Preamble;
use crate::threads;

/// How long a renewal may not be noticed. A look is a stat(2) for each file.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// The thread, where there are certificates.
#[derive(Debug)]
pub(super) struct Renewal {
    bell: Arc<Bell>,
    thread: Option<JoinHandle<()>>,
}

/// What wakes it.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: Mutex<Rung>,
    condition: Condvar,
}

/// What it is woken for.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Rung {
    #[default]
    Not,
    Look,
    End,
}

impl Renewal {
    /// Starts it, if any of these has certificates.
    pub(super) fn start<'a>(preambles: impl Iterator<Item = &'a Preamble>) -> io::Result<Option<Renewal>> {
        let mut all: Vec<Arc<Certificates>> = Vec::new();
        for certificates in preambles.filter_map(|preamble| Some(preamble.tls.as_ref()?.certificates())) {
            if !all.iter().any(|other| Arc::ptr_eq(other, certificates)) {
                all.push(certificates.clone());
            }
        }
        if all.is_empty() {
            return Ok(None);
        }
        let bell = Arc::<Bell>::default();
        let heard = bell.clone();
        let look = move || {
            while heard.wait() {
                all.iter().for_each(|certificates| tell(&certificates.look()));
            }
        };
        let thread = threads::spawn("gannet-certificates", look)?;
        Ok(Some(Renewal { bell, thread: Some(thread) }))
    }

    /// What has it look at once.
    pub(super) fn bell(&self) -> &Arc<Bell> {
        &self.bell
    }
}

impl Bell {
    /// Has it look at once.
    pub(super) fn ring(&self) {
        self.set(Rung::Look);
    }

    fn set(&self, to: Rung) {
        let mut rung = self.rung.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if *rung != Rung::End {
            *rung = to;
        }
        self.condition.notify_one();
    }

    /// Waits until it is time to look; false: until the end.
    fn wait(&self) -> bool {
        let rung = self.rung.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let waited = self.condition.wait_timeout_while(rung, LOOK_EVERY, |rung| *rung == Rung::Not);
        let (mut rung, _) = waited.unwrap_or_else(|poisoned| poisoned.into_inner());
        std::mem::take(&mut *rung) != Rung::End
    }
}

/// What a look found. What is refused is told once: it is not looked at again until it changes.
fn tell(look: &Look) {
    match look {
        Look::Same => {}
        Look::Renewed => tracing::info!("new certificates are in use"),
        Look::Refused(error) => {
            tracing::warn!(%error, "the files of a certificate changed and cannot be used; the one from before goes on being used");
        }
    }
}

impl Drop for Renewal {
    fn drop(&mut self) {
        self.bell.set(Rung::End);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // it panicked, and was told of
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_there_are_no_certificates_there_is_nobody_to_look() {
        assert!(Renewal::start([Preamble::default()].iter()).unwrap().is_none());
    }

    #[test]
    fn the_end_is_not_taken_back_by_a_ring() {
        let bell = Bell::default();
        bell.ring();
        assert!(bell.wait());
        bell.set(Rung::End);
        bell.ring();
        assert!(!bell.wait());
    }
}
