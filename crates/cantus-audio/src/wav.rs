//! WAV file output.

use std::io;
use std::path::Path;

use crate::atomic_file::AtomicFile;
use crate::{Audio, Error};

/// Writes `audio` atomically as 16-bit mono WAV; samples outside of [-1, 1] are clipped.
///
/// # Errors
/// [`Error::Io`] if the file cannot be created, written or renamed; [`Error::TooLarge`] if the samples do not fit
/// into the 4 GiB of a WAV file.
pub fn write_wav(path: impl AsRef<Path>, audio: &Audio) -> Result<(), Error> {
    const LIMIT: usize = (u32::MAX as usize - 64) / 2;
    let path = path.as_ref();
    if audio.samples.len() > LIMIT {
        return Err(Error::TooLarge {
            path: path.to_owned(),
            quantity: "number of samples",
            found: audio.samples.len() as u64,
            limit: LIMIT as u64,
        });
    }
    write_samples(path, audio).map_err(|source| Error::Io { path: path.to_owned(), source })
}

fn write_samples(path: &Path, audio: &Audio) -> io::Result<()> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: audio.sample_rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = AtomicFile::create(path)?;
    let mut writer = hound::WavWriter::new(&mut file, spec).map_err(into_io)?;
    let mut samples = writer.get_i16_writer(audio.samples.len() as u32);
    for x in &audio.samples {
        samples.write_sample((x * 32_768.0).round() as i16); // saturates
    }
    samples.flush().map_err(into_io)?;
    writer.finalize().map_err(into_io)?;
    file.commit()
}

fn into_io(error: hound::Error) -> io::Error {
    match error {
        hound::Error::IoError(error) => error,
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("cantus-wav-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn written_samples_are_read_back() {
        let folder = folder("round-trip");
        let samples = (0..22_050).map(|i| 0.9 * (i as f32 * 0.1).sin()).collect();
        let audio = Audio { samples, sample_rate: 22_050 };
        write_wav(folder.join("a.wav"), &audio).unwrap();
        let mut reader = hound::WavReader::open(folder.join("a.wav")).unwrap();
        assert_eq!(reader.spec().sample_rate, 22_050);
        let read: Vec<f32> =
            reader.samples::<i16>().map(|sample| f32::from(sample.unwrap()) / 32_768.0).collect();
        assert_eq!(read.len(), audio.samples.len());
        let worst = read.iter().zip(&audio.samples).fold(0.0_f32, |worst, (a, b)| worst.max((a - b).abs()));
        assert!(worst <= 0.5 / 32_768.0 + 1e-7, "{worst}");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "no temporary file is left");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn samples_over_full_scale_are_clipped_and_errors_name_the_path() {
        let folder = folder("hostile");
        let audio = Audio { samples: vec![2.0, -2.0, f32::NAN], sample_rate: 8000 };
        write_wav(folder.join("b.wav"), &audio).unwrap();
        let mut reader = hound::WavReader::open(folder.join("b.wav")).unwrap();
        let read: Vec<i16> = reader.samples::<i16>().map(Result::unwrap).collect();
        assert_eq!(read, [i16::MAX, i16::MIN, 0]);
        let error = write_wav(folder.join("no/such/folder/c.wav"), &audio).unwrap_err();
        assert!(error.to_string().contains("c.wav"), "{error}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
