//! Where the files are: in a folder, or in the program.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gannet_core::{File, FsError, Kind, Ports, Root, Stamp};

/// Files in the program: names below the root, with slashes, in the order of their bytes; and contents.
pub type EmbeddedFiles = &'static [(&'static str, &'static [u8])];

/// Where the files are.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    Folder(Root),
    Embedded(EmbeddedFiles),
}

/// What a name leads to.
pub(super) struct Opened {
    pub(super) kind: Kind,
    pub(super) stamp: Stamp,
    pub(super) content: OpenedContent,
}

/// What can be read of it.
pub(super) enum OpenedContent {
    File(Arc<File>),
    Embedded(&'static [u8]),
}

/// A moment that is still to come: when a content in the program was last changed is not known, and so is not told.
const NO_MOMENT: Duration = Duration::from_secs(u32::MAX as u64);

impl Origin {
    pub(super) async fn open(&self, name: &[u8], ports: &Ports) -> Result<Opened, FsError> {
        match self {
            Origin::Folder(root) => {
                let opened = ports.fs.open(root, name).await?;
                Ok(Opened {
                    kind: opened.kind,
                    stamp: opened.stamp,
                    content: OpenedContent::File(opened.file),
                })
            }
            Origin::Embedded(files) => embedded(files, name).ok_or(FsError::NotFound),
        }
    }
}

/// A file in the program, or a folder that has some.
fn embedded(files: EmbeddedFiles, name: &[u8]) -> Option<Opened> {
    let (kind, content) = match files.binary_search_by(|(other, _)| other.as_bytes().cmp(name)) {
        Ok(found) => (Kind::File, files[found].1),
        Err(_) => {
            let folder = name.strip_suffix(b"/").unwrap_or(name);
            let is_within = |(other, _): &(&str, _)| {
                let rest = other.as_bytes().strip_prefix(folder);
                folder.is_empty() || rest.is_some_and(|rest| rest.starts_with(b"/"))
            };
            files.iter().find(|file| is_within(file))?;
            (Kind::Directory, &[][..])
        }
    };
    let modified = SystemTime::UNIX_EPOCH + NO_MOMENT;
    let stamp = Stamp { identity: (0, 0), length: content.len() as u64, modified };
    Some(Opened { kind, stamp, content: OpenedContent::Embedded(content) })
}
