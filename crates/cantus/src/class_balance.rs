//! Class imbalance: class weights in the loss, and balanced sampling of the training part.

use std::collections::BTreeMap;

use cantus_random::KeyedRng;
use serde::{Deserialize, Serialize};

use crate::rng_streams;

/// Weight of each class's examples in the loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "class_weight must be \"balanced\", or a table with a number for each label")]
pub enum ClassWeight {
    /// A rule by name.
    Named(ClassWeightRule),
    /// A weight for each label; 1 for labels that the table omits.
    ByLabel(BTreeMap<String, f32>),
}

/// A rule that computes weights from class sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeightRule {
    /// Equal total weight for all classes: `n / (n_classes * n_of_class)`, scikit-learn's `class_weight="balanced"`.
    Balanced,
}

impl ClassWeight {
    /// The weight of each label; `counts` is the number of training segments of each.
    ///
    /// # Errors
    /// Text that says what is wrong with the table.
    pub(crate) fn weights(&self, labels: &[String], counts: &[usize]) -> Result<Vec<f32>, String> {
        match self {
            Self::Named(ClassWeightRule::Balanced) => {
                let (n, n_classes) = (counts.iter().sum::<usize>() as f64, counts.len() as f64);
                let weight = |&count: &usize| if count == 0 { 1.0 } else { n / (n_classes * count as f64) };
                Ok(counts.iter().map(|count| weight(count) as f32).collect())
            }
            Self::ByLabel(table) => by_label(table, labels),
        }
    }
}

fn by_label(table: &BTreeMap<String, f32>, labels: &[String]) -> Result<Vec<f32>, String> {
    if let Some(unknown) = table.keys().find(|label| !labels.contains(label)) {
        return Err(format!("class_weight: '{unknown}' is no label; the labels are {}", labels.join(", ")));
    }
    if let Some((label, weight)) = table.iter().find(|(_, weight)| !(weight.is_finite() && **weight >= 0.0)) {
        return Err(format!("class_weight: {label} = {weight}: must be a number of at least 0"));
    }
    Ok(labels.iter().map(|label| table.get(label).copied().unwrap_or(1.0)).collect())
}

/// Balanced sampling: draws examples so that all classes occur equally often in an epoch, whatever their sizes.
#[derive(Debug)]
pub(crate) struct BalancedSampling {
    /// Indices of the examples of each class that has any.
    members: Vec<Vec<usize>>,
}

impl BalancedSampling {
    /// For examples with these classes.
    pub(crate) fn new(classes: impl Iterator<Item = usize>) -> Self {
        let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        classes.enumerate().for_each(|(example, class)| members.entry(class).or_default().push(example));
        Self { members: members.into_values().collect() }
    }

    /// The example at a position of an epoch. Classes alternate; within a class, examples come in an order drawn for the
    /// epoch, each one once before any is repeated.
    pub(crate) fn example(&self, seed: u64, epoch: usize, place: usize) -> usize {
        let n_classes = self.members.len();
        let (class, turn) = (place % n_classes, place / n_classes);
        let members = &self.members[class];
        let mut rng = KeyedRng::new([seed, epoch as u64, class as u64, rng_streams::SAMPLING]);
        members[shuffled(turn, members.len(), &mut rng)]
    }
}

/// Element `turn` of a pseudo-random cyclic order of `0..n` drawn from `rng`: steps of a fixed width modulo `n`, which reach
/// every element if the width and `n` are coprime.
fn shuffled(turn: usize, n: usize, rng: &mut KeyedRng) -> usize {
    let start = rng.below(n);
    let mut step = 1 + rng.below(n);
    while gcd(step, n) > 1 {
        step += 1;
    }
    ((turn % n) * (step % n) + start) % n
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Vec<String> {
        ["blues", "jazz", "rock"].map(str::to_owned).to_vec()
    }

    /// `sklearn.utils.class_weight.compute_class_weight("balanced", classes=np.array([0, 1, 2]),
    /// y=[0] * 10 + [1] * 30 + [2] * 60)` is [3.33333333, 1.11111111, 0.55555556] (scikit-learn 1.9.1).
    #[test]
    fn balanced_weights_match_scikit_learn() {
        let weights =
            ClassWeight::Named(ClassWeightRule::Balanced).weights(&labels(), &[10, 30, 60]).unwrap();
        for (found, expected) in weights.iter().zip([3.333_333, 1.111_111, 0.555_556]) {
            assert!((found - expected).abs() < 1e-6, "{weights:?}");
        }
    }

    #[test]
    fn labels_that_the_table_omits_have_weight_one() {
        let read = |text: &str| toml::from_str::<BTreeMap<String, ClassWeight>>(text);
        let of = |text| read(text).unwrap()["w"].weights(&labels(), &[1, 1, 1]);
        assert_eq!(of("w = { jazz = 2.5, rock = 0 }").unwrap(), [1.0, 2.5, 0.0]);
        assert_eq!(of("w = \"balanced\"").unwrap(), [1.0; 3]);
        assert_eq!(
            of("w = { jaz = 2.5 }").unwrap_err(),
            "class_weight: 'jaz' is no label; the labels are blues, jazz, rock"
        );
        assert!(of("w = { jazz = -1 }").unwrap_err().contains("jazz = -1"));
        assert!(read("w = \"balance\"").unwrap_err().message().contains("class_weight must be \"balanced\""));
    }

    #[test]
    fn classes_occur_equally_often_and_each_example_once_before_any_repeats() {
        // 3 examples of class 0, 12 of class 2, none of class 1.
        let classes: Vec<usize> = (0..15).map(|i| if i % 5 == 0 { 0 } else { 2 }).collect();
        let sampling = BalancedSampling::new(classes.iter().copied());
        for (seed, epoch) in (0..5).flat_map(|seed| (0..20).map(move |epoch| (seed, epoch))) {
            let drawn: Vec<usize> = (0..24).map(|place| sampling.example(seed, epoch, place)).collect();
            let mut times = [0; 15];
            drawn.iter().for_each(|example| times[*example] += 1);
            for (example, &times) in times.iter().enumerate() {
                assert_eq!(times, if classes[example] == 0 { 4 } else { 1 }, "{drawn:?}");
            }
        }
        let order = |epoch| (0..24).map(|place| sampling.example(1, epoch, place)).collect::<Vec<_>>();
        assert!(order(0) == order(0) && order(0) != order(1));
    }
}
