//! Decoding of MPEG frames with valid headers: bit reservoir, side information, missing frames.
#![no_main]

use cantus_fuzz::mpeg::MpegStream;

cantus_fuzz::target!(512, |stream: MpegStream| cantus_fuzz::decode(&stream.to_bytes()));
