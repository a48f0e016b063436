//! Reading and decoding of packets, with silence and warnings in place of damage.

use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::TrackType;
use symphonia::core::packet::Packet;

use super::Decoder;
use crate::Error;
use crate::decode::bit_reservoir::StreamParams;
use crate::decode::catch_panic::{PANICKED, catch_panic};
use crate::decode::downmix;
use crate::decode::error_text::reason;
use crate::decode::format::Format;
use crate::decode::limits::check_limits;
use crate::decode::pcm16::Pcm16;
use crate::decode::track::{audio_params, new_codec};

/// Limit on the samples of silence in place of one packet that cannot be decoded; no codec has longer packets.
const MAX_SILENCE: u64 = 1 << 16;
/// Limit on consecutive failures of the container to find its next packet.
const MAX_FAILURES: usize = 16;
/// Up to this position, in samples, an MP3 frame with an incomplete bit reservoir gives no warning: every MP3 that was cut
/// out of a longer one begins so.
const MP3_START: u64 = 4 * 1152;

impl Decoder {
    /// Decodes packets until one has samples; false at the end.
    pub(super) fn decode_block(&mut self) -> Result<bool, Error> {
        while let Some(mut packet) = self.next_packet()? {
            if self.format == Format::Mpeg {
                self.prepare_mpeg_frame(&mut packet);
            }
            self.decode_packet(&packet)?;
            self.position += self.block.len() as u64;
            if !self.block.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
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
                    self.finish((!self.has_open_length).then(|| "the file is truncated".into()));
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
            None if n_missing > 0 => self.warnings.end(
                self.position,
                n_missing,
                "the file is shorter than its header declares".into(),
            ),
            None => {}
        }
    }

    /// Continues with the next stream of the same file (chained Ogg) if it has the same sample rate.
    fn restart(&mut self) {
        let track = self.reader.default_track(TrackType::Audio).map(|track| (track.id, audio_params(track)));
        let Some((id, Some(params))) = track else {
            return self.finish(Some("the next stream in the file has no audio".into()));
        };
        if params.sample_rate != Some(self.source.sample_rate) {
            return self.finish(Some("the next stream in the file has another sample rate".into()));
        }
        match new_codec(self.format, params) {
            Ok(codec) => {
                self.pcm16 = Pcm16::for_track(params);
                self.codec = codec;
                self.track_id = id;
                self.n_samples_declared = None;
            }
            Err(error) => {
                self.finish(Some(format!("the next stream in the file cannot be decoded: {error}")))
            }
        }
    }

    /// Handles what Symphonia's MPEG decoder does not: changes between mono and stereo, and an incomplete bit reservoir.
    fn prepare_mpeg_frame(&mut self, packet: &mut Packet) {
        // Concatenated streams may differ in their parameters; a decoder accepts one set of them.
        let stream_params = StreamParams::of_frame(&packet.data);
        if self.stream_params.is_some() && self.stream_params != stream_params && self.renew_codec() {
            self.reservoir.clear();
        }
        self.stream_params = stream_params;
        if self.reservoir.mute_if_incomplete(&mut packet.data) && self.position > MP3_START {
            let reason = "the frame refers to data of a missing frame";
            self.warnings.add(self.position, packet.dur.get(), reason);
        }
    }

    fn renew_codec(&mut self) -> bool {
        let track = self.reader.tracks().iter().find(|track| track.id == self.track_id);
        let codec = track.and_then(audio_params).map(|params| new_codec(self.format, params));
        let Some(Ok(codec)) = codec else { return false };
        self.codec = codec;
        true
    }

    /// Decodes one packet into the block. A packet that cannot be decoded becomes silence of its length.
    fn decode_packet(&mut self, packet: &Packet) -> Result<(), Error> {
        self.block.clear();
        self.frames = (0..0, self.source.n_channels.into());
        let (sample_rate, n_channels) = match self.decode_frames(packet) {
            Ok(spec) => spec,
            Err(error) => {
                self.reservoir.clear();
                if matches!(error, SymphoniaError::DecodeError(PANICKED)) && !self.renew_codec() {
                    self.finish(Some(PANICKED.into()));
                }
                let n_silent = packet.dur.get().min(MAX_SILENCE);
                self.warnings.add(self.position, n_silent, reason(&error));
                // Before the first decoded packet there is no position to keep.
                if self.source.n_channels > 0 {
                    self.block.resize(n_silent as usize, 0.0);
                }
                return Ok(());
            }
        };
        self.fix_source(sample_rate, n_channels)?;
        if sample_rate != self.source.sample_rate {
            let n_silent = packet.dur.get().min(MAX_SILENCE);
            self.warnings.add(
                self.position,
                n_silent,
                format!("the sample rate changes to {sample_rate} Hz"),
            );
            self.block.resize(n_silent as usize, 0.0);
            return Ok(());
        }
        let n_channels = n_channels.max(1);
        let n_non_finite = downmix::to_mono(&self.interleaved, n_channels, &mut self.block);
        let start = if self.format == Format::Mpeg { self.trim(packet) } else { 0 };
        self.frames = (start * n_channels..(start + self.block.len()) * n_channels, n_channels);
        if n_non_finite > 0 {
            self.warnings.add(self.position, n_non_finite, "non-finite samples");
        }
        Ok(())
    }

    /// Decodes one packet into interleaved frames; returns their sample rate and number of channels.
    fn decode_frames(&mut self, packet: &Packet) -> Result<(u32, usize), SymphoniaError> {
        if let Some(pcm16) = self.pcm16 {
            pcm16.decode(&packet.data, &mut self.interleaved);
            return Ok((pcm16.sample_rate, pcm16.n_channels));
        }
        catch_panic(|| {
            let decoded = self.codec.decode(packet)?;
            decoded.copy_to_vec_interleaved(&mut self.interleaved);
            Ok((decoded.spec().rate(), decoded.spec().channels().count()))
        })
    }

    /// Takes sample rate and channels from the first decoded packet; the header may lack them.
    fn fix_source(&mut self, sample_rate: u32, n_channels: usize) -> Result<(), Error> {
        if self.source.n_channels == 0 {
            check_limits(&self.path, self.format, Some(sample_rate), Some(n_channels))?;
            self.source.sample_rate = sample_rate;
            self.source.n_channels = n_channels as u16;
        }
        Ok(())
    }

    /// Removes encoder delay and padding of an MP3, as its LAME tag declares them.
    ///
    /// Symphonia would also cut at an end that it estimates from the bit rate; without a tag nothing is removed here.
    /// Returns the number of samples removed at the start.
    fn trim(&mut self, packet: &Packet) -> usize {
        if self.trims_end {
            let end = self.block.len().saturating_sub(packet.trim_end.get() as usize);
            self.block.truncate(end);
        }
        let start = self.block.len().min(packet.trim_start.get() as usize);
        self.block.drain(..start);
        start
    }
}
