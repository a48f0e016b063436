//! Which recording's features are written where: each to a file of its own, decided before anything is computed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cantus::listing::{self, Failed, Listing};

use super::format::Format;
use super::wrong;

/// One recording and the file of its features.
#[derive(Debug)]
pub struct Job {
    pub input: PathBuf,
    pub output: PathBuf,
    pub format: Format,
    /// Whether the folder of `output` is made if it is not there.
    pub makes_folder: bool,
}

/// What is to be done, and what cannot be.
#[derive(Debug)]
pub struct Jobs {
    pub jobs: Vec<Job>,
    pub failed: Vec<Failed>,
}

/// A recording, and the folder that it was found in.
struct Found {
    path: PathBuf,
    /// Below which its own folders are kept; nothing for a file that was named itself.
    root: Option<PathBuf>,
}

/// Where the features of each recording behind `paths` go.
///
/// A single file goes to `output` itself; the recordings of a folder go below the folder `output` as they lie below
/// their own; with `{name}`, `{ext}` or `{dir}` in it, `output` says the name of each.
///
/// # Errors
/// Wrong usage: an unknown format, or two recordings whose features would have one name.
pub fn jobs(paths: &[PathBuf], output: &Path, format: Option<Format>) -> anyhow::Result<Jobs> {
    let (found, failed) = find(paths);
    let text = output.to_string_lossy();
    let is_template = ["{name}", "{ext}", "{dir}"].iter().any(|word| text.contains(word));
    let is_one = paths.len() == 1 && !paths[0].is_dir() && !output.is_dir() && !text.ends_with('/');
    let jobs: Vec<Job> = if is_template {
        let format = Format::of(output, format)?;
        let named = |found: Found| Job { output: fill(&text, &found), ..job(found.path, format) };
        found.into_iter().map(named).collect()
    } else if is_one {
        let format = Format::of(output, format)?;
        let named =
            |found: Found| Job { output: output.to_owned(), makes_folder: false, ..job(found.path, format) };
        found.into_iter().map(named).collect()
    } else {
        if output.extension().is_some() && Format::of(output, None).is_ok() && !output.is_dir() {
            return Err(wrong(format!(
                "{}: the features of several recordings need a folder, or a name with {{name}} in it",
                output.display()
            )));
        }
        let format = format.unwrap_or(Format::Npy);
        let named = |found: Found| Job { output: below(output, &found, format), ..job(found.path, format) };
        found.into_iter().map(named).collect()
    };
    check_names(&jobs)?;
    Ok(Jobs { jobs, failed })
}

fn job(input: PathBuf, format: Format) -> Job {
    Job { input, output: PathBuf::new(), format, makes_folder: true }
}

fn find(paths: &[PathBuf]) -> (Vec<Found>, Vec<Failed>) {
    let (mut found, mut failed) = (Vec::new(), Vec::new());
    for path in paths {
        match listing::recordings(std::slice::from_ref(path)) {
            Ok(Listing { files, failed: unseen }) => {
                let root = path.is_dir().then(|| path.clone());
                found.extend(files.into_iter().map(|path| Found { path, root: root.clone() }));
                failed.extend(unseen);
            }
            Err(error) => failed.push(Failed::new(path, &error)),
        }
    }
    (found, failed)
}

/// The template with the words of one recording.
fn fill(template: &str, found: &Found) -> PathBuf {
    let word = |text: Option<&std::ffi::OsStr>| text.unwrap_or_default().to_string_lossy().into_owned();
    let folder = relative(found).parent().unwrap_or(Path::new("")).to_string_lossy().into_owned();
    let folder = if folder.is_empty() { ".".to_owned() } else { folder };
    let filled = template
        .replace("{dir}", &folder)
        .replace("{ext}", &word(found.path.extension()))
        .replace("{name}", &word(found.path.file_stem()));
    PathBuf::from(filled)
}

/// The recording's place below `folder`, with the format's extension.
fn below(folder: &Path, found: &Found, format: Format) -> PathBuf {
    folder.join(relative(found)).with_extension(format.extension())
}

/// The recording's path below the folder that it was found in; its name alone, if it was named itself.
fn relative(found: &Found) -> &Path {
    let below_root = found.root.as_ref().and_then(|root| found.path.strip_prefix(root).ok());
    below_root.unwrap_or_else(|| Path::new(found.path.file_name().unwrap_or_default()))
}

/// No two recordings may have one name: the second would be written over the first.
fn check_names(jobs: &[Job]) -> anyhow::Result<()> {
    let mut taken: BTreeMap<&Path, &Path> = BTreeMap::new();
    for job in jobs {
        match taken.insert(&job.output, &job.input) {
            Some(other) if other != job.input => {
                return Err(wrong(format!(
                    "{} and {} would both be written to {}: tell them apart by {{dir}}, {{name}} and {{ext}} in -o",
                    other.display(),
                    job.input.display(),
                    job.output.display()
                )));
            }
            _ => {}
        }
        if job.output == job.input {
            return Err(wrong(format!(
                "{}: would be written over the recording itself",
                job.input.display()
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, root: Option<&str>) -> Found {
        Found { path: path.into(), root: root.map(PathBuf::from) }
    }

    #[test]
    fn a_folder_is_mirrored() {
        let output = below(Path::new("out"), &found("music/jazz/a.b.mp3", Some("music")), Format::Npz);
        assert_eq!(output, Path::new("out/jazz/a.b.npz"));
        assert_eq!(
            below(Path::new("out"), &found("music/jazz/a.mp3", None), Format::Csv),
            Path::new("out/a.csv")
        );
    }

    #[test]
    fn a_template_is_filled_with_the_words_of_a_recording() {
        let jazz = found("music/jazz/a.mp3", Some("music"));
        assert_eq!(fill("out/{dir}/{name}-{ext}.csv", &jazz), Path::new("out/jazz/a-mp3.csv"));
        assert_eq!(fill("{dir}/{name}.csv", &found("a.wav", None)), Path::new("./a.csv"));
    }

    #[test]
    fn two_recordings_of_one_name_are_refused() {
        let job = |input: &str| Job { output: "out/a.npy".into(), ..job(input.into(), Format::Npy) };
        let error = check_names(&[job("x/a.mp3"), job("y/a.wav")]).unwrap_err().to_string();
        assert!(error.contains("x/a.mp3 and y/a.wav would both be written to out/a.npy"), "{error}");
    }
}
