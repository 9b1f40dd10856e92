//! Files by every policy of mapped sends: what is served is the same, whatever becomes of the file.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use gannet::{App, MappedSends};
use tempfile::TempDir;

use crate::rig::{Client, Over, Server, on_each_protocol};

on_each_protocol!(
    files_are_the_same_byte_by_byte_mapped_and_not,
    a_file_replaced_deleted_or_forbidden_while_it_is_sent_is_sent_whole_mapped_and_not,
    a_file_truncated_while_it_is_sent_breaks_off_and_nothing_else_does_mapped_and_not,
);

const POLICIES: [MappedSends; 3] = [MappedSends::Auto, MappedSends::On, MappedSends::Off];

/// More than the buffers of a connection hold.
const LARGE_BYTES: usize = 16 * 1024 * 1024;

/// Bytes that show when some are missing or out of place, none of them zero.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index % 251) as u8 ^ (index >> 12) as u8 | 1).collect()
}

/// A folder with one file, served.
fn serving(content: &[u8], policy: MappedSends, over: Over) -> (TempDir, PathBuf, Server) {
    let folder = tempfile::tempdir().expect("room for a folder");
    let path = folder.path().join("file");
    fs::write(&path, content).expect("written");
    let server = Server::start(App::new().files("/", folder.path()).mapped_sends(policy), over);
    (folder, path, server)
}

fn files_are_the_same_byte_by_byte_mapped_and_not(over: Over) {
    for policy in POLICIES {
        for size in [65_537, 524_288, 524_289, 2 * 1024 * 1024 + 1, 5_000_000] {
            let content = pattern(size);
            let (_folder, _, server) = serving(&content, policy, over);
            let mut client = Client::connect(&server);
            for _ in 0..2 {
                assert!(client.get("/file").body == content, "{policy:?}, {size} bytes");
            }
        }
    }
}

fn a_file_replaced_deleted_or_forbidden_while_it_is_sent_is_sent_whole_mapped_and_not(over: Over) {
    let content = pattern(LARGE_BYTES);
    for policy in POLICIES {
        for change in [
            |path: &PathBuf| {
                fs::write(path.with_extension("new"), "new").expect("written");
                fs::rename(path.with_extension("new"), path).expect("replaced");
            },
            |path: &PathBuf| fs::remove_file(path).expect("deleted"),
            |path: &PathBuf| fs::set_permissions(path, Permissions::from_mode(0o000)).expect("forbidden"),
        ] {
            let (_folder, path, server) = serving(&content, policy, over);
            let mut client = Client::connect(&server);
            assert_eq!(client.send("GET /file HTTP/1.1\r\nHost: a\r\n\r\n").head().status, 200);
            change(&path);
            assert!(client.take(LARGE_BYTES) == content, "{policy:?}");
        }
    }
}

fn a_file_truncated_while_it_is_sent_breaks_off_and_nothing_else_does_mapped_and_not(over: Over) {
    let content = pattern(LARGE_BYTES);
    for policy in POLICIES {
        for left in [0, LARGE_BYTES - 1000] {
            let (_folder, path, server) = serving(&content, policy, over);
            let (mut client, mut other) = (Client::connect(&server), Client::connect(&server));
            assert_eq!(client.send("GET /file HTTP/1.1\r\nHost: a\r\n\r\n").head().status, 200);
            File::options().write(true).open(&path).expect("there").set_len(left as u64).expect("truncated");
            let received = client.rest_of_broken();
            assert!(received.len() <= LARGE_BYTES - 1000, "{policy:?}: {} bytes", received.len());
            if policy != MappedSends::Off {
                // By sendfile the socket refers to the file's own pages: what waits in it changes with them.
                assert!(content.starts_with(&received), "{policy:?}");
            }
            assert_eq!(other.get("/none").status, 404);
        }
    }
}
