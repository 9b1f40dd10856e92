//! What a path becomes, and a body.

use std::task::{Context, Poll, Waker};

use gannet_core::{Frame, Source};

use super::*;

#[test]
fn whole_segments_are_exchanged_and_the_query_stays() {
    for (path, query, from, to, expected) in [
        ("/v1/users", Some("a=b"), "/v1", "/api/v1", Some("/api/v1/users?a=b")),
        ("/v1", None, "/v1", "/api", Some("/api")),
        ("/v10/users", None, "/v1", "/api", None),
        ("/a/v1", None, "/v1", "/api", None),
        ("/v1", Some(""), "/v1", "", Some("/?")),
        ("/v1/", None, "/v1", "", Some("/")),
        ("/users", None, "", "/api", Some("/api/users")),
    ] {
        assert_eq!(rewritten(path, query, from, to).as_deref(), expected, "{path}");
    }
}

#[test]
fn what_could_not_be_sent_is_found_where_it_is_said() {
    let fails = |build: fn() -> Transform| std::panic::catch_unwind(build).is_err();
    assert!(fails(|| Transform::new().set_field("content-length", "1")));
    assert!(fails(|| Transform::new().add_field("x-a", "1\r\n")));
    assert!(fails(|| Transform::new().set_request_field("x a", "1")));
    assert!(fails(|| Transform::new().remove_request_field("transfer-encoding")));
    assert!(fails(|| Transform::new().rewrite_path("v1", "/v2")));
    assert!(fails(|| Transform::new().rewrite_path("/v1", "/v2?a")));
}

/// No file is read here.
struct NoFiles;

impl Fs for NoFiles {
    fn open(
        &self,
        _: &gannet_core::Root,
        _: &[u8],
    ) -> gannet_core::Later<Result<gannet_core::OpenFile, gannet_core::FsError>> {
        gannet_core::Later::ready(Err(gannet_core::FsError::NotFound))
    }

    fn stamp(&self, _: &gannet_core::File) -> std::io::Result<gannet_core::Stamp> {
        Err(std::io::ErrorKind::Unsupported.into())
    }

    fn read(
        &self,
        _: &Arc<gannet_core::File>,
        range: std::ops::Range<u64>,
    ) -> gannet_core::Later<std::io::Result<gannet_core::Bytes>> {
        let bytes = vec![b'f'; (range.end - range.start) as usize];
        gannet_core::Later::ready(Ok(bytes.into()))
    }

    fn list(
        &self,
        _: &gannet_core::Root,
        _: &[u8],
        _: usize,
        _: gannet_core::WriteListed,
    ) -> gannet_core::Later<Result<gannet_core::Bytes, gannet_core::FsError>> {
        gannet_core::Later::ready(Err(gannet_core::FsError::NotFound))
    }

    fn spare_descriptors(&self) -> usize {
        0
    }
}

/// All that comes of a body, mapped: its pieces in small letters are large ones, and its end is a dot.
fn mapped(body: Body) -> (String, bool) {
    let map = |piece: Option<&[u8]>| piece.map_or_else(|| b".".to_vec(), <[u8]>::to_ascii_uppercase);
    let mut mapped = Box::pin(Mapped::new(body, Box::new(map), Rc::new(NoFiles)));
    let (mut text, mut trailers) = (String::new(), false);
    for _ in 0..100 {
        match mapped.as_mut().poll_frame(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(Ok(Frame::Data(data)))) => text += std::str::from_utf8(&data).expect("text"),
            Poll::Ready(Some(Ok(Frame::Trailers(_)))) => trailers = true,
            Poll::Ready(None) => return (text, trailers),
            other => panic!("{other:?}"),
        }
    }
    panic!("it does not end")
}

#[test]
fn every_kind_of_body_is_mapped_piece_by_piece_and_trailers_come_behind() {
    assert_eq!(mapped(Body::Bytes("abc".into())), ("ABC.".to_owned(), false));
    let file = Arc::new(tempfile::tempfile().expect("a temporary file"));
    let (text, _) = mapped(Body::File(file, 0..200_000));
    assert!(text.len() == 200_001 && text.starts_with("FF") && text.ends_with("F."));
    struct Parts(Vec<Frame>);
    impl Source for Parts {
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame, gannet_core::BodyError>>> {
            Poll::Ready(self.0.pop().map(Ok))
        }
    }
    let parts = [Frame::Trailers(Fields::new()), Frame::Data("b".into()), Frame::Data("a".into())];
    assert_eq!(mapped(Body::stream(Parts(parts.into()))), ("AB.".to_owned(), true));
}
