//! Lock of a run folder: one training writes to it at a time, and folders with other files are refused.

use std::path::{Path, PathBuf};
use std::{fs, io};

use cantus_audio::atomic_file;
use cantus_audio::folder_lock::FolderLock;

use super::Run;
use crate::Error;
use crate::error::{CHECKPOINT, RunProblem};

/// The lock file of a training; its presence marks the folder as a run, finished or not.
pub(super) const LOCK: &str = ".training";

/// The lock that a training holds on its run folder.
#[derive(Debug)]
pub(super) struct RunLock {
    dir: PathBuf,
    /// Whether the folder was created with this lock.
    is_new: bool,
    _lock: FolderLock,
}

impl RunLock {
    /// Creates the folder, if it does not exist, and marks it as a run, without locking it.
    ///
    /// # Errors
    /// If it is not a folder, is not empty and not a run, or cannot be written to.
    fn mark(dir: &Path) -> Result<(), Error> {
        let refuse = |problem| Err(Error::Run { path: dir.to_owned(), problem });
        if dir.is_file() {
            return refuse(RunProblem::NotAFolder);
        }
        if holds_other_files(dir) {
            return refuse(RunProblem::OtherFiles);
        }
        atomic_file::create_folder(dir).map_err(Error::io(dir))?;
        fs::File::create(dir.join(LOCK)).map_err(Error::io(dir))?;
        Ok(())
    }

    /// Creates the folder, if it does not exist, and locks it for one training.
    ///
    /// # Errors
    /// If it is not a folder, is not empty and not a run, cannot be written to, or is locked by another training.
    fn acquire(dir: &Path) -> Result<Self, Error> {
        let refuse = |problem| Err(Error::Run { path: dir.to_owned(), problem });
        if dir.is_file() {
            return refuse(RunProblem::NotAFolder);
        }
        if holds_other_files(dir) {
            return refuse(RunProblem::OtherFiles);
        }
        let is_new = !dir.exists();
        atomic_file::create_folder(dir).map_err(Error::io(dir))?;
        match FolderLock::try_acquire(&dir.join(LOCK)).map_err(Error::io(dir))? {
            Some(lock) => Ok(Self { dir: dir.to_owned(), is_new, _lock: lock }),
            None => refuse(RunProblem::Locked),
        }
    }
}

impl Drop for RunLock {
    /// Removes a new folder to which the training has written nothing.
    fn drop(&mut self) {
        let is_only_locked = || {
            let mut names = names(&self.dir)?;
            Ok::<_, io::Error>(names.all(|name| name == LOCK))
        };
        if self.is_new && is_only_locked().unwrap_or(false) {
            // An error is ignored: it leaves an empty folder, which is harmless.
            let _ = fs::remove_file(self.dir.join(LOCK)).and_then(|()| fs::remove_dir(&self.dir));
        }
    }
}

/// Whether a folder has visible files and is not a run.
fn holds_other_files(dir: &Path) -> bool {
    let is_run =
        dir.join(LOCK).exists() || Run::at(dir).config().is_ok() || Run::at(dir).is_cross_validation();
    let is_visible = |name: String| !name.starts_with('.');
    !is_run && !dir.join(CHECKPOINT).exists() && names(dir).is_ok_and(|mut names| names.any(is_visible))
}

fn names(dir: &Path) -> io::Result<impl Iterator<Item = String>> {
    Ok(fs::read_dir(dir)?.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()))
}

impl Run {
    /// The run in a folder, which is created if it does not exist, for trainings of which each locks its own folder inside.
    pub(super) fn shared(dir: &Path, resume: bool) -> Result<Self, Error> {
        RunLock::mark(dir)?;
        Ok(Self { resume, ..Self::at(dir) })
    }

    /// This run inside another one, locked for one training.
    ///
    /// # Errors
    /// If its folder cannot be created or written to, or is locked by another training.
    pub(super) fn lock_inside(self) -> Result<Self, Error> {
        let dir = &self.dir;
        atomic_file::create_folder(dir).map_err(Error::io(dir))?;
        // Marks it as a run, also if an earlier training was killed while it wrote its files.
        fs::File::create(dir.join(LOCK)).map_err(Error::io(dir))?;
        let lock = RunLock::acquire(dir)?;
        Ok(Self { _lock: Some(lock.into()), ..self })
    }

    /// The run in a folder, which is created if it does not exist, locked for one training; `resume` as in
    /// [`RunOptions`](super::RunOptions).
    pub(super) fn locked(dir: &Path, resume: bool) -> Result<Self, Error> {
        let lock = RunLock::acquire(dir)?;
        let run = Self { resume, _lock: Some(lock.into()), ..Self::at(dir) };
        run.make_folder()?;
        Ok(run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::RunOptions;

    const OVERWRITE: RunOptions = RunOptions { overwrite: true, resume: false };
    const RESUME: RunOptions = RunOptions { overwrite: false, resume: true };

    fn problem(run: Result<Run, Error>) -> String {
        run.unwrap_err().to_string()
    }

    #[test]
    fn a_run_is_locked_by_one_training_and_an_empty_new_folder_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("run");
        let run = Run::create(&dir, RunOptions::default()).unwrap();
        assert!(problem(Run::create(&dir, OVERWRITE)).contains("another training is writing to it"));
        drop(run);
        assert!(!dir.exists());
        let run = Run::create(&dir, RunOptions::default()).unwrap();
        run.write("history.csv", b"").unwrap();
        drop(run);
        assert!(dir.exists());
        Run::create(&dir, RunOptions::default()).unwrap();
    }

    #[test]
    fn a_folder_with_other_files_is_refused_and_unchanged() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("report.md"), "my thesis").unwrap();
        for overwrite in [false, true] {
            assert!(
                problem(Run::create(dir.path(), RunOptions { overwrite, resume: false }))
                    .contains("not empty and no run")
            );
        }
        assert!(
            problem(Run::create_cross_validation(dir.path(), OVERWRITE)).contains("not empty and no run")
        );
        assert!(problem(Run::create(&dir.path().join("report.md"), OVERWRITE)).contains("a run is a folder"));
        assert_eq!(names(dir.path()).unwrap().collect::<Vec<_>>(), ["report.md"]);
    }

    #[test]
    fn an_interrupted_training_is_not_overwritten_by_default() {
        let dir = tempfile::tempdir().unwrap();
        Run::create(dir.path(), RunOptions::default()).unwrap().save_checkpoint("it", b"epochs").unwrap();
        assert!(
            problem(Run::create(dir.path(), RunOptions::default()))
                .contains("it holds an interrupted training")
        );
        let resumed = Run::create(dir.path(), RESUME).unwrap();
        assert_eq!(resumed.checkpoint("it").unwrap().unwrap(), b"epochs");
        drop(resumed);
        Run::create(dir.path(), OVERWRITE).unwrap();
    }
}
