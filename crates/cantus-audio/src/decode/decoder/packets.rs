//! Reading and decoding of packets, with silence and warnings in place of damage.

use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::TrackType;
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, TimeBase};

use super::Decoder;
use crate::Error;
use crate::decode::catch_panic::{PANICKED, catch_panic};
use crate::decode::codec::Codec;
use crate::decode::downmix::{to_mono, zero_non_finite};
use crate::decode::error_text::reason;
use crate::decode::format::Format;
use crate::decode::limits::check_limits;
use crate::decode::mpeg::{FrameHeader, StreamParams};
use crate::decode::play_range::PlayRange;
use crate::decode::track::audio_params;
use crate::decode::warning::{CHANNELS_CANCEL, MISSING_FRAMES, NON_FINITE};
use crate::decode::wave::SizeWarning;

/// Limit on the samples of silence in place of one packet that cannot be decoded; no codec has longer packets.
const MAX_SILENCE: u64 = 1 << 16;
/// Limit on consecutive failures of the container to find its next packet.
const MAX_FAILURES: usize = 16;
/// The longest MPEG frame, in bytes.
const MAX_FRAME: u64 = 2881;
/// Up to this position, in samples, an MP3 frame with an incomplete bit reservoir gives no warning: every MP3 that was cut
/// out of a longer one begins so.
const MP3_START: u64 = 4 * 1152;

impl Decoder {
    /// Decodes packets until one has samples; false at the end.
    pub(super) fn decode_block(&mut self) -> Result<bool, Error> {
        while let Some(mut packet) = self.next_trimmed_packet()? {
            if self.format == Format::Mpeg {
                self.prepare_mpeg_frame(&mut packet);
            }
            self.decode_packet(&packet)?;
            if self.return_block() {
                return Ok(true);
            }
        }
        self.block.clear();
        self.frames = (0..0, self.source.n_channels.into());
        self.converter.finish(&mut self.block);
        if self.return_block() {
            return Ok(true);
        }
        self.warn_of_cancellation();
        Ok(false)
    }

    /// Counts the samples of the block; returns whether there are any.
    fn return_block(&mut self) -> bool {
        self.position += self.block.len() as u64;
        self.has_signal = self.has_signal || self.block.iter().any(|&sample| sample != 0.0);
        !self.block.is_empty()
    }

    /// The next packet; the padding at the end of the stream is added to what is removed from the last one.
    fn next_trimmed_packet(&mut self) -> Result<Option<Packet>, Error> {
        if self.end_padding == 0 {
            return self.next_packet();
        }
        let first = match self.queued.take() {
            None => self.next_packet()?,
            queued => queued,
        };
        let Some(mut packet) = first else { return Ok(None) };
        self.queued = self.next_packet()?;
        if self.queued.is_none() {
            packet.trim_end = Duration::from(packet.trim_end.get().saturating_add(self.end_padding));
        }
        Ok(Some(packet))
    }

    /// The next packet of the track after any damage; `None` at the end.
    fn next_packet(&mut self) -> Result<Option<Packet>, Error> {
        while !self.is_finished {
            match catch_panic(|| self.reader.next_packet()) {
                Ok(Some(packet)) => {
                    self.n_failures = 0;
                    if packet.track_id == self.track_id {
                        return Ok(Some(packet));
                    }
                }
                Ok(None) => self.finish(None),
                Err(SymphoniaError::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    self.finish(Some("the file is truncated".into()));
                }
                Err(SymphoniaError::IoError(source)) => {
                    return Err(Error::Io { path: self.path.clone(), source });
                }
                Err(SymphoniaError::ResetRequired) => self.restart(),
                Err(SymphoniaError::DecodeError(reason))
                    if self.n_failures < MAX_FAILURES && reason != PANICKED =>
                {
                    self.n_failures += 1;
                    self.warnings.add(self.position, 0, reason);
                }
                Err(error) => self.finish(Some(format!("decoding stopped: {error}"))),
            }
        }
        Ok(None)
    }

    /// Ends decoding, with a warning if samples are missing.
    fn finish(&mut self, reason: Option<String>) {
        self.is_finished = true;
        let n_missing = self.n_samples_declared.map_or(0, |declared| declared.saturating_sub(self.position));
        match reason {
            Some(reason) => self.warnings.end(self.position, n_missing, reason),
            None if n_missing > 0 => {
                let reason = match &self.size_warning {
                    Some(warning @ SizeWarning::DataEndsEarly(..)) => warning.to_string(),
                    _ => "the data ends early: the file is shorter than its header declares".into(),
                };
                self.warnings.end(self.position, n_missing, reason);
            }
            None => {
                if let Some(warning @ SizeWarning::DataEndsEarly(..)) = &self.size_warning {
                    self.warnings.end(self.position, 0, warning.to_string());
                }
            }
        }
    }

    /// Warns of bytes before the first frame, and of a size in the header that contradicts the file, unless that is
    /// reported at the end.
    pub(super) fn warn_of_header(&mut self, n_skipped: u64) {
        // A stream that was cut out of a longer one begins with a part of a frame.
        if n_skipped > MAX_FRAME {
            self.warnings.add(0, 0, format!("{n_skipped} bytes before the first frame are no audio"));
        }
        if let Some(warning) = &self.size_warning
            && !matches!(warning, SizeWarning::DataEndsEarly(..))
        {
            self.warnings.add(0, 0, warning.to_string());
        }
    }

    /// Warns if the mono mix is silent and the channels are not.
    fn warn_of_cancellation(&mut self) {
        if !self.has_signal && self.channels_have_signal {
            self.channels_have_signal = false;
            self.warnings.add(0, self.position, CHANNELS_CANCEL);
        }
    }

    /// Continues with the next stream of the same file (chained Ogg).
    fn restart(&mut self) {
        let track = self.reader.default_track(TrackType::Audio).map(|track| (track.id, audio_params(track)));
        let Some((id, Some(params))) = track else {
            return self.finish(Some("the next stream in the file has no audio".into()));
        };
        match Codec::new(self.format, params) {
            Ok(codec) => {
                self.play_range = PlayRange { n_skipped: codec.delay(), n_samples: None };
                self.codec = codec;
                self.track_id = id;
                self.n_samples_declared = None;
            }
            Err(error) => {
                self.finish(Some(format!("the next stream in the file cannot be decoded: {error}")))
            }
        }
    }

    /// Handles what Symphonia's MPEG decoder does not: changes between mono and stereo, missing frames, and an incomplete
    /// bit reservoir.
    fn prepare_mpeg_frame(&mut self, packet: &mut Packet) {
        if packet.data.is_empty() {
            self.warnings.add(self.position, self.n_samples_out(packet), MISSING_FRAMES);
            packet.data = self.mpeg_header.map_or_else(Vec::new, FrameHeader::silent_frame).into();
            self.reservoir.clear();
            return;
        }
        self.mpeg_header = FrameHeader::parse(&packet.data);
        // Concatenated streams may differ in their parameters; a decoder accepts one set of them.
        let stream_params = StreamParams::of_frame(&packet.data);
        if self.stream_params.is_some() && self.stream_params != stream_params && self.renew_codec() {
            self.reservoir.clear();
        }
        self.stream_params = stream_params;
        if self.reservoir.mute_if_incomplete(&mut packet.data) && self.position > MP3_START {
            let reason = "the frame refers to data of a missing frame";
            self.warnings.add(self.position, self.n_samples_out(packet), reason);
        }
    }

    fn renew_codec(&mut self) -> bool {
        let track = self.reader.tracks().iter().find(|track| track.id == self.track_id);
        let codec = track.and_then(audio_params).map(|params| Codec::new(self.format, params));
        let Some(Ok(codec)) = codec else { return false };
        self.codec = codec;
        true
    }

    /// Number of samples of a packet in the output.
    fn n_samples_out(&self, packet: &Packet) -> u64 {
        let (n, rate) = (u128::from(packet.dur.get()), u128::from(self.source.sample_rate));
        let n = match self.time_base {
            Some(TimeBase { numer, denom }) => n * u128::from(numer.get()) * rate / u128::from(denom.get()),
            None if self.converter.rate > 0 => n * rate / u128::from(self.converter.rate),
            None => n,
        };
        u64::try_from(n).unwrap_or(u64::MAX)
    }

    /// Decodes one packet into the block. A packet that cannot be decoded becomes silence of its length.
    fn decode_packet(&mut self, packet: &Packet) -> Result<(), Error> {
        self.block.clear();
        self.frames = (0..0, self.source.n_channels.into());
        match self.codec.decode(packet, &mut self.interleaved) {
            Ok((sample_rate, n_channels)) => self.mix_frames(packet, sample_rate, n_channels.max(1)),
            Err(error) => {
                self.replace_by_silence(packet, &error);
                Ok(())
            }
        }
    }

    fn replace_by_silence(&mut self, packet: &Packet, error: &SymphoniaError) {
        self.reservoir.clear();
        if matches!(error, SymphoniaError::DecodeError(PANICKED)) && !self.renew_codec() {
            self.finish(Some(PANICKED.into()));
        }
        let n_silent = self.n_samples_out(packet).min(MAX_SILENCE);
        self.warnings.add(self.position, n_silent, reason(error));
        // Before the first decoded packet there is no position to keep.
        if self.source.n_channels > 0 {
            self.block.resize(n_silent as usize, 0.0);
            let played = self.play_range.next(self.block.len());
            self.block.truncate(played.len());
        }
    }

    /// Mixes the decoded frames to the block, without encoder delay and padding, at the output's sample rate.
    fn mix_frames(&mut self, packet: &Packet, sample_rate: u32, n_channels: usize) -> Result<(), Error> {
        self.fix_source(sample_rate, n_channels)?;
        let mut before = Vec::new();
        if sample_rate != self.converter.rate {
            before = self.converter.change(sample_rate);
            let output_rate = self.source.sample_rate;
            let reason =
                format!("the sample rate changes to {sample_rate} Hz; the output has {output_rate} Hz");
            self.warnings.add(self.position + before.len() as u64, 0, reason);
        }
        to_mono(&self.interleaved, n_channels, &mut self.block);
        let start = self.trim(packet);
        self.frames = (start * n_channels..(start + self.block.len()) * n_channels, n_channels);
        for range in zero_non_finite(&mut self.block) {
            self.warnings.add(self.position + range.start as u64, range.len() as u64, NON_FINITE);
        }
        if !self.has_signal && !self.channels_have_signal {
            let frames = &self.interleaved[self.frames.0.clone()];
            self.channels_have_signal = frames.iter().any(|sample| *sample != 0.0 && sample.is_finite());
        }
        self.converter.convert(self.source.sample_rate, &mut self.block);
        self.block.splice(0..0, before);
        Ok(())
    }

    /// Takes sample rate and channels from the first decoded packet; the header may lack them.
    fn fix_source(&mut self, sample_rate: u32, n_channels: usize) -> Result<(), Error> {
        if self.source.n_channels == 0 {
            check_limits(&self.path, self.format, Some(sample_rate), Some(n_channels))?;
            self.source.sample_rate = sample_rate;
            self.source.n_channels = n_channels as u16;
            self.converter.rate = sample_rate;
        }
        Ok(())
    }

    /// Removes encoder delay and padding, as the container declares them. Returns the number of samples removed at the
    /// start.
    fn trim(&mut self, packet: &Packet) -> usize {
        let mut start = 0;
        if self.codec.leaves_trimming(self.format) {
            let end = self.block.len().saturating_sub(packet.trim_end.get() as usize);
            self.block.truncate(end);
            start = self.block.len().min(packet.trim_start.get() as usize);
            self.block.drain(..start);
        }
        let played = self.play_range.next(self.block.len());
        self.block.truncate(played.end);
        self.block.drain(..played.start);
        start + played.start
    }
}
