//! SETTINGS: what the peer told of itself, and what we tell it (RFC 9113 section 6.5.2, RFC 8441 section 3, RFC 9218 section 2.1).

use super::error::Error;
use super::frame::{flag, kind, number, write_header};
use super::hpack;
use super::limits::Limits;
use alloc::vec::Vec;

const HEADER_TABLE_SIZE: u16 = 1;
const ENABLE_PUSH: u16 = 2;
const MAX_CONCURRENT_STREAMS: u16 = 3;
const INITIAL_WINDOW_SIZE: u16 = 4;
const MAX_FRAME_SIZE: u16 = 5;
const MAX_HEADER_LIST_SIZE: u16 = 6;
const ENABLE_CONNECT_PROTOCOL: u16 = 8;
const NO_RFC7540_PRIORITIES: u16 = 9;

/// How long one setting is.
pub(super) const ENTRY_BYTES: usize = 6;

/// What windows are before anybody says otherwise (RFC 9113 section 6.9.2).
pub(super) const INITIAL_WINDOW: i32 = 65_535;

/// The most that a window can be.
pub(super) const LARGEST_WINDOW: u32 = 0x7fff_ffff;

/// The least that `SETTINGS_MAX_FRAME_SIZE` can be, and what it is at first.
pub(super) const LEAST_FRAME_SIZE: u32 = 16_384;

const LARGEST_FRAME_SIZE: u32 = 0xff_ffff;

/// What the peer told of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Peer {
    pub header_table_size: u32,
    /// The least that it was set to by SETTINGS that are not acknowledged.
    pub least_table_size: Option<u32>,
    pub enable_push: bool,
    pub max_concurrent_streams: u32,
    pub initial_window_size: i32,
    pub max_frame_size: u32,
    pub max_header_list_size: u32,
    pub enable_connect_protocol: bool,
    /// It has told at all: its first SETTINGS are there as a whole.
    pub has_told: bool,
    no_priorities: Option<bool>,
}

impl Peer {
    /// What holds until its SETTINGS come. How many streams it takes at once is not limited then: RFC 9113 section 6.5.2 has it take 100 at
    /// the least, so that is what clients go by.
    pub const START: Peer = Peer {
        header_table_size: hpack::INITIAL_SIZE,
        least_table_size: None,
        enable_push: true,
        max_concurrent_streams: 100,
        initial_window_size: INITIAL_WINDOW,
        max_frame_size: LEAST_FRAME_SIZE,
        max_header_list_size: u32::MAX,
        enable_connect_protocol: false,
        has_told: false,
        no_priorities: None,
    };

    /// Takes one setting in; unknown ones mean nothing. `from_server` says who sent it.
    pub fn take(&mut self, entry: &[u8], from_server: bool) -> Result<(), Error> {
        let (identifier, value) = (number(&entry[..2]) as u16, number(&entry[2..ENTRY_BYTES]));
        match identifier {
            HEADER_TABLE_SIZE => {
                self.header_table_size = value;
                self.least_table_size = Some(self.least_table_size.map_or(value, |least| least.min(value)));
            }
            ENABLE_PUSH if from_server && value != 0 => return Err(Error::InvalidEnablePush),
            ENABLE_PUSH => self.enable_push = flag_of(value).ok_or(Error::InvalidEnablePush)?,
            MAX_CONCURRENT_STREAMS => self.max_concurrent_streams = value,
            INITIAL_WINDOW_SIZE if value > LARGEST_WINDOW => return Err(Error::InvalidInitialWindow),
            INITIAL_WINDOW_SIZE => self.initial_window_size = value as i32,
            MAX_FRAME_SIZE if !(LEAST_FRAME_SIZE..=LARGEST_FRAME_SIZE).contains(&value) => {
                return Err(Error::InvalidMaxFrameSize);
            }
            MAX_FRAME_SIZE => self.max_frame_size = value,
            MAX_HEADER_LIST_SIZE => self.max_header_list_size = value,
            ENABLE_CONNECT_PROTOCOL => self.connect_protocol(value)?,
            NO_RFC7540_PRIORITIES => self.no_priorities(value)?,
            _ => {}
        }
        Ok(())
    }

    /// Once it was said it may not be taken back (RFC 8441 section 3).
    fn connect_protocol(&mut self, value: u32) -> Result<(), Error> {
        let enabled = flag_of(value).ok_or(Error::InvalidConnectProtocol)?;
        if self.enable_connect_protocol && !enabled {
            return Err(Error::InvalidConnectProtocol);
        }
        self.enable_connect_protocol = enabled;
        Ok(())
    }

    /// What was said first holds (RFC 9218 section 2.1).
    fn no_priorities(&mut self, value: u32) -> Result<(), Error> {
        let said = flag_of(value).ok_or(Error::InvalidNoPriorities)?;
        if *self.no_priorities.get_or_insert(said) == said { Ok(()) } else { Err(Error::InvalidNoPriorities) }
    }
}

fn flag_of(value: u32) -> Option<bool> {
    match value {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

/// Our SETTINGS, of a server or of a client: what differs from what holds anyway, and what the other side should know.
pub(super) fn write(limits: &Limits, server: bool, connect_protocol: bool, out: &mut Vec<u8>) {
    let start = out.len();
    write_header(0, kind::SETTINGS, 0, 0, out);
    let mut setting = |identifier: u16, value: u32, holds_anyway: u32| {
        if value != holds_anyway {
            out.extend_from_slice(&identifier.to_be_bytes());
            out.extend_from_slice(&value.to_be_bytes());
        }
    };
    setting(HEADER_TABLE_SIZE, limits.header_table_bytes, hpack::INITIAL_SIZE);
    if server {
        setting(MAX_CONCURRENT_STREAMS, limits.streams, u32::MAX);
    } else {
        setting(ENABLE_PUSH, 0, 1);
    }
    setting(INITIAL_WINDOW_SIZE, limits.stream_window_bytes, INITIAL_WINDOW as u32);
    setting(MAX_FRAME_SIZE, limits.frame_bytes, LEAST_FRAME_SIZE);
    setting(MAX_HEADER_LIST_SIZE, limits.header_list_bytes, u32::MAX);
    setting(ENABLE_CONNECT_PROTOCOL, u32::from(server && connect_protocol), 0);
    setting(NO_RFC7540_PRIORITIES, 1, 0);
    let length = out.len() - start - 9;
    out[start + 2] = length as u8;
}

pub(super) fn write_ack(out: &mut Vec<u8>) {
    write_header(0, kind::SETTINGS, flag::ACK, 0, out);
}
