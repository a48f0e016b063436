//! Where the sound of an MP4 file begins and ends: edit lists and iTunes' gapless data.
//!
//! An AAC encoder delays the signal by 1,024 to 2,112 samples. The edit list (`elst`) says at which media time the
//! presentation begins and how long it is; iTunes writes the same to a tag called `iTunSMPB`. Symphonia applies neither.
//!
//! # Reference
//! ISO/IEC 14496-12, 8.6.6 (edit list); Apple, *QuickTime File Format*, appendix G (audio priming).

use std::io::{Read, Result, Seek};
use std::ops::Range;

use super::mp4_boxes::{Boxes, u32_at, u64_at};
use super::play_range::PlayRange;

/// Timing of all tracks of a file.
#[derive(Debug, Default)]
pub(super) struct Mp4Timing {
    /// Units per second of the durations of edits.
    movie_timescale: u32,
    tracks: Vec<TrackTiming>,
    itunes: Option<PlayRange>,
}

#[derive(Debug, Default)]
struct TrackTiming {
    id: u32,
    /// Units per second of media times.
    timescale: u32,
    /// Duration in units of the movie, and media time, or -1 for none.
    edits: Vec<(u64, i64)>,
    /// Four-character code of the codec of a track of sound.
    sound_format: Option<[u8; 4]>,
}

impl Mp4Timing {
    /// Reads the timing of a file of `size` bytes.
    pub(super) fn read(file: &mut (impl Read + Seek), size: u64) -> Result<Self> {
        let mut timing = Self::default();
        let mut boxes = Boxes { file };
        for (_, movie) in boxes.named(0..size, b"moov")? {
            for (name, content) in boxes.children(movie)? {
                match &name {
                    b"mvhd" => timing.movie_timescale = timescale(&boxes.read(&content)?).unwrap_or(0),
                    b"trak" => timing.tracks.push(boxes.track(content)?),
                    b"udta" => timing.itunes = timing.itunes.or(boxes.itunes(content)?),
                    _ => {}
                }
            }
        }
        Ok(timing)
    }

    /// Four-character code of the codec of the first track of sound.
    pub(super) fn sound_format(&self) -> Option<[u8; 4]> {
        self.tracks.iter().find_map(|track| track.sound_format)
    }

    /// The range of a track to play, at `sample_rate`; `n_samples` is the number of samples of the whole track, if known.
    pub(super) fn play_range(
        &self,
        track_id: u32,
        sample_rate: u32,
        n_samples: Option<u64>,
    ) -> Option<PlayRange> {
        let edited = self.edited(track_id, sample_rate, n_samples);
        let is_trivial = edited.is_none_or(|range| {
            range.n_skipped == 0 && (range.n_samples.is_none() || range.n_samples >= n_samples)
        });
        if is_trivial { self.itunes.or(edited) } else { edited }
    }

    fn edited(&self, track_id: u32, sample_rate: u32, n_samples: Option<u64>) -> Option<PlayRange> {
        let track = self.tracks.iter().find(|track| track.id == track_id)?;
        let &(_, first) = track.edits.iter().find(|(_, media_time)| *media_time >= 0)?;
        let rescale = |time: u64, timescale: u32| {
            let time = u128::from(time) * u128::from(sample_rate);
            u64::try_from((time + u128::from(timescale / 2)) / u128::from(timescale.max(1)))
                .unwrap_or(u64::MAX)
        };
        let n_skipped = rescale(first.unsigned_abs(), track.timescale);
        let parts = track.edits.iter().filter(|(_, media_time)| *media_time >= 0);
        let duration = parts.fold(0_u64, |sum, (duration, _)| sum.saturating_add(*duration));
        // Of a fragmented file it may be 0: unknown.
        let mut n_played = (duration > 0).then(|| rescale(duration, self.movie_timescale));
        let n_present = n_samples.map(|n| n.saturating_sub(n_skipped));
        if let (Some(played), Some(present)) = (n_played, n_present) {
            // Durations are often in milliseconds; the sum of the packets' durations is exact.
            let tick = u64::from(sample_rate / self.movie_timescale.max(1)) + 1;
            if played > present || present - played <= tick {
                n_played = Some(present);
            }
        }
        Some(PlayRange { n_skipped, n_samples: n_played })
    }
}

impl<F: Read + Seek> Boxes<'_, F> {
    fn track(&mut self, range: Range<u64>) -> Result<TrackTiming> {
        let mut track = TrackTiming::default();
        for (name, content) in self.children(range)? {
            match &name {
                b"tkhd" => {
                    let header = self.read(&content)?;
                    let at = if header.first() == Some(&1) { 20 } else { 12 };
                    track.id = u32_at(&header, at).unwrap_or(0);
                }
                b"mdia" => {
                    for (_, header) in self.named(content.clone(), b"mdhd")? {
                        track.timescale = timescale(&self.read(&header)?).unwrap_or(0);
                    }
                    track.sound_format = self.sound_format(content)?;
                }
                b"edts" => {
                    for (_, list) in self.named(content, b"elst")? {
                        track.edits = edits(&self.read(&list)?);
                    }
                }
                _ => {}
            }
        }
        Ok(track)
    }

    /// The first entry of `minf / stbl / stsd`, if the handler of the media is that of sound.
    fn sound_format(&mut self, media: Range<u64>) -> Result<Option<[u8; 4]>> {
        let mut is_sound = false;
        for (_, handler) in self.named(media.clone(), b"hdlr")? {
            is_sound |= self.read(&handler)?.get(8..12) == Some(b"soun");
        }
        if !is_sound {
            return Ok(None);
        }
        let mut range = media;
        for name in [b"minf", b"stbl", b"stsd"] {
            let Some((_, content)) = self.named(range, name)?.pop() else { return Ok(None) };
            range = content;
        }
        // Version, number of entries, size of the first entry.
        Ok(self.read(&range)?.get(12..).and_then(|entry| entry.first_chunk().copied()))
    }

    /// The tag `iTunSMPB`: `udta / meta / ilst / ---- / name, data`.
    fn itunes(&mut self, user_data: Range<u64>) -> Result<Option<PlayRange>> {
        for (_, meta) in self.named(user_data, b"meta")? {
            // A full box: version and flags precede its boxes.
            for (_, list) in self.named((meta.start + 4).min(meta.end)..meta.end, b"ilst")? {
                for (_, tag) in self.named(list, b"----")? {
                    let (mut is_wanted, mut value) = (false, None);
                    for (name, content) in self.children(tag)? {
                        match &name {
                            b"name" => is_wanted = self.read(&content)?.ends_with(b"iTunSMPB"),
                            b"data" => value = self.read(&content)?.get(8..).and_then(gapless),
                            _ => {}
                        }
                    }
                    if is_wanted && value.is_some() {
                        return Ok(value);
                    }
                }
            }
        }
        Ok(None)
    }
}

/// Units per second of a movie or media header.
fn timescale(header: &[u8]) -> Option<u32> {
    u32_at(header, if *header.first()? == 1 { 20 } else { 12 })
}

/// Durations and media times of an edit list.
fn edits(list: &[u8]) -> Vec<(u64, i64)> {
    let is_wide = list.first() == Some(&1);
    let length = if is_wide { 20 } else { 12 };
    let entries = list.get(8..).unwrap_or_default().chunks_exact(length);
    let entry = |entry: &[u8]| {
        Some(if is_wide {
            (u64_at(entry, 0)?, u64_at(entry, 8)?.cast_signed())
        } else {
            (u64::from(u32_at(entry, 0)?), i64::from(u32_at(entry, 4)?.cast_signed()))
        })
    };
    entries.filter_map(entry).take(u32_at(list, 4).unwrap_or(0) as usize).collect()
}

/// Hexadecimal words: zero, delay, padding, number of samples.
fn gapless(text: &[u8]) -> Option<PlayRange> {
    let mut words =
        std::str::from_utf8(text).ok()?.split_whitespace().map(|word| u64::from_str_radix(word, 16));
    let (_, delay, _padding, n) =
        (words.next()?.ok()?, words.next()?.ok()?, words.next()?.ok()?, words.next()?.ok()?);
    Some(PlayRange { n_skipped: delay, n_samples: (n > 0).then_some(n) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mp4_box(name: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        [&(content.len() as u32 + 8).to_be_bytes(), name.as_slice(), &content].concat()
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    /// A movie of 1000 units per second with a track of 44 100.
    fn movie(edit_list: &[u32], itunes: Option<&str>) -> Mp4Timing {
        let handler = mp4_box(b"hdlr", &[&[0; 8], b"soun"]);
        let entries = mp4_box(b"stsd", &[&words(&[0, 1, 36]), b"samr"]);
        let codec = mp4_box(b"minf", &[&mp4_box(b"stbl", &[&entries])]);
        let track = mp4_box(
            b"trak",
            &[
                &mp4_box(b"tkhd", &[&words(&[0, 0, 0, 7])]),
                &mp4_box(b"edts", &[&mp4_box(b"elst", &[&words(edit_list)])]),
                &mp4_box(b"mdia", &[&mp4_box(b"mdhd", &[&words(&[0, 0, 0, 44_100])]), &handler, &codec]),
            ],
        );
        let tag = itunes.map_or(Vec::new(), |text| {
            let name = mp4_box(b"name", &[&[0; 4], b"iTunSMPB"]);
            let data = mp4_box(b"data", &[&[0; 8], text.as_bytes()]);
            mp4_box(b"ilst", &[&mp4_box(b"----", &[&name, &data])])
        });
        let user = mp4_box(b"udta", &[&mp4_box(b"meta", &[&[0; 4], &tag])]);
        let movie = mp4_box(b"moov", &[&mp4_box(b"mvhd", &[&words(&[0, 0, 0, 1000])]), &track, &user]);
        let file = [mp4_box(b"ftyp", &[b"M4A "]), mp4_box(b"mdat", &[&[0; 100]]), movie].concat();
        Mp4Timing::read(&mut std::io::Cursor::new(&file), file.len() as u64).unwrap()
    }

    #[test]
    fn the_edit_list_gives_the_start_and_the_length() {
        let range =
            |timing: &Mp4Timing, n| timing.play_range(7, 44_100, n).map(|r| (r.n_skipped, r.n_samples));
        let timing = movie(&[0, 1, 2000, 1024, 0x10000], None);
        assert_eq!(range(&timing, Some(92_160)), Some((1024, Some(88_200))));
        assert_eq!(range(&timing, Some(1024 + 88_210)), Some((1024, Some(88_210))), "within a millisecond");
        assert_eq!(range(&timing, Some(50_000)), Some((1024, Some(48_976))));
        assert_eq!(
            range(&movie(&[0, 2, 50, u32::MAX, 0x10000, 0, 2112, 0x10000], None), None),
            Some((2112, None))
        );
        assert_eq!(timing.play_range(8, 44_100, None), None, "another track");
        assert_eq!(timing.sound_format(), Some(*b"samr"));
        assert_eq!(timing.play_range(7, 22_050, None).unwrap().n_skipped, 512, "half of the rate is decoded");
    }

    #[test]
    fn itunes_gapless_data_are_used_where_the_edit_list_says_nothing() {
        let text = " 00000000 00000840 000001CA 00000000000031F6 00000000";
        let range = |edits: &[u32]| movie(edits, Some(text)).play_range(7, 44_100, Some(15_000)).unwrap();
        assert_eq!(range(&[0, 0]), PlayRange { n_skipped: 2112, n_samples: Some(0x31F6) });
        assert_eq!(range(&[0, 1, 341, 0, 0x10000]).n_skipped, 2112);
        assert_eq!(range(&[0, 1, 200, 1024, 0x10000]).n_skipped, 1024);
    }
}
