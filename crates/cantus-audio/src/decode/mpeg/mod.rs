//! MPEG audio streams (`mp1`, `mp2`, `mp3`): frames, their headers and tags; Symphonia decodes the frames.
//!
//! | file | task |
//! |---|---|
//! | `frame_header` | the four bytes at the start of a frame |
//! | `scanner` | finds frames; skips tags; reports bytes that are neither |
//! | `info_tag` | number of frames, encoder delay and padding, from the first frame of a file |
//! | `reader` | the frames in packets, and silence in place of missing ones |
//! | `bit_reservoir` | mutes frames whose bit reservoir is incomplete |
//!
//! # Reference
//! ISO/IEC 11172-3, 2.4.2.3; ISO/IEC 13818-3.

mod bit_reservoir;
mod frame_header;
mod info_tag;
mod reader;
mod scanner;

pub(super) use bit_reservoir::{BitReservoir, StreamParams};
pub(super) use frame_header::FrameHeader;
pub(super) use reader::MpegReader;
