//! Options of `cantus train` for the split into training, validation and test part.

use std::path::PathBuf;

use cantus::{SplitChoice, SplitPurpose};
use cantus_dataset::{FeatureStore, GroupChoice, Grouping, ListReport, SplitSpec, Unit, assign_groups};
use clap::{Args, ValueEnum};

use crate::global_options::Global;
use crate::output;

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
    /// The split of the options, before the groups of a store are known.
    pub fn spec(&self, seed: u64, purpose: SplitPurpose) -> Result<SplitSpec, cantus::Error> {
        self.choice().spec(seed, purpose)
    }

    fn choice(&self) -> SplitChoice {
        SplitChoice {
            by: self.split.map(Unit::from),
            has_groups: self.group.is_some(),
            lists: self.split_lists.clone(),
            validation: self.validation,
            test: self.test,
        }
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
        let choice = self.choice();
        if let Some(report) = choice.assign_lists(store)?
            && !global.quiet
        {
            note_lists(&report);
        }
        let (spec, groups) = choice.keep_known_groups(spec, n_folds, store);
        if let Some(groups) = groups
            && !global.quiet
        {
            output::note(&choice_in_words(&groups, n_folds.is_some()));
        }
        Ok(spec)
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

/// Reports the tracks and lines of the lists of an official split.
fn note_lists(ListReport { n_listed, n_left_out, unknown }: &ListReport) {
    output::note(&format!("{n_listed} tracks in the lists; {n_left_out} in none, and left out"));
    if let Some(first) = unknown.first() {
        let n = unknown.len();
        output::note(&format!("{n} lines of the lists match no track of the features, such as {first}"));
    }
}

impl From<SplitBy> for Unit {
    fn from(by: SplitBy) -> Self {
        match by {
            SplitBy::Track => Self::Track,
            SplitBy::Group => Self::Group,
            SplitBy::Segment => Self::Segment,
        }
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
