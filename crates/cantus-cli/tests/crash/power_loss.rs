//! Loses power at every system call that changes files: the same command again ends with the bytes of a run that lost none.
//!
//! strace records the calls of a command; [`Disk`] replays them, and after each of them gives the files that may be left: only what
//! was synced, everything, names without bytes, bytes without names, and a random part. In each such folder the command is run again.
//! When a command has ended, all that it wrote must have been synced. The ordinary test tries four of the folders of each command,
//! or `CANTUS_CRASH_LOSSES`, `just crash` all of them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use cantus_audio::augment::KeyedRng;

use crate::disk::{self, Disk, Survivors};
use crate::number;
use crate::scenario::{
    Files, PROGRAM, SCENARIOS, Scenario, configured, differing, files_of, prepared, repeated, result,
};
use crate::trace::{self, Call};

/// Folders of each command that the ordinary test tries.
const FEW: u64 = 4;

#[test]
fn commands_that_lose_power_end_with_the_same_bytes() {
    lose_power(number("CANTUS_CRASH_LOSSES", FEW) as usize);
}

#[test]
#[ignore = "takes half an hour; `just crash`"]
fn every_power_loss() {
    lose_power(usize::MAX);
}

/// A moment at which the power is lost, after a number of calls, and what survives.
#[derive(Clone, Copy, Debug)]
struct Loss {
    n_calls: usize,
    survivors: Survivors,
}

fn lose_power(n_folders: usize) {
    if !trace::is_available() {
        println!("strace is not there or may not trace: power loss is not tested");
        return;
    }
    let shared = prepared();
    let failures: Vec<String> =
        SCENARIOS.iter().flat_map(|scenario| scenario.lose_power(shared.path(), n_folders)).collect();
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

/// A command that was recorded: what was there before, its calls, and what it left.
struct Recorded<'a> {
    scenario: &'a Scenario,
    folder: tempfile::TempDir,
    before: Disk,
    calls: Vec<Call>,
    expected: Files,
    songs_before: Files,
    songs_after: Files,
}

impl Scenario {
    /// Tries up to `n_folders` folders, and returns what went wrong.
    fn lose_power(&self, shared: &Path, n_folders: usize) -> Vec<String> {
        let recorded = self.recorded(shared);
        let losses = losses(recorded.before.clone(), &recorded.calls);
        let chosen = chosen(&losses, n_folders);
        let tried = chosen.iter().filter_map(|loss| {
            let failure = recorded.failure(*loss)?;
            Some(format!("{}, {loss:?}: {failure}", self.name))
        });
        let failures = recorded.not_synced().into_iter().chain(tried).collect();
        let (n_calls, n_losses) = (recorded.calls.len(), losses.len());
        println!("{}: {n_calls} calls, {n_losses} different folders, {} tried", self.name, chosen.len());
        failures
    }

    fn recorded(&self, shared: &Path) -> Recorded<'_> {
        let folder = self.prepare(shared);
        let (before, songs_before) = (Disk::of(folder.path()), songs(folder.path()));
        let calls = trace::of(PROGRAM, |command| configured(command, folder.path(), self.command));
        let (expected, songs_after) = (self.files(folder.path()), songs(folder.path()));
        assert!(!expected.is_empty(), "{}", self.name);
        Recorded { scenario: self, folder, before, calls, expected, songs_before, songs_after }
    }
}

impl Recorded<'_> {
    /// Replaces the content of the folder by what is left after a loss. It is the same folder because an undo file has absolute paths.
    fn lose(&self, loss: Loss) {
        let mut disk = self.before.clone();
        self.calls[..loss.n_calls].iter().for_each(|call| {
            disk.apply(call);
        });
        disk::replace(&disk.after_power_loss(loss.survivors), self.folder.path());
    }

    /// What would be lost if the power failed after the command has ended.
    fn not_synced(&self) -> Option<String> {
        self.lose(Loss { n_calls: self.calls.len(), survivors: Survivors::Nothing });
        let differing = self.differing()?;
        Some(format!("{}: not synced at its end: {differing}", self.scenario.name))
    }

    /// What is wrong after a loss, or after the command was run again then.
    fn failure(&self, loss: Loss) -> Option<String> {
        self.lose(loss);
        let damaged = self.damaged_songs().or_else(|| self.not_undone());
        if damaged.is_some() {
            return damaged;
        }
        self.lose(loss);
        repeated(self.folder.path(), self.scenario.command).or_else(|| self.differing())
    }

    fn differing(&self) -> Option<String> {
        let found = self.scenario.files(self.folder.path());
        let differing = differing(&self.expected, &found);
        (!differing.is_empty()).then(|| format!("{differing:?}"))
    }

    /// Songs that are neither as before nor as after the command.
    fn damaged_songs(&self) -> Option<String> {
        let found = songs(self.folder.path());
        let damaged = |(name, before): &(&PathBuf, &Vec<u8>)| {
            let bytes = found.get(*name);
            bytes != Some(before) && bytes != self.songs_after.get(*name)
        };
        let damaged: Vec<&PathBuf> = self.songs_before.iter().filter(damaged).map(|(name, _)| name).collect();
        (!damaged.is_empty()).then(|| format!("damaged songs: {damaged:?}"))
    }

    /// What is wrong after the tags that the command has written are undone.
    fn not_undone(&self) -> Option<String> {
        if !self.scenario.command.contains("--write-tags") {
            return None;
        }
        let undo_file = self.folder.path().join("cantus-undo.jsonl");
        if undo_file.exists() {
            let error = result(self.folder.path(), "undo-tags cantus-undo.jsonl");
            if error.is_some() {
                return error;
            }
        }
        let found = songs(self.folder.path());
        let differing = differing(&self.songs_before, &found);
        (!differing.is_empty()).then(|| format!("not undone: {differing:?}"))
    }
}

fn songs(folder: &Path) -> Files {
    files_of(&folder.join("songs"))
}

/// The losses that leave different folders.
fn losses(mut disk: Disk, calls: &[Call]) -> Vec<Loss> {
    let mut seen = HashSet::new();
    let mut losses = Vec::new();
    for (i, call) in calls.iter().enumerate() {
        if !disk.apply(call) {
            continue;
        }
        let random = Survivors::Some([number("CANTUS_CRASH_SEED", 1), i as u64]);
        for survivors in
            [Survivors::Nothing, Survivors::Everything, Survivors::Names, Survivors::Bytes, random]
        {
            if seen.insert(disk::hash(&disk.after_power_loss(survivors))) {
                losses.push(Loss { n_calls: i + 1, survivors });
            }
        }
    }
    losses
}

/// At most `n` of the losses, drawn by a seed.
fn chosen(losses: &[Loss], n: usize) -> Vec<Loss> {
    let mut rng = KeyedRng::new([number("CANTUS_CRASH_SEED", 1), losses.len() as u64]);
    let mut left = losses.to_vec();
    while left.len() > n {
        left.remove((rng.uniform() * left.len() as f64) as usize);
    }
    left
}
