//! Groups that are known without an option: a manifest's column `group`, or artist tags; and whether a split can keep them
//! whole.
//!
//! A split by track overestimates the accuracy where several tracks share a speaker, an artist or a recording session, so
//! known groups are kept whole by default. That default never turns a split that is possible by track into an error.

use std::collections::{BTreeMap, BTreeSet};

use super::folds::Folds;
use super::random_split::has_tags;
use super::spec::{Split, SplitSpec};
use super::unit::Unit;
use crate::{Error, GroupReport, Grouping, Part, Track, assign_groups};

/// Groups that [`assign_known_groups`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownGroups {
    /// [`Grouping::Given`] or [`Grouping::Artist`].
    pub grouping: Grouping,
    /// Number of groups; tracks without one are not counted.
    pub n_groups: usize,
    /// Number of tracks without a group: each is a group of its own.
    pub n_ungrouped: usize,
}

/// Known groups, and whether a split keeps them whole; see [`SplitSpec::choose_by_known_groups`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupChoice {
    /// The groups.
    pub known: KnownGroups,
    /// Why they cannot be kept whole; `None` if they are.
    pub obstacle: Option<String>,
}

/// Assigns the groups that are known: those that the tracks have already or, if these do not count, those of the artist tags.
/// `None`, with the tracks unchanged, if neither count.
///
/// Groups count if one of them has several tracks and they are not the classes themselves. Of artist tags at least
/// half of the tracks must have one: with fewer, most tracks would be a group each without reason, and a report could not
/// say that artists are kept whole.
pub fn assign_known_groups(tracks: &mut [Track], labels: &[String]) -> Option<KnownGroups> {
    let given: Vec<Option<String>> = tracks.iter().map(|track| track.group.clone()).collect();
    let artists: Vec<Option<String>> = tracks.iter().map(Track::artist_group).collect();
    let n_tagged = artists.iter().flatten().count();
    let grouping = if are_useful(tracks, &given) {
        Grouping::Given
    } else if 2 * n_tagged >= tracks.len() && are_useful(tracks, &artists) {
        Grouping::Artist
    } else {
        return None;
    };
    let GroupReport { n_groups, n_ungrouped, .. } = assign_groups(tracks, labels, &grouping).ok()?;
    Some(KnownGroups { grouping, n_groups, n_ungrouped })
}

/// Whether a group has several tracks, and the groups are not the classes: where every class is one group, as in the
/// recognition of artists, no split can keep groups whole.
fn are_useful(tracks: &[Track], groups: &[Option<String>]) -> bool {
    let n_grouped = groups.iter().flatten().count();
    let distinct: BTreeSet<&String> = groups.iter().flatten().collect();
    let mut of_class: BTreeMap<&[usize], BTreeSet<&Option<String>>> = BTreeMap::new();
    for (track, group) in tracks.iter().zip(groups) {
        of_class.entry(&track.labels).or_default().insert(group);
    }
    let are_classes = n_grouped == tracks.len()
        && !has_tags(tracks)
        && of_class.len() == distinct.len()
        && of_class.values().all(|groups| groups.len() == 1);
    distinct.len() < n_grouped && !are_classes
}

impl SplitSpec {
    /// Assigns the [known groups](assign_known_groups), and splits by group if that is possible, by track otherwise; for
    /// callers that have no reason to choose. Predefined parts stay as they are.
    ///
    /// ```no_run
    /// # use cantus_dataset::{FeatureStore, SplitSpec};
    /// # let mut store = FeatureStore::open("features".as_ref())?;
    /// let labels = store.labels().to_vec();
    /// let spec = SplitSpec::default().by_known_groups(store.tracks_mut(), &labels);
    /// # Ok::<(), cantus_dataset::Error>(())
    /// ```
    #[must_use]
    pub fn by_known_groups(self, tracks: &mut [Track], labels: &[String]) -> Self {
        Self { by: Unit::Track, ..self }.choose_by_known_groups(tracks, labels, None).0
    }

    /// Assigns the [known groups](assign_known_groups), and splits by group, or draws `n_folds` folds by group, if that is
    /// possible; otherwise the split stays as it is. Also returns the groups, unless none are known or the parts, or the folds, are
    /// predefined.
    #[must_use]
    pub fn choose_by_known_groups(
        self,
        tracks: &mut [Track],
        labels: &[String],
        n_folds: Option<usize>,
    ) -> (Self, Option<GroupChoice>) {
        let Some(known) = assign_known_groups(tracks, labels) else { return (self, None) };
        let is_predefined = match n_folds {
            Some(_) => Folds::from_tracks(tracks, Unit::Track).is_some(),
            None => tracks.iter().any(|track| track.part.is_some()),
        };
        if is_predefined {
            return (self, None);
        }
        let obstacle = self.group_obstacle(tracks, labels, n_folds);
        let by = if obstacle.is_none() { Unit::Group } else { self.by };
        (Self { by, ..self }, Some(GroupChoice { known, obstacle }))
    }

    /// Why the tracks' groups cannot be kept whole by a random split, or by `n_folds` random folds; `None` if they can.
    ///
    /// Every part with a share needs a group, and every class a group in the training part and, without folds, in the test
    /// part. Of tags some must divide the test part.
    #[must_use]
    pub fn group_obstacle(
        &self,
        tracks: &[Track],
        labels: &[String],
        n_folds: Option<usize>,
    ) -> Option<String> {
        let spec = Self { by: Unit::Group, ..self.clone() };
        let splits = match n_folds {
            None => spec.split(tracks, labels).map(|split| vec![split]),
            Some(n_folds) => spec.splits_of_folds(tracks, labels, n_folds),
        };
        match splits {
            Err(error) => Some(in_words(&error)),
            Ok(splits) => splits.iter().find_map(|split| spec.defect(split, tracks, labels, n_folds)),
        }
    }

    /// The split of each fold, and that of a final model.
    fn splits_of_folds(
        &self,
        tracks: &[Track],
        labels: &[String],
        n_folds: usize,
    ) -> Result<Vec<Split>, Error> {
        let folds = Folds::draw(tracks, labels, self.by, n_folds, self.seed)?;
        let of_folds = (0..n_folds).map(|fold| folds.split(fold, tracks, labels, self));
        of_folds.chain([folds.split_without_test(tracks, labels, self)]).collect()
    }

    /// What a training or its evaluation would lack.
    fn defect(
        &self,
        split: &Split,
        tracks: &[Track],
        labels: &[String],
        n_folds: Option<usize>,
    ) -> Option<String> {
        let has_test = split.parts.contains(&Some(Part::Test));
        let needs = [
            (Part::Train, true),
            (Part::Validation, self.validation > 0.0),
            (Part::Test, n_folds.is_none() && self.test > 0.0),
        ];
        let is_empty = |part: Part| !split.parts.contains(&Some(part));
        if let Some((part, _)) = needs.iter().find(|(part, is_needed)| *is_needed && is_empty(*part)) {
            return Some(format!("no group is left for the {} part", part_name(*part)));
        }
        if has_tags(tracks) {
            return (has_test && !divides_test_part(split, tracks, labels.len()))
                .then(|| "no tag divides the tracks of the test part".to_owned());
        }
        let matters = |part: Part| part == Part::Train || (part == Part::Test && n_folds.is_none());
        let (label, part) = split.missing.iter().find(|(_, part)| matters(*part))?;
        Some(format!("class '{}' has no group in the {} part", labels[*label], part_name(*part)))
    }
}

fn part_name(part: Part) -> &'static str {
    match part {
        Part::Train => "training",
        Part::Validation => "validation",
        Part::Test => "test",
    }
}

/// Whether some test tracks have a tag that others do not have.
fn divides_test_part(split: &Split, tracks: &[Track], n_labels: usize) -> bool {
    let test = || tracks.iter().zip(&split.parts).filter(|(_, part)| **part == Some(Part::Test));
    (0..n_labels).any(|label| {
        let n_with = test().filter(|(track, _)| track.labels.contains(&label)).count();
        n_with > 0 && n_with < test().count()
    })
}

/// The error of a split by group without its advice, which is for a split that was asked for.
fn in_words(error: &Error) -> String {
    match error {
        Error::TooFew { label, n, needed, .. } => {
            let groups = if *n == 1 { "group" } else { "groups" };
            format!("class '{label}' has {n} {groups}, but {needed} are needed, one for each part or fold")
        }
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Vec<String> {
        ["a", "b"].map(str::to_owned).to_vec()
    }

    /// 48 tracks of two classes; the group and the artist of each by its number.
    fn tracks(
        group: impl Fn(usize) -> Option<String>,
        artist: impl Fn(usize) -> Option<String>,
    ) -> Vec<Track> {
        let track = |i: usize| Track {
            path: format!("{i:02}.wav"),
            labels: vec![i % 2],
            artist: artist(i),
            group: group(i),
            part: None,
            fold: None,
            recording: None,
        };
        (0..48).map(track).collect()
    }

    fn none(_: usize) -> Option<String> {
        None
    }

    fn of_four(i: usize) -> Option<String> {
        Some(format!("Person {}", i / 4))
    }

    fn known(tracks: &mut [Track]) -> Option<(Grouping, usize, usize)> {
        assign_known_groups(tracks, &labels())
            .map(|known| (known.grouping, known.n_groups, known.n_ungrouped))
    }

    #[test]
    fn given_groups_take_precedence_over_artist_tags() {
        let mut both = tracks(|i| Some(format!("session-{}", i / 8)), of_four);
        assert_eq!(known(&mut both), Some((Grouping::Given, 6, 0)));
        let mut artists = tracks(none, of_four);
        assert_eq!(known(&mut artists), Some((Grouping::Artist, 12, 0)));
        assert_eq!(artists[5].group.as_deref(), Some("person 1"));
    }

    #[test]
    fn artist_tags_are_groups_if_half_of_the_tracks_have_one() {
        let tagged = |n: usize| tracks(none, move |i| (i < n).then(|| format!("Person {}", i / 4)));
        assert_eq!(known(&mut tagged(24)), Some((Grouping::Artist, 6, 24)));
        let mut fewer = tagged(23);
        assert_eq!(known(&mut fewer), None);
        assert!(fewer.iter().all(|track| track.group.is_none()));
    }

    #[test]
    fn groups_of_one_track_and_groups_that_are_the_classes_are_not_known_groups() {
        assert_eq!(known(&mut tracks(none, none)), None);
        assert_eq!(known(&mut tracks(|i| Some(i.to_string()), none)), None);
        assert_eq!(known(&mut tracks(|i| Some((i % 2).to_string()), none)), None, "the classes");
        assert_eq!(known(&mut tracks(none, |i| Some(format!("artist {}", i % 2)))), None, "the classes");
        assert!(known(&mut tracks(|_| Some("one".to_owned()), none)).is_some());
    }

    #[test]
    fn known_groups_are_kept_whole_where_that_is_possible() {
        let unit = |tracks: &mut [Track]| SplitSpec::default().by_known_groups(tracks, &labels()).by;
        assert_eq!(unit(&mut tracks(none, none)), Unit::Track);
        assert_eq!(unit(&mut tracks(of_four, none)), Unit::Group);
        // Twelve groups of the first class, a single one of the second.
        let unequal = |i: usize| Some(if i % 2 == 1 { "x".to_owned() } else { format!("{}", i / 4) });
        assert_eq!(unit(&mut tracks(unequal, none)), Unit::Track);
        let mut official = tracks(of_four, none);
        official.iter_mut().for_each(|track| track.part = Some(Part::Train));
        assert_eq!(unit(&mut official), Unit::Track);
    }

    #[test]
    fn what_prevents_a_split_by_group_is_named() {
        let obstacle = |tracks: &[Track], n_folds| {
            SplitSpec::default().group_obstacle(tracks, &labels(), n_folds).unwrap_or_default()
        };
        assert_eq!(obstacle(&tracks(of_four, none), None), "");
        assert_eq!(obstacle(&tracks(of_four, none), Some(5)), "");
        let halves = tracks(|i| Some((i / 24).to_string()), none);
        assert!(obstacle(&halves, None).contains("class 'a' has 2 groups, but 3 are needed"));
        assert!(obstacle(&tracks(of_four, none), Some(13)).contains("class 'a' has 12 groups, but 13"));
        // Two folds leave one group, which is not enough for training and validation.
        assert!(obstacle(&halves, Some(2)).contains("part"), "{}", obstacle(&halves, Some(2)));
    }

    #[test]
    fn the_default_never_makes_a_split_fail_that_is_possible_by_track() {
        for seed in 0..200 {
            let n_groups = 1 + seed as usize % 9;
            let size = 1 + seed as usize / 9;
            let group = |i: usize| Some(((i / size) % n_groups).to_string());
            let mut tracks = tracks(group, none);
            let spec = SplitSpec { seed, ..SplitSpec::default() };
            let spec = spec.by_known_groups(&mut tracks, &labels());
            let split = spec.split(&tracks, &labels()).unwrap();
            for part in Part::ALL {
                assert!(split.parts.contains(&Some(part)), "seed {seed}: nothing in {part:?}");
            }
            assert!(split.missing.iter().all(|(_, part)| *part == Part::Validation), "seed {seed}");
        }
    }

    #[test]
    fn rare_tags_are_no_obstacle_but_a_test_part_without_any_difference_is() {
        let mut tagged = tracks(of_four, none);
        tagged.iter_mut().enumerate().for_each(|(i, track)| {
            track.labels = if i < 4 { vec![0, 1] } else { vec![(i / 4) % 2] };
        });
        assert_eq!(SplitSpec::default().group_obstacle(&tagged, &labels(), None), None);
        tagged.iter_mut().for_each(|track| track.labels = vec![0, 1]);
        let obstacle = SplitSpec::default().group_obstacle(&tagged, &labels(), None);
        assert_eq!(obstacle.as_deref(), Some("no tag divides the tracks of the test part"));
    }
}
