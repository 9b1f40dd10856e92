//! From a path to a file: what is kept, what is on the disk, what stands beside it.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use gannet_core::{Bytes, Counter, FsError, Kind, Ports, Stamp, Status};

use super::codec;
use super::compress::{self, Key};
use super::origin::{Opened, OpenedContent};
use super::representation::{Content, Described, Representation, since_1970};
use super::store::{Chosen, Entry, FRESH, Store, Variant};
use super::{Options, Refusal, SMALL_BYTES, Shared, media, path};
use crate::coding::is_compressible;
use crate::coding::{Accepted, Coding};

/// One worker's view of a folder.
pub(super) struct Folder {
    pub(super) shared: Arc<Shared>,
    /// Made for the first request, which brings the ports.
    store: OnceCell<RefCell<Store>>,
    /// Errors for which there was no page, and when it was looked for.
    without_page: RefCell<Vec<(Status, Duration)>>,
}

/// What a path leads to.
pub(super) enum Found {
    /// A file.
    File(Rc<Entry>),
    /// A directory, asked for without its slash.
    WithoutSlash,
    /// A directory without an index, by its name.
    Directory(Vec<u8>),
}

impl Folder {
    pub(super) fn new(shared: Arc<Shared>) -> Folder {
        Folder { shared, store: OnceCell::new(), without_page: RefCell::default() }
    }

    /// What is kept.
    pub(super) fn store(&self, ports: &Ports) -> &RefCell<Store> {
        self.store.get_or_init(|| RefCell::new(Store::new(ports.fs.spare_descriptors())))
    }

    /// What `path`, percent-encoded, leads to.
    pub(super) async fn find(&self, path: &str, ports: &Ports) -> Result<Found, Refusal> {
        if let Some(entry) = self.store(ports).borrow().fresh(path, ports.clock.now())
            && entry.plain.content.is_current(ports)
        {
            count(&entry.plain, true, ports);
            return Ok(Found::File(entry.clone()));
        }
        let name = path::resolve(path).ok_or(Refusal::NotFound)?;
        let file = self.open(&name, ports).await?;
        if file.kind == Kind::File {
            return Ok(Found::File(self.entry(path, &name, file, ports).await?));
        }
        if !name.is_empty() && !name.ends_with(b"/") {
            return Ok(Found::WithoutSlash);
        }
        for index in &self.options().indexes {
            let index = [&name[..], index.as_bytes()].concat();
            match self.open(&index, ports).await {
                Ok(file) if file.kind == Kind::File => {
                    return Ok(Found::File(self.entry(path, &index, file, ports).await?));
                }
                Ok(_) | Err(FsError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Found::Directory(name))
    }

    /// The page of the root that says an error, if there is one; where there is none it is looked for once a second.
    pub(super) async fn error_page(&self, status: Status, ports: &Ports) -> Option<Rc<Entry>> {
        let now = ports.clock.now();
        self.without_page.borrow_mut().retain(|(_, since)| now.saturating_sub(*since) < FRESH);
        if self.without_page.borrow().iter().any(|(other, _)| *other == status) {
            return None;
        }
        match self.find(&format!("{}.html", status.code()), ports).await {
            Ok(Found::File(entry)) => Some(entry),
            _ => {
                self.without_page.borrow_mut().push((status, now));
                None
            }
        }
    }

    /// What of a file is sent to a client that takes these codings. `path` is what it is kept by.
    pub(super) async fn choose(
        &self,
        path: &str,
        entry: &Rc<Entry>,
        accepted: Accepted,
        ports: &Ports,
    ) -> Chosen {
        for coding in accepted.codings() {
            let so_far = Accepted::only(coding);
            if !entry.chosen(so_far).is_some_and(|chosen| chosen.content.is_current(ports)) {
                let variant = self.look_for(entry, coding, ports).await;
                self.store(ports).borrow_mut().keep_coded(path, entry, coding, variant);
            }
            // What was shared may be gone again already: then the next best does.
            if let Some(chosen) = entry.chosen(so_far).filter(|chosen| !chosen.is(&entry.plain)) {
                return chosen;
            }
        }
        Chosen::Own(entry.plain.clone())
    }

    async fn open(&self, name: &[u8], ports: &Ports) -> Result<Opened, FsError> {
        self.shared.origin.open(name, ports).await
    }

    pub(super) fn options(&self) -> &Options {
        &self.shared.options
    }

    /// The file as it is kept, if it has not changed; else as it is now.
    async fn entry(
        &self,
        path: &str,
        name: &[u8],
        file: Opened,
        ports: &Ports,
    ) -> Result<Rc<Entry>, Refusal> {
        let now = ports.clock.now();
        if let Some(entry) = self.store(ports).borrow_mut().unchanged(path, &file.stamp, now) {
            count(&entry.plain, true, ports);
            return Ok(entry);
        }
        let stamp = file.stamp;
        let content = content(file, ports).await?;
        let text = match &content {
            Content::Memory(bytes) => Some(&**bytes),
            Content::Embedded(bytes) => Some(*bytes),
            Content::File(..) => None,
        };
        let content_type = media::content_type(name, text);
        let negotiable = self.options().compression && is_compressible(&content_type);
        let described =
            Described { name, content_type: &content_type, negotiable, now: ports.clock.unix_seconds() };
        let is_settled = matches!(content, Content::Embedded(_)) || is_settled(&stamp, ports);
        let plain = Representation::of_file(&described, &stamp, content, None);
        count(&plain, false, ports);
        let mut entry = Entry::new(name, content_type, negotiable, plain, stamp, now);
        entry.settled = is_settled;
        let entry = Rc::new(entry);
        self.store(ports).borrow_mut().keep(path, &entry);
        Ok(entry)
    }

    /// A coding of a file: from beside it, else made now.
    async fn look_for(&self, entry: &Entry, coding: Coding, ports: &Ports) -> Variant {
        let described = described(entry, ports);
        match self.side_file(entry, coding, ports).await {
            Some((stamp, content)) => {
                Variant::Own(Rc::new(Representation::of_file(&described, &stamp, content, Some(coding))))
            }
            None => self.compressed(entry, coding, ports).await,
        }
    }

    /// The file beside it that has the same content, coded. One that is older than the file is of an earlier content.
    async fn side_file(&self, entry: &Entry, coding: Coding, ports: &Ports) -> Option<(Stamp, Content)> {
        let name = [&entry.name, coding.extension().as_bytes()].concat();
        let file = self.open(&name, ports).await.ok()?;
        if file.kind != Kind::File || file.stamp.modified < entry.stamp.modified {
            return None;
        }
        let stamp = file.stamp;
        Some((stamp, content(file, ports).await.ok()?))
    }

    async fn compressed(&self, entry: &Entry, coding: Coding, ports: &Ports) -> Variant {
        let length = entry.plain.content.length();
        if !codec::IS_BUILT || !(compress::LEAST_BYTES..=compress::MOST_BYTES).contains(&length) {
            return Variant::Absent;
        }
        let described = described(entry, ports);
        let describe = |bytes| entry.plain.coded(&described, bytes, coding);
        let key = Key {
            name: entry.name.clone(),
            stamp: entry.stamp,
            etag: entry.plain.etag.clone(),
            settled: entry.settled,
            coding,
        };
        let content = whole(&entry.plain.content, ports);
        let compressed = self.shared.compressed.get(key, ports, content, describe).await;
        match (compressed, &entry.plain.content) {
            (None, _) => Variant::Absent,
            // A copy of one's own: a count that all workers change for each request would be what they wait for.
            (Some(compressed), Content::Memory(_) | Content::Embedded(_)) => {
                Variant::Own(Rc::new(compressed.copied()))
            }
            (Some(compressed), Content::File(..)) => Variant::Shared(Arc::downgrade(&compressed)),
        }
    }
}

/// Counts that a file was there as it was asked for, or had to be read or opened.
pub(super) fn count(file: &Representation, kept: bool, ports: &Ports) {
    let counter = match (&file.content, kept) {
        (Content::Memory(_) | Content::Embedded(_), true) => Counter::MemoryHit,
        (Content::Memory(_) | Content::Embedded(_), false) => Counter::MemoryMiss,
        (Content::File(..), true) => Counter::DescriptorHit,
        (Content::File(..), false) => Counter::DescriptorMiss,
    };
    ports.counters.add(counter, 1);
}

fn described<'a>(entry: &'a Entry, ports: &Ports) -> Described<'a> {
    Described {
        name: &entry.name,
        content_type: &entry.content_type,
        negotiable: entry.negotiable,
        now: ports.clock.unix_seconds(),
    }
}

/// Whether nothing that is written from now on can leave the stamp as it is: file systems tell moments of a second apart, or
/// less, and within one of these a file may change twice.
fn is_settled(stamp: &Stamp, ports: &Ports) -> bool {
    since_1970(stamp.modified).as_secs() + 2 <= ports.clock.unix_seconds()
}

/// A small file is read, a large one kept open.
async fn content(opened: Opened, ports: &Ports) -> Result<Content, Refusal> {
    let length = opened.stamp.length;
    match opened.content {
        OpenedContent::Embedded(bytes) => Ok(Content::Embedded(bytes)),
        OpenedContent::File(file) if length > SMALL_BYTES => Ok(Content::File(file, opened.stamp)),
        OpenedContent::File(file) => {
            Ok(Content::Memory(ports.fs.read(&file, 0..length).await.map_err(Refusal::Failed)?))
        }
    }
}

/// All bytes of a content that is not too large to be compressed.
async fn whole(content: &Content, ports: &Ports) -> Option<Bytes> {
    match content {
        Content::Memory(bytes) => Some(bytes.clone()),
        Content::Embedded(bytes) => Some(Bytes::from_static(bytes)),
        Content::File(file, stamp) => {
            let bytes = ports.fs.read(file, 0..stamp.length).await.ok()?;
            // One that shrank meanwhile is another content.
            (bytes.len() as u64 == stamp.length).then_some(bytes)
        }
    }
}
