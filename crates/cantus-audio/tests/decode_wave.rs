//! WAV files of every variant, with samples of every width in every container, and with sizes that are wrong.

use cantus_audio::Error;
use cantus_audio::decode::{Recording, decode_bytes};

const RATE: u32 = 22_050;

fn from_memory(bytes: Vec<u8>) -> Result<Recording, Error> {
    decode_bytes("song.wav".as_ref(), bytes)
}

/// The samples of the tests: amplitudes that need all bits.
fn tone(n: usize) -> Vec<f64> {
    (0..n).map(|i| 0.7 * (i as f64 * 0.05).sin()).collect()
}

/// Samples of `bits` bits, left-justified in containers of `bytes` bytes; 8 bits are unsigned.
fn pcm(samples: &[f64], bits: u32, bytes: usize, is_big_endian: bool) -> Vec<u8> {
    let container_bits = 8 * bytes as u32;
    let encode = |sample: &f64| {
        let value = (sample * f64::from(1_u32 << (bits - 1))).round() as i64;
        let value = value << (container_bits - bits);
        let value = if bytes == 1 { value + 128 } else { value };
        let mut little = value.to_le_bytes()[..bytes].to_vec();
        if is_big_endian {
            little.reverse();
        }
        little
    };
    samples.iter().flat_map(encode).collect()
}

struct Format {
    tag: u16,
    n_channels: u16,
    block_align: u16,
    bits: u16,
    /// Valid bits and sub-format of WAVE_FORMAT_EXTENSIBLE, and number of bytes behind them.
    extension: Option<(u16, u16, u16)>,
}

impl Format {
    fn pcm(block_align: u16, bits: u16) -> Self {
        Self { tag: 1, n_channels: 1, block_align, bits, extension: None }
    }

    fn chunk(&self, is_big_endian: bool) -> Vec<u8> {
        let two = |x: u16| if is_big_endian { x.to_be_bytes() } else { x.to_le_bytes() };
        let four = |x: u32| if is_big_endian { x.to_be_bytes() } else { x.to_le_bytes() };
        let mut chunk = [two(self.tag), two(self.n_channels)].concat();
        chunk.extend([four(RATE), four(RATE * u32::from(self.block_align))].as_flattened());
        chunk.extend([two(self.block_align), two(self.bits)].as_flattened());
        if let Some((valid_bits, sub_format, n_more)) = self.extension {
            chunk.extend([two(22 + n_more), two(valid_bits)].as_flattened());
            chunk.extend([four(4), four(sub_format.into())].as_flattened());
            chunk.extend(b"\0\0\x10\0\x80\0\0\xAA\0\x38\x9B\x71");
            chunk.resize(chunk.len() + usize::from(n_more), 0xEE);
        }
        chunk
    }
}

/// A chunk of a RIFF file.
fn chunk(name: &[u8; 4], size: u32, content: &[u8]) -> Vec<u8> {
    let padding: &[u8] = if content.len() % 2 == 1 { &[0] } else { &[] };
    [name.as_slice(), &size.to_le_bytes(), content, padding].concat()
}

/// A RIFF file whose sizes are right, but for those that are given.
fn riff(
    format: &Format,
    data: &[u8],
    riff_size: Option<u32>,
    data_size: Option<u32>,
    behind: &[u8],
) -> Vec<u8> {
    let fmt = format.chunk(false);
    let chunks = [
        b"WAVE".to_vec(),
        chunk(b"fmt ", fmt.len() as u32, &fmt),
        chunk(b"data", data_size.unwrap_or(data.len() as u32), data),
        behind.to_vec(),
    ]
    .concat();
    [b"RIFF".as_slice(), &riff_size.unwrap_or(chunks.len() as u32).to_le_bytes(), &chunks].concat()
}

#[track_caller]
fn assert_tone(recording: &Recording, bits: u32, what: &str) {
    let expected = tone(recording.audio.samples.len());
    for (i, (found, expected)) in recording.audio.samples.iter().zip(expected).enumerate() {
        let difference = (f64::from(*found) - expected).abs();
        assert!(
            difference <= 0.51 / f64::from(1_u32 << (bits - 1)) + 1e-7,
            "{what} at {i}: {found} {expected}"
        );
    }
}

#[test]
fn every_width_in_every_container_is_read() {
    for bytes in 1..=4_u16 {
        for bits in (8 * bytes).saturating_sub(15).max(4)..=8 * bytes {
            let data = pcm(&tone(500), bits.into(), bytes.into(), false);
            for extension in [None, Some((bits, 1, 0)), Some((bits, 1, 4))] {
                let (tag, container) = if extension.is_some() { (0xFFFE, 8 * bytes) } else { (1, bits) };
                let format = Format { tag, n_channels: 1, block_align: bytes, bits: container, extension };
                let what = format!("{bits} bits in {bytes} bytes, {extension:?}");
                let found = from_memory(riff(&format, &data, None, None, &[])).unwrap();
                assert_eq!((found.audio.samples.len(), found.warnings.len()), (500, 0), "{what}");
                assert_tone(&found, bits.into(), &what);
            }
        }
    }
}

#[test]
fn sizes_that_contradict_the_file_lose_no_samples() {
    let data = pcm(&tone(500), 16, 2, false);
    let format = Format::pcm(2, 16);
    let list = chunk(b"LIST", 10, b"INFOsome..");
    let sizes = [0, 7, 36, 0x7FFF_FFFF, 0x7FFF_F000, u32::MAX, u32::MAX - 36, 100_000];
    for riff_size in sizes.map(Some).into_iter().chain([None]) {
        for data_size in [0, 0x7FFF_FFFF, 0x7FFF_F000, u32::MAX, u32::MAX - 36, 1008, 100_000].map(Some) {
            let found = from_memory(riff(&format, &data, riff_size, data_size, &[])).unwrap();
            assert_eq!(found.audio.samples.len(), 500, "{riff_size:?} {data_size:?}");
            assert_eq!(found.warnings.len(), 1, "{riff_size:?} {data_size:?} {:?}", found.warnings);
            assert_tone(&found, 16, "repaired");
        }
        for behind in [&list[..], &[]] {
            let found = from_memory(riff(&format, &data, riff_size, None, behind)).unwrap();
            assert_eq!(found.audio.samples.len(), 500, "{riff_size:?}");
            assert_eq!(found.warnings.len(), usize::from(riff_size.is_some()), "{:?}", found.warnings);
        }
    }
    let short = from_memory(riff(&format, &data, None, Some(992), &[])).unwrap();
    assert_eq!((short.audio.samples.len(), short.warnings.len()), (496, 1), "the header is believed");
    let truncated = from_memory(riff(&format, &data, None, Some(1200), &[])).unwrap();
    let warning = &truncated.warnings[0];
    assert_eq!((warning.position, warning.n_samples, warning.is_end), (500, 100, true));
    let empty = from_memory(riff(&format, &[], None, Some(0), &list)).unwrap_err();
    assert!(empty.to_string().contains("no audio follows the header"), "{empty}");
}

#[test]
fn big_endian_and_64_bit_containers_are_read() {
    let (n, bits) = (500, 24);
    let format = Format::pcm(3, 24);
    let little = pcm(&tone(n), bits, 3, false);
    let fmt = format.chunk(false);

    let big_fmt = format.chunk(true);
    let big = |size: usize| (size as u32).to_be_bytes();
    let data = pcm(&tone(n), bits, 3, true);
    let rifx = [
        b"RIFX".as_slice(),
        &big(4 + 8 + big_fmt.len() + 8 + data.len()),
        b"WAVEfmt ",
        &big(big_fmt.len()),
        &big_fmt,
        b"data",
        &big(data.len()),
        &data,
    ]
    .concat();

    let rf64 = |magic: &[u8; 4], data_size: u64| {
        let sizes = [1000, data_size, n as u64].map(u64::to_le_bytes);
        let mut ds64 = sizes.as_flattened().to_vec();
        ds64.extend([0; 4]);
        let chunks = [
            b"WAVE".to_vec(),
            chunk(b"ds64", 28, &ds64),
            chunk(b"fmt ", 16, &fmt),
            chunk(b"data", u32::MAX, &little),
        ]
        .concat();
        let size = (chunks.len() as u64).to_le_bytes();
        let mut file = [magic.as_slice(), &u32::MAX.to_le_bytes(), &chunks].concat();
        file[20..28].copy_from_slice(&size);
        file
    };

    let tail = b"\xF3\xAC\xD3\x11\x8C\xD1\x00\xC0\x4F\x8E\xDB\x8A";
    let guid_chunk = |name: &[u8; 4], content: &[u8]| {
        let mut chunk = [name.as_slice(), tail, &(24 + content.len() as u64).to_le_bytes(), content].concat();
        chunk.resize(chunk.len().next_multiple_of(8), 0);
        chunk
    };
    let body = [b"wave".as_slice(), tail, &guid_chunk(b"fmt ", &fmt), &guid_chunk(b"data", &little)].concat();
    let magic = b"riff\x2E\x91\xCF\x11\xA5\xD6\x28\xDB\x04\xC1\x00\x00";
    let w64 = [magic.as_slice(), &(24 + body.len() as u64).to_le_bytes(), &body].concat();

    for (name, file) in [
        ("RIFX", rifx),
        ("RF64", rf64(b"RF64", little.len() as u64)),
        ("BW64", rf64(b"BW64", little.len() as u64)),
        ("Wave64", w64),
    ] {
        let found = from_memory(file).unwrap();
        assert_eq!((found.audio.samples.len(), found.warnings.as_slice()), (n, [].as_slice()), "{name}");
        assert_tone(&found, bits, name);
    }
    let died = from_memory(rf64(b"RF64", 0)).unwrap();
    assert_eq!((died.audio.samples.len(), died.warnings.len()), (n, 1), "a size of 0 is an unknown one");
}

#[test]
fn an_mp3_in_a_wav_equals_the_mp3() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/mp3.mp3");
    let mp3 = std::fs::read(path).unwrap();
    let format = Format { tag: 0x55, n_channels: 2, block_align: 1, bits: 0, extension: None };
    let wav = from_memory(riff(&format, &mp3, None, None, &[])).unwrap();
    assert_eq!(wav.source.codec, "mp3");
    assert_eq!(wav.audio, decode_bytes("song.mp3".as_ref(), mp3).unwrap().audio);
    let error = from_memory(riff(&format, &[0; 5000], None, None, &[])).unwrap_err();
    assert!(error.to_string().contains("no MPEG stream"), "{error}");
}

#[test]
fn encodings_that_are_not_decoded_are_named() {
    for (tag, name) in [(0x31, "GSM 6.10"), (0x161, "Windows Media Audio 2"), (0x2000, "Dolby AC-3")] {
        let format = Format { tag, n_channels: 1, block_align: 65, bits: 0, extension: None };
        let error = from_memory(riff(&format, &[0; 650], None, None, &[])).unwrap_err();
        assert!(matches!(&error, Error::Unsupported { name: found, .. } if found.contains(name)), "{error}");
    }
}
