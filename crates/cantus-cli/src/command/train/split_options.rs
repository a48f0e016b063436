//! Options of `cantus train` for the split into training, validation and test part.

use std::path::PathBuf;

use anyhow::ensure;
use cantus_dataset::{
    FeatureStore, GroupChoice, Grouping, ListReport, Part, SplitSpec, Unit, assign_groups,
    assign_known_groups, assign_parts,
};
use clap::{Args, ValueEnum};

use crate::global_options::Global;
use crate::output::{self, WrongUsage};

/// How tracks are split.
#[derive(Debug, Args)]
pub struct SplitOptions {
    /// Unit that the split keeps whole; `segment` is the lecture course's, which leaks [default: group if a manifest or artist
    /// tags name groups, otherwise track]
    #[arg(long, value_enum, value_name = "UNIT")]
    split: Option<SplitBy>,
    /// What defines a group: `artist` (the tag), `parent` (the folder), or a CSV file with the columns path,group [default: the
    /// manifest's column, or else artist tags if half of the tracks have one]
    #[arg(long, value_name = "GROUPING")]
    group: Option<String>,
    /// Lists of an official split, one path in each line: TRAIN VALID TEST, or TRAIN TEST; tracks in none are left out
    #[arg(long, value_name = "LIST", num_args = 1..=3, conflicts_with = "folds")]
    split_lists: Vec<PathBuf>,
    /// Share of the validation part
    #[arg(long, default_value_t = VALIDATION, value_name = "SHARE")]
    validation: f64,
    /// Share of the test part
    #[arg(long, default_value_t = TEST, value_name = "SHARE", conflicts_with = "folds")]
    test: f64,
}

/// The course's share: a fifth of what is not in the test part.
const VALIDATION: f64 = 0.15;
/// The course's share.
const TEST: f64 = 0.25;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SplitBy {
    Track,
    Group,
    Segment,
}

impl Default for SplitOptions {
    /// By track, in the course's shares.
    fn default() -> Self {
        Self { split: None, group: None, split_lists: Vec::new(), validation: VALIDATION, test: TEST }
    }
}

impl SplitOptions {
    /// The split of the options; `in_folds` for a cross-validation.
    pub fn spec(&self, seed: u64, in_folds: bool) -> anyhow::Result<SplitSpec> {
        let by = match (self.split, &self.group) {
            (None | Some(SplitBy::Track), None) => Unit::Track,
            (Some(SplitBy::Segment), None) => Unit::Segment,
            (None | Some(SplitBy::Group), _) => Unit::Group,
            (Some(_), Some(_)) => {
                let what = "--group needs a split by group; omit --split, or use --split group";
                return Err(WrongUsage(what.to_owned()).into());
            }
        };
        ensure!(
            matches!(self.split_lists.len(), 0 | 2 | 3),
            WrongUsage("--split-lists takes two lists (TRAIN TEST) or three (TRAIN VALID TEST)".to_owned())
        );
        ensure!(
            self.split_lists.is_empty() || by != Unit::Segment,
            WrongUsage("--split-lists keeps tracks whole; omit --split segment".to_owned())
        );
        ensure!(
            !in_folds || by != Unit::Segment,
            WrongUsage("--folds keeps tracks or groups whole; omit --split segment".to_owned())
        );
        for (name, share) in [("--validation", self.validation), ("--test", self.test)] {
            ensure!(
                (0.0..1.0).contains(&share),
                WrongUsage(format!("{name} must be a share from 0 to below 1, not {share}"))
            );
        }
        ensure!(
            self.test > 0.0,
            WrongUsage("--test 0 leaves the test part empty; give it a share".to_owned())
        );
        ensure!(
            self.validation + self.test < 1.0,
            WrongUsage("--validation and --test leave nothing to train on".to_owned())
        );
        Ok(SplitSpec { by, validation: self.validation, test: self.test, seed, ..SplitSpec::default() })
    }

    /// Assigns groups, and the parts of an official split, to the tracks of a store. Returns the split, which is by group if
    /// groups are known, can be kept whole, and no option or manifest says otherwise.
    pub fn assign(
        &self,
        spec: SplitSpec,
        n_folds: Option<usize>,
        store: &mut FeatureStore,
        global: &Global,
    ) -> anyhow::Result<SplitSpec> {
        self.assign_groups(store, global)?;
        self.assign_lists(store, global)?;
        Ok(self.keep_known_groups(spec, n_folds, store, global))
    }

    fn keep_known_groups(
        &self,
        spec: SplitSpec,
        n_folds: Option<usize>,
        store: &mut FeatureStore,
        global: &Global,
    ) -> SplitSpec {
        let by_track = matches!(self.split, None | Some(SplitBy::Track));
        if !by_track || self.group.is_some() {
            return spec;
        }
        let labels = store.labels().to_vec();
        if self.split.is_some() {
            // Intervals and p-values are over groups.
            assign_known_groups(store.tracks_mut(), &labels);
            return spec;
        }
        let (spec, choice) = spec.choose_by_known_groups(store.tracks_mut(), &labels, n_folds);
        if let Some(choice) = choice
            && !global.quiet
        {
            output::note(&choice_in_words(&choice, n_folds.is_some()));
        }
        spec
    }

    fn assign_groups(&self, store: &mut FeatureStore, global: &Global) -> anyhow::Result<()> {
        let Some(group) = &self.group else { return Ok(()) };
        let Ok(grouping) = group.parse::<Grouping>();
        let labels = store.labels().to_vec();
        let found = assign_groups(store.tracks_mut(), &labels, &grouping)?;
        if !global.quiet {
            let alone = if found.n_ungrouped > 0 {
                format!("; {} tracks without one are a group each", found.n_ungrouped)
            } else {
                String::new()
            };
            output::note(&format!("{} groups by {group}{alone}", found.n_groups));
        }
        for path in &found.unknown {
            output::note(&format!("{group}: {path} is no track of the features"));
        }
        Ok(())
    }

    fn assign_lists(&self, store: &mut FeatureStore, global: &Global) -> anyhow::Result<()> {
        let parts: &[Part] = match self.split_lists.len() {
            0 => return Ok(()),
            2 => &[Part::Train, Part::Test],
            _ => &Part::ALL,
        };
        let lists: Vec<(Part, PathBuf)> = parts.iter().copied().zip(self.split_lists.clone()).collect();
        let ListReport { n_listed, n_left_out, unknown } = assign_parts(store.tracks_mut(), &lists)?;
        if !global.quiet {
            output::note(&format!("{n_listed} tracks in the lists; {n_left_out} in none, and left out"));
            if let Some(first) = unknown.first() {
                let n = unknown.len();
                output::note(&format!(
                    "{n} lines of the lists match no track of the features, such as {first}"
                ));
            }
        }
        Ok(())
    }

    /// The options under their names, for `config.toml`.
    pub fn settings(&self, in_folds: bool) -> toml::Table {
        let mut table = toml::Table::new();
        let mut set = |name: &str, value: toml::Value| table.insert(name.to_owned(), value);
        set("validation", self.validation.into());
        if !in_folds {
            set("test", self.test.into());
        }
        self.split.and_then(|by| by.to_possible_value()).map(|by| set("split", by.get_name().into()));
        self.group.as_ref().map(|group| set("group", group.clone().into()));
        if !self.split_lists.is_empty() {
            let lists = self.split_lists.iter().map(|list| list.display().to_string());
            set("split_lists", lists.collect::<Vec<_>>().into());
        }
        table
    }
}

/// That the split is by group, and how to split by track; or why it is by track.
fn choice_in_words(GroupChoice { known, obstacle }: &GroupChoice, in_folds: bool) -> String {
    let (noun, source) = match known.grouping {
        Grouping::Artist => ("artist", "the tags"),
        _ => ("group", "the manifest"),
    };
    let groups = format!("{} of {source}", output::count(known.n_groups, noun));
    let (what, parts) = if in_folds { ("folds", "folds") } else { ("split", "parts") };
    match obstacle {
        None => format!("{what} by group: {groups}, none in two {parts}; --split track separates them"),
        Some(obstacle) => format!("{what} by track, although there are {groups}: {obstacle}"),
    }
}
