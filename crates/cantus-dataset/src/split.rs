//! Who is learnt from and who is examined: training, validation and test.
//!
//! A split is made of whole tracks, or of whole groups of tracks, before anything is cut into segments, so that no two
//! segments of one track stand on both sides, and no two copies of one recording. The split by segment, which the lecture course makes, tears tracks apart
//! and flatters every model; it exists under its own name, for comparison.
//!
//! Every label keeps its share in every part as far as groups allow (`stratify`; `iterative_stratification`, where tracks
//! have none or several labels), the seed decides the rest, and the
//! order of the tracks does not matter. A split that the manifest or lists give wins; tracks that it does not name are left
//! out.

use std::collections::BTreeMap;

use cantus_random::{KeyedRng, text_key};
use serde::{Deserialize, Serialize};

use crate::disjoint::DisjointSets;
use crate::iterative_stratification::stratify_tags;
use crate::stratify::{Bundle, bundles_with, stratify};
use crate::{Error, Track};

/// Part of a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Weights are learnt from it.
    Train,
    /// Epochs and settings are chosen by it.
    Validation,
    /// Looked at once, at the end.
    Test,
}

/// What is kept whole by a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Tracks: all segments of one on the same side.
    Track,
    /// Groups: all tracks of one on the same side; a track without a group is one of its own.
    Group,
    /// Nothing: the course's split, which leaks. Only for comparison.
    Segment,
}

/// How to split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SplitSpec {
    /// What is kept whole.
    pub by: Unit,
    /// Share of the validation part, in [0, 1).
    pub validation: f64,
    /// Share of the test part, in [0, 1).
    pub test: f64,
    /// Seed of everything that is drawn.
    pub seed: u64,
}

impl Default for SplitSpec {
    /// By track, in the course's shares: a quarter for the test, a fifth of the rest for validation.
    fn default() -> Self {
        Self { by: Unit::Track, validation: 0.15, test: 0.25, seed: 0 }
    }
}

/// A split of tracks (or, leaking, of segments).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// What was kept whole.
    pub unit: Unit,
    /// The part of each track; of each segment, if `unit` is [`Unit::Segment`]. None if it was left out.
    pub parts: Vec<Option<Part>>,
    /// Whether the manifest or lists gave it.
    pub given: bool,
    /// Labels that a part has none of, where groups (or the manifest) left no other way.
    pub missing: Vec<(usize, Part)>,
}

impl Part {
    /// All parts, in the order in which they are used.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// Its name in files and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    /// The part of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }
}

impl SplitSpec {
    /// Splits tracks, by track or by group.
    ///
    /// If tracks have parts of their own, these are kept, and tracks that have none are left out; where they name no
    /// validation part, it is drawn from their training part. With [`Unit::Segment`], every entry of `tracks` is taken for a segment.
    ///
    /// # Errors
    /// If the shares are no shares, or a class has fewer tracks (groups) than there are parts; a tag may, and then is
    /// [`missing`](Split::missing) in some.
    pub fn split(&self, tracks: &[Track], labels: &[String]) -> Result<Split, Error> {
        self.validate()?;
        let given = tracks.iter().any(|track| track.part.is_some());
        let parts = if given { self.keep(tracks, labels)? } else { self.draw(tracks, labels)? };
        let missing = missing(tracks, &parts, labels.len());
        Ok(Split { unit: self.by, parts, given, missing })
    }

    fn validate(&self) -> Result<(), Error> {
        let invalid = |parameter, value: f64, expected| {
            Err(Error::InvalidSplit { parameter, found: value.to_string(), expected })
        };
        for (parameter, share) in [("validation", self.validation), ("test", self.test)] {
            if !(0.0..1.0).contains(&share) {
                return invalid(parameter, share, "a share in [0, 1)");
            }
        }
        if self.validation + self.test >= 1.0 {
            return invalid(
                "validation + test",
                self.validation + self.test,
                "less than 1, to leave tracks to train on",
            );
        }
        Ok(())
    }

    fn shares(&self) -> [f64; 3] {
        [1.0 - self.validation - self.test, self.validation, self.test]
    }

    fn draw(&self, tracks: &[Track], labels: &[String]) -> Result<Vec<Option<Part>>, Error> {
        let needed = self.shares().iter().filter(|share| **share > 0.0).count();
        let numbers = draw(tracks, labels, self.by, &self.shares(), needed, self.seed)?;
        Ok(numbers.into_iter().map(|number| Some(Part::ALL[number])).collect())
    }

    /// The parts that the tracks have; the validation part is drawn if they name none.
    fn keep(&self, tracks: &[Track], labels: &[String]) -> Result<Vec<Option<Part>>, Error> {
        let mut parts: Vec<Option<Part>> = tracks.iter().map(|track| track.part).collect();
        if !parts.contains(&Some(Part::Validation)) {
            self.draw_validation(&mut parts, tracks, labels, self.validation / (1.0 - self.test))?;
        }
        Ok(parts)
    }

    /// Turns a share of the training part into the validation part. A label with one bundle stays in the training part.
    pub(crate) fn draw_validation(
        &self,
        parts: &mut [Option<Part>],
        tracks: &[Track],
        labels: &[String],
        share: f64,
    ) -> Result<(), Error> {
        if share <= 0.0 {
            return Ok(());
        }
        let is_training = |(place, _): &(usize, Track)| parts[*place] == Some(Part::Train);
        let (places, training): (Vec<usize>, Vec<Track>) =
            tracks.iter().cloned().enumerate().filter(is_training).unzip();
        let drawn = draw(&training, labels, self.by, &[1.0 - share, share], 1, self.seed)?;
        places.into_iter().zip(drawn).for_each(|(place, number)| parts[place] = Some(Part::ALL[number]));
        Ok(())
    }
}

/// The number of the share that each track falls to; every class must have `needed` bundles, but not every tag.
pub(crate) fn draw(
    tracks: &[Track],
    labels: &[String],
    by: Unit,
    shares: &[f64],
    needed: usize,
    seed: u64,
) -> Result<Vec<usize>, Error> {
    if by == Unit::Group && tracks.iter().all(|track| track.group.is_none()) {
        return Err(Error::NoGroups { wanted: "a group".to_owned() });
    }
    let bundles = bundles(tracks, by);
    let is_tagged = has_tags(tracks);
    for (number, label) in labels.iter().enumerate().filter(|_| !is_tagged) {
        let n = bundles_with(&bundles, number);
        if n < needed {
            let n_tracks = tracks.iter().filter(|track| track.labels.contains(&number)).count();
            return Err(match by {
                Unit::Track if n < n_tracks => {
                    Error::TooFewRecordings { label: label.clone(), n, n_tracks, needed }
                }
                _ => Error::TooFew { label: label.clone(), unit: name_of(by), n, needed },
            });
        }
    }
    let mut rng = KeyedRng::new([seed, text_key("split")]);
    let stratify = if is_tagged { stratify_tags } else { stratify };
    let choice = stratify(&bundles, labels.len(), shares, &mut rng);
    let mut numbers = vec![0; tracks.len()];
    for (bundle, number) in bundles.iter().zip(choice) {
        bundle.members.iter().for_each(|member| numbers[*member] = number);
    }
    Ok(numbers)
}

/// Whether labels are tags, as tracks with none or several show.
pub(crate) fn has_tags(tracks: &[Track]) -> bool {
    tracks.iter().any(|track| track.labels.len() != 1)
}

/// What must stay together, in an order that depends on names alone: tracks, or groups of them, and with each the copies
/// of its recordings with all that must stay with these.
fn bundles(tracks: &[Track], by: Unit) -> Vec<Bundle> {
    let key = |track: &'_ Track| match (by, &track.group) {
        (Unit::Group, Some(group)) => (true, group.clone()),
        _ => (false, track.path.clone()),
    };
    let mut sets = DisjointSets::new(tracks.len());
    join_equal(&mut sets, tracks.iter().map(|track| Some(key(track))));
    join_equal(&mut sets, tracks.iter().map(|track| track.recording.as_ref()));
    let mut by_set: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    (0..tracks.len()).for_each(|place| by_set.entry(sets.find(place)).or_default().push(place));
    let name = |members: &[usize]| members.iter().map(|member| key(&tracks[*member])).min();
    let members: BTreeMap<_, _> = by_set.into_values().map(|members| (name(&members), members)).collect();
    members.into_values().map(|members| Bundle::new(members, |member| &tracks[member].labels)).collect()
}

/// Joins the places that have one key.
fn join_equal<K: Ord>(sets: &mut DisjointSets, keys: impl Iterator<Item = Option<K>>) {
    let mut first: BTreeMap<K, usize> = BTreeMap::new();
    for (place, key) in keys.enumerate() {
        if let Some(key) = key {
            sets.join(*first.entry(key).or_insert(place), place);
        }
    }
}

/// Recordings of which the parts of a split hold copies on several sides: only a split that a manifest gives may.
pub fn torn_recordings<'a>(tracks: &'a [Track], parts: &[Option<Part>]) -> Vec<&'a str> {
    let mut sides: BTreeMap<&str, Vec<Part>> = BTreeMap::new();
    for (track, part) in tracks.iter().zip(parts) {
        if let (Some(recording), Some(part)) = (&track.recording, part) {
            sides.entry(recording).or_default().push(*part);
        }
    }
    sides.retain(|_, parts| parts.iter().any(|part| *part != parts[0]));
    sides.into_keys().collect()
}

fn name_of(by: Unit) -> &'static str {
    match by {
        Unit::Track => "track",
        Unit::Group => "group",
        Unit::Segment => "segment",
    }
}

/// Pairs of label and part that no track stands for, among the parts that have tracks at all.
pub(crate) fn missing(tracks: &[Track], parts: &[Option<Part>], n_labels: usize) -> Vec<(usize, Part)> {
    let has = |label, part| {
        tracks.iter().zip(parts).any(|(track, p)| track.labels.contains(&label) && *p == Some(part))
    };
    let used = Part::ALL.into_iter().filter(|part| parts.contains(&Some(*part)));
    used.flat_map(|part| (0..n_labels).map(move |label| (label, part)))
        .filter(|(label, part)| !has(*label, *part))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap};

    use super::*;
    use crate::Folds;

    fn labels(n: usize) -> Vec<String> {
        (0..n).map(|label| format!("label-{label}")).collect()
    }

    fn track(number: usize, label: usize, group: Option<String>) -> Track {
        Track {
            path: format!("{label}/{number:04}.wav"),
            labels: vec![label],
            artist: None,
            group,
            part: None,
            fold: None,
            recording: None,
        }
    }

    /// A random catalogue: 2 to 6 labels of 3 to 40 tracks; artists of 1 to 8 tracks, some in two labels.
    fn random_tracks(seed: u64) -> (Vec<Track>, Vec<String>) {
        let mut rng = KeyedRng::new([seed]);
        let n_labels = 2 + rng.below(5);
        let mut tracks = Vec::new();
        for label in 0..n_labels {
            let mut artist = 0;
            for number in 0..3 + rng.below(38) {
                if number < 4 || rng.bernoulli(0.3) {
                    artist += 1;
                }
                let shared = rng.bernoulli(0.05);
                let group = if shared { format!("shared-{artist}") } else { format!("{label}-{artist}") };
                tracks.push(track(number, label, rng.bernoulli(0.9).then_some(group)));
            }
        }
        (tracks, labels(n_labels))
    }

    fn count(tracks: &[Track], parts: &[Option<Part>], label: usize, part: Part) -> usize {
        tracks
            .iter()
            .zip(parts)
            .filter(|(track, p)| track.labels.contains(&label) && **p == Some(part))
            .count()
    }

    #[test]
    fn a_split_by_track_gives_every_label_its_share_of_every_part() {
        for seed in 0..200 {
            let (tracks, labels) = random_tracks(seed);
            let spec = SplitSpec { seed, ..SplitSpec::default() };
            let split = spec.split(&tracks, &labels).unwrap();
            assert!(split.missing.is_empty());
            for label in 0..labels.len() {
                let n = tracks.iter().filter(|track| track.labels.contains(&label)).count();
                for (part, share) in Part::ALL.into_iter().zip(spec.shares()) {
                    let (found, wanted) = (count(&tracks, &split.parts, label, part), share * n as f64);
                    assert!((found as f64 - wanted).abs() <= 1.5, "seed {seed}: {found} of {n} in {part:?}");
                    assert!(found > 0);
                }
            }
            for (part, share) in Part::ALL.into_iter().zip(spec.shares()) {
                let found = split.parts.iter().filter(|p| **p == Some(part)).count() as f64;
                let off = (found - share * tracks.len() as f64).abs();
                assert!(off <= 1.0 + 0.5 * labels.len() as f64, "seed {seed}: {part:?} is {off} off");
            }
        }
    }

    #[test]
    fn a_split_by_group_never_tears_a_group_apart() {
        for seed in 0..200 {
            let (tracks, labels) = random_tracks(seed);
            let spec = SplitSpec { by: Unit::Group, seed, ..SplitSpec::default() };
            let split = spec.split(&tracks, &labels).unwrap();
            let mut part_of: HashMap<&str, Option<Part>> = HashMap::new();
            for (track, part) in tracks.iter().zip(&split.parts) {
                if let Some(group) = &track.group {
                    assert_eq!(part_of.insert(group, *part).unwrap_or(*part), *part, "seed {seed}, {group}");
                }
            }
            let largest = part_of
                .keys()
                .map(|group| tracks.iter().filter(|t| t.group.as_deref() == Some(*group)).count())
                .max();
            for (part, share) in Part::ALL.into_iter().zip(spec.shares()) {
                let found = split.parts.iter().filter(|p| **p == Some(part)).count() as f64;
                let off = (found - share * tracks.len() as f64).abs();
                let allowed = largest.unwrap_or(1) as f64 + labels.len() as f64;
                assert!(off <= allowed, "seed {seed}: {part:?} is {off} off, {allowed} allowed");
            }
            assert!(split.missing.len() <= 1, "seed {seed}: {:?}", split.missing);
        }
    }

    #[test]
    fn a_split_depends_on_the_seed_and_not_on_the_order() {
        let (tracks, labels) = random_tracks(7);
        let by_path = |tracks: &[Track], by, seed| -> BTreeMap<String, Option<Part>> {
            let spec = SplitSpec { by, seed, ..SplitSpec::default() };
            let split = spec.split(tracks, &labels).unwrap();
            tracks.iter().map(|track| track.path.clone()).zip(split.parts).collect()
        };
        let mut shuffled = tracks.clone();
        KeyedRng::new([1]).shuffle(&mut shuffled);
        for by in [Unit::Track, Unit::Group] {
            assert_eq!(by_path(&tracks, by, 3), by_path(&shuffled, by, 3));
            assert_ne!(by_path(&tracks, by, 3), by_path(&tracks, by, 4));
        }
    }

    /// The same catalogue with copies: about a third of its tracks are of one of a few recordings.
    fn with_copies(seed: u64) -> (Vec<Track>, Vec<String>) {
        let (mut tracks, labels) = random_tracks(seed);
        let mut rng = KeyedRng::new([seed]);
        for track in &mut tracks {
            let recording = rng.below(30);
            track.recording = (recording < 8).then(|| format!("recording-{recording}"));
        }
        (tracks, labels)
    }

    #[test]
    fn copies_of_a_recording_stay_on_one_side_of_every_split_and_fold_whatever_the_unit() {
        let mut n_splits = 0;
        for seed in 0..60 {
            let (tracks, labels) = with_copies(seed);
            for by in [Unit::Track, Unit::Group] {
                let together = |sides: &[usize]| {
                    let mut of_name: HashMap<(u8, &str), usize> = HashMap::new();
                    for (track, side) in tracks.iter().zip(sides) {
                        let group = track.group.as_deref().filter(|_| by == Unit::Group);
                        for name in [(0, track.recording.as_deref()), (1, group)] {
                            let Some(text) = name.1 else { continue };
                            assert_eq!(of_name.entry((name.0, text)).or_insert(*side), side, "{seed} {text}");
                        }
                    }
                };
                if let Ok(split) = (SplitSpec { by, seed, ..SplitSpec::default() }).split(&tracks, &labels) {
                    together(&split.parts.iter().flatten().map(|part| *part as usize).collect::<Vec<_>>());
                    assert!(torn_recordings(&tracks, &split.parts).is_empty());
                    n_splits += 1;
                }
                if let Ok(folds) = Folds::draw(&tracks, &labels, by, 2, seed) {
                    together(&folds.of);
                    n_splits += 1;
                }
            }
        }
        assert!(n_splits > 60, "only {n_splits} of the random catalogues could be split");
    }

    /// The same catalogue where each track has none to three of the labels.
    fn with_tags(seed: u64) -> (Vec<Track>, Vec<String>) {
        let (mut tracks, labels) = with_copies(seed);
        let mut rng = KeyedRng::new([seed + 1000]);
        for track in &mut tracks {
            let drawn: BTreeSet<usize> = (0..rng.below(4)).map(|_| rng.below(labels.len())).collect();
            track.labels = drawn.into_iter().collect();
        }
        (tracks, labels)
    }

    #[test]
    fn tagged_tracks_are_split_so_that_nothing_is_torn_and_rare_tags_are_told_and_no_error() {
        let mut n_missing = 0;
        for seed in 0..60 {
            let (tracks, labels) = with_tags(seed);
            for by in [Unit::Track, Unit::Group] {
                let spec = SplitSpec { by, seed, ..SplitSpec::default() };
                let split = match spec.split(&tracks, &labels) {
                    Err(Error::NoGroups { .. }) => continue,
                    split => split.unwrap(),
                };
                assert!(torn_recordings(&tracks, &split.parts).is_empty(), "seed {seed}");
                let mut part_of: HashMap<&str, Option<Part>> = HashMap::new();
                for (track, part) in tracks.iter().zip(&split.parts).filter(|_| by == Unit::Group) {
                    if let Some(group) = &track.group {
                        assert_eq!(*part_of.entry(group).or_insert(*part), *part, "seed {seed}, {group}");
                    }
                }
                for (label, part) in &split.missing {
                    assert_eq!(count(&tracks, &split.parts, *label, *part), 0);
                    let n_bundles = bundles_with(&bundles(&tracks, by), *label);
                    assert!(n_bundles < 6, "seed {seed}, {by:?}: {n_bundles} bundles and none in {part:?}");
                }
                n_missing += split.missing.len();
                let folds = Folds::draw(&tracks, &labels, by, 3, seed).unwrap();
                assert!(folds.split(0, &tracks, &labels, &spec).is_ok(), "seed {seed}");
            }
        }
        assert!(n_missing < 60, "{n_missing} labels are missing in a part");
        let (mut tracks, labels) = with_tags(7);
        let split = |tracks: &[Track]| -> BTreeMap<String, Option<Part>> {
            let parts = SplitSpec::default().split(tracks, &labels).unwrap().parts;
            tracks.iter().map(|track| track.path.clone()).zip(parts).collect()
        };
        let before = split(&tracks);
        KeyedRng::new([1]).shuffle(&mut tracks);
        assert_eq!(before, split(&tracks), "the order of the tracks plays no role");
    }

    #[test]
    fn copies_that_a_given_split_tears_apart_are_named() {
        let mut tracks: Vec<Track> = (0..4).map(|number| track(number, 0, None)).collect();
        tracks.iter_mut().for_each(|track| track.recording = Some("song".to_owned()));
        tracks[3].recording = None;
        let parts = [Part::Train, Part::Train, Part::Test, Part::Test].map(Some);
        assert_eq!(torn_recordings(&tracks, &parts), ["song"]);
        assert!(torn_recordings(&tracks[..2], &parts[..2]).is_empty());
    }

    #[test]
    fn a_given_split_wins_and_lends_its_training_part_for_validation() {
        let (mut tracks, labels) = random_tracks(11);
        let part = |i: usize| if i.is_multiple_of(4) { Part::Test } else { Part::Train };
        tracks.iter_mut().enumerate().for_each(|(i, track)| track.part = Some(part(i)));
        let split = SplitSpec { by: Unit::Track, ..SplitSpec::default() }.split(&tracks, &labels).unwrap();
        assert!(split.given);
        assert!(
            split.parts.iter().enumerate().all(|(i, p)| (*p == Some(Part::Test)) == (part(i) == Part::Test))
        );
        assert!(split.parts.contains(&Some(Part::Validation)));
        let none = SplitSpec { validation: 0.0, ..SplitSpec::default() }.split(&tracks, &labels).unwrap();
        assert_eq!(
            none.parts.iter().flatten().copied().collect::<BTreeSet<_>>(),
            [Part::Train, Part::Test].into()
        );
    }

    #[test]
    fn tracks_that_a_given_split_does_not_name_are_left_out() {
        let (mut tracks, labels) = random_tracks(11);
        let part = |i: usize| [Some(Part::Train), Some(Part::Validation), Some(Part::Test), None][i % 4];
        tracks.iter_mut().enumerate().for_each(|(i, track)| track.part = part(i));
        let split = SplitSpec::default().split(&tracks, &labels).unwrap();
        assert!(split.parts.iter().enumerate().all(|(i, p)| *p == part(i)));
    }

    #[test]
    fn a_label_with_too_few_tracks_or_groups_is_named() {
        let tracks = vec![track(0, 0, None), track(1, 0, None), track(2, 0, None), track(0, 1, None)];
        let message =
            |spec: SplitSpec, tracks: &[Track]| spec.split(tracks, &labels(2)).unwrap_err().to_string();
        assert!(message(SplitSpec::default(), &tracks).contains("class 'label-1' has 1 track,"));
        let one_artist: Vec<Track> =
            (0..8).map(|i| track(i, i % 2, (i % 2 == 0).then(|| "solo".to_owned()))).collect();
        let by_group = SplitSpec { by: Unit::Group, ..SplitSpec::default() };
        assert!(message(by_group, &one_artist).contains("class 'label-0' has 1 group,"));
        let two_parts = SplitSpec { validation: 0.0, ..SplitSpec::default() };
        assert!(two_parts.split(&tracks[..3], &labels(1)).is_ok());
    }

    #[test]
    fn shares_that_are_none_are_refused() {
        let (tracks, labels) = random_tracks(0);
        for (validation, test) in [(-0.1, 0.2), (0.2, f64::NAN), (0.5, 0.5), (0.0, 1.0)] {
            let spec = SplitSpec { validation, test, ..SplitSpec::default() };
            assert!(matches!(spec.split(&tracks, &labels), Err(Error::InvalidSplit { .. })));
        }
    }
}
