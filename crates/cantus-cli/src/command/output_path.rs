//! Output paths of commands that write one file per recording, resolved and checked before anything is computed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use cantus::input_files::{self, Failed};
use cantus_audio::atomic_file::{self, AtomicFile};

use crate::output::{self, WrongUsage};

/// The file formats of a command, named by extension.
#[derive(Debug, Clone, Copy)]
pub struct Formats<'a> {
    /// What is written, for messages.
    pub what: &'a str,
    pub known: &'a [&'a str],
    /// Value of `--format`, for commands that have this option.
    pub given: Option<&'a str>,
    /// Format of files in a folder, if none was given.
    pub default: &'a str,
}

/// One recording and the file of its results.
#[derive(Debug)]
pub struct Job {
    pub input: PathBuf,
    pub output: PathBuf,
    /// The extension that names the format, whatever the extension of `output`.
    pub format: String,
    /// Whether the folder of `output` is created if it does not exist.
    pub makes_folder: bool,
}

/// The jobs, and the inputs that failed.
#[derive(Debug)]
pub struct Jobs {
    pub jobs: Vec<Job>,
    pub failed: Vec<Failed>,
}

/// A recording, and the input folder that contains it.
struct Found {
    path: PathBuf,
    /// The input folder, whose subfolders are kept; `None` for a file given by its path.
    root: Option<PathBuf>,
}

/// The output path of each recording in `paths`.
///
/// The results of a single file are written to `output` itself; those of the recordings of a folder to the folder `output`,
/// with the same subfolders; with `{name}`, `{ext}` or `{dir}` in it, `output` is a template for each path.
///
/// # Errors
/// Wrong usage: an unknown format, or two recordings with the same output path.
pub fn jobs(paths: &[PathBuf], output: &Path, formats: Formats<'_>) -> anyhow::Result<Jobs> {
    let (found, failed, remark) = find(paths);
    let text = output.to_string_lossy();
    let is_template = is_template(&text)?;
    let is_one = paths.len() == 1 && !paths[0].is_dir() && !output.is_dir() && !text.ends_with('/');
    let jobs: Vec<Job> = if is_template {
        let format = formats.of(output)?;
        let named = |found: Found| Job { output: fill(&text, &found), ..job(found.path, &format) };
        found.into_iter().map(named).collect()
    } else if is_one {
        let format = formats.of(output)?;
        let named =
            |found: Found| Job { output: output.to_owned(), makes_folder: false, ..job(found.path, &format) };
        found.into_iter().map(named).collect()
    } else {
        if formats.by_extension(output).is_some() && !output.is_dir() {
            return Err(wrong(format!(
                "{}: the {} of several recordings need a folder, or a name with {{name}} in it",
                output.display(),
                formats.what
            )));
        }
        let format = formats.given.unwrap_or(formats.default);
        let named = |found: Found| Job { output: below(output, &found, format), ..job(found.path, format) };
        found.into_iter().map(named).collect()
    };
    check_names(&jobs)?;
    remark.iter().for_each(|remark| output::note(remark));
    Ok(Jobs { jobs, failed })
}

impl Job {
    /// Writes the results atomically.
    pub fn save(&self, content: &[u8]) -> anyhow::Result<()> {
        self.create_folder()?;
        output::save(&self.output, content)
    }

    /// The file of the results, to be written in parts and committed.
    pub fn create(&self) -> anyhow::Result<AtomicFile> {
        self.create_folder()?;
        AtomicFile::create(&self.output).with_context(|| self.output.display().to_string())
    }

    fn create_folder(&self) -> anyhow::Result<()> {
        if self.makes_folder {
            let folder = self.output.parent().unwrap_or(Path::new("."));
            atomic_file::create_folder(folder).with_context(|| folder.display().to_string())?;
        }
        Ok(())
    }
}

impl Formats<'_> {
    /// The format that was given, or else that of a file's extension.
    fn of(&self, path: &Path) -> anyhow::Result<String> {
        match (self.given, self.by_extension(path)) {
            (Some(given), Some(other)) if given != other => {
                Err(wrong(format!("{}: --format is {given}", path.display())))
            }
            (Some(format), _) | (None, Some(format)) => Ok(format.to_owned()),
            (None, None) => Err(wrong(format!(
                "{}: unknown format; end its name in {}",
                path.display(),
                in_words(self.known)
            ))),
        }
    }

    fn by_extension(&self, path: &Path) -> Option<&str> {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        self.known.iter().copied().find(|known| *known == extension)
    }
}

/// `.csv, .png or .svg`
fn in_words(extensions: &[&str]) -> String {
    match extensions {
        [others @ .., last] if !others.is_empty() => format!(".{} or .{last}", others.join(", .")),
        _ => format!(".{}", extensions.join("")),
    }
}

/// An error of wrong usage.
fn wrong(what: String) -> anyhow::Error {
    WrongUsage(what).into()
}

/// `{name}` of a recording without a name.
const UNNAMED: &str = "stdin";

/// The output path of one recording that is in no folder.
///
/// # Errors
/// Wrong usage: an unknown format.
pub fn one(input: &Path, output: &Path, formats: Formats<'_>) -> anyhow::Result<Job> {
    let (format, text) = (formats.of(output)?, output.to_string_lossy());
    let job = job(input.to_owned(), &format);
    if is_template(&text)? {
        let found = Found { path: PathBuf::from(UNNAMED), root: None };
        return Ok(Job { output: fill(&text, &found), ..job });
    }
    let job = Job { output: output.to_owned(), makes_folder: false, ..job };
    check_names(std::slice::from_ref(&job))?;
    Ok(job)
}

fn job(input: PathBuf, format: &str) -> Job {
    Job { input, output: PathBuf::new(), format: format.to_owned(), makes_folder: true }
}

/// Recordings, inputs that failed, and a remark on files that were skipped.
fn find(paths: &[PathBuf]) -> (Vec<Found>, Vec<Failed>, Option<String>) {
    let (mut found, mut failed, mut misnamed) = (Vec::new(), Vec::new(), Vec::new());
    for path in paths {
        match input_files::recordings(std::slice::from_ref(path)) {
            Ok(listing) => {
                let root = path.is_dir().then(|| path.clone());
                found.extend(listing.files.into_iter().map(|path| Found { path, root: root.clone() }));
                failed.extend(listing.failed);
                misnamed.extend(listing.misnamed);
            }
            Err(error) => failed.push(Failed::new(path, &error)),
        }
    }
    (found, failed, input_files::misnamed_remark(&misnamed))
}

/// Whether a name has placeholders in it.
///
/// # Errors
/// Wrong usage: an unknown placeholder.
fn is_template(name: &str) -> anyhow::Result<bool> {
    let mut rest = name;
    let mut is_template = false;
    while let Some((_, behind)) = rest.split_once('{') {
        let Some((word, after)) = behind.split_once('}') else { break };
        if !["name", "ext", "dir"].contains(&word) {
            return Err(wrong(format!(
                "{name}: unknown placeholder {{{word}}}; there are {{dir}}, {{name}} and {{ext}}"
            )));
        }
        (rest, is_template) = (after, true);
    }
    Ok(is_template)
}

/// The template, filled in for one recording.
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

/// The recording's path below `folder`, with the format's extension.
fn below(folder: &Path, found: &Found, format: &str) -> PathBuf {
    folder.join(relative(found)).with_extension(format)
}

/// The recording's path below the input folder; its file name, if it was given by its path.
fn relative(found: &Found) -> &Path {
    let below_root = found.root.as_ref().and_then(|root| found.path.strip_prefix(root).ok());
    below_root.unwrap_or_else(|| Path::new(found.path.file_name().unwrap_or_default()))
}

/// Checks that no two recordings have the same output path: the second would overwrite the first.
fn check_names(jobs: &[Job]) -> anyhow::Result<()> {
    let mut taken: BTreeMap<&Path, &Path> = BTreeMap::new();
    for job in jobs {
        match taken.insert(&job.output, &job.input) {
            Some(other) if other != job.input => {
                return Err(wrong(format!(
                    "{} and {} would both be written to {}: distinguish them by {{dir}}, {{name}} and {{ext}} in the name",
                    other.display(),
                    job.input.display(),
                    job.output.display()
                )));
            }
            _ => {}
        }
        let folder = job.output.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !job.makes_folder && !folder.is_dir()) {
            anyhow::bail!("{}: there is no folder {}", job.output.display(), folder.display());
        }
        if job.output == job.input {
            return Err(wrong(format!("{}: would overwrite the recording itself", job.input.display())));
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
        let output = below(Path::new("out"), &found("music/jazz/a.b.mp3", Some("music")), "npz");
        assert_eq!(output, Path::new("out/jazz/a.b.npz"));
        assert_eq!(below(Path::new("out"), &found("music/jazz/a.mp3", None), "csv"), Path::new("out/a.csv"));
    }

    #[test]
    fn a_template_is_filled_in_for_a_recording() {
        let jazz = found("music/jazz/a.mp3", Some("music"));
        assert_eq!(fill("out/{dir}/{name}-{ext}.csv", &jazz), Path::new("out/jazz/a-mp3.csv"));
        assert_eq!(fill("{dir}/{name}.csv", &found("a.wav", None)), Path::new("./a.csv"));
    }

    #[test]
    fn an_unknown_placeholder_is_refused() {
        assert!(is_template("out/{dir}/{name}.csv").unwrap() && !is_template("out/a}b{c.csv").unwrap());
        let error = is_template("out/{nam}.csv").unwrap_err().to_string();
        assert!(error.contains("unknown placeholder {nam}"), "{error}");
        let formats = Formats { what: "timelines", known: &["csv"], given: None, default: "csv" };
        let job = one(Path::new("-"), Path::new("t/{name}.csv"), formats).unwrap();
        assert!(job.output == Path::new("t/stdin.csv") && job.makes_folder);
    }

    #[test]
    fn two_recordings_with_one_output_path_are_refused() {
        let job = |input: &str| Job { output: "out/a.npy".into(), ..job(input.into(), "npy") };
        let error = check_names(&[job("x/a.mp3"), job("y/a.wav")]).unwrap_err().to_string();
        assert!(error.contains("x/a.mp3 and y/a.wav would both be written to out/a.npy"), "{error}");
    }
}
