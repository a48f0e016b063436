//! Groups of inputs of random Fourier features, with a kernel and a weight each: in files, and for a number of inputs.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Kernel, RandomFourierFeatures, one};

/// Consecutive inputs with a kernel of their own: a number of inputs, or a table, such as
/// `{ inputs = 40, kernel = "gaussian", weight = 0.5 }`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "GroupForm", into = "GroupForm")]
pub struct InputGroup {
    /// Number of inputs; `None` for all that remain, which only the last group can have.
    pub inputs: Option<usize>,
    /// Its kernel; `None` for that of the layer.
    pub kernel: Option<Kernel>,
    /// Weight of its kernel in the sum.
    pub weight: f32,
}

impl InputGroup {
    /// A group of some inputs, with the kernel of the layer and weight 1.
    #[must_use]
    pub fn of(inputs: usize) -> Self {
        Self { inputs: Some(inputs), kernel: None, weight: 1.0 }
    }
}

/// The two forms of a group in a file.
#[derive(Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a group must be a number of inputs, or a table with inputs, kernel and weight"
)]
enum GroupForm {
    Number(usize),
    Table(GroupTable),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupTable {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inputs: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kernel: Option<Kernel>,
    #[serde(default = "one")]
    weight: f32,
}

impl From<GroupForm> for InputGroup {
    fn from(form: GroupForm) -> Self {
        match form {
            GroupForm::Number(inputs) => Self::of(inputs),
            GroupForm::Table(GroupTable { inputs, kernel, weight }) => Self { inputs, kernel, weight },
        }
    }
}

impl From<InputGroup> for GroupForm {
    fn from(group: InputGroup) -> Self {
        let InputGroup { inputs, kernel, weight } = group;
        match inputs {
            Some(inputs) if group == InputGroup::of(inputs) => Self::Number(inputs),
            _ => Self::Table(GroupTable { inputs, kernel, weight }),
        }
    }
}

/// A group of a layer, for a known number of inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct FourierGroup {
    /// Its inputs.
    pub inputs: Range<usize>,
    /// Its kernel.
    pub kernel: Kernel,
    /// Name of the tensor that has its frequencies.
    pub tensor: String,
    /// The first row of the tensor that is the group's.
    pub first_row: usize,
    /// Scales numbers of the standard distribution to its frequencies.
    pub frequency: f32,
    /// Scales its features: the square root of its weight.
    pub amplitude: f32,
}

impl RandomFourierFeatures {
    /// The groups for this number of inputs, those of a layer that was built.
    #[must_use]
    pub fn groups_of(&self, n_inputs: usize) -> Vec<FourierGroup> {
        let whole = [InputGroup { inputs: None, kernel: None, weight: 1.0 }];
        let groups = if self.groups.is_empty() { &whole[..] } else { &self.groups };
        let is_mixed = groups.iter().any(|group| group.kernel.is_some());
        let resolve = |start: &mut usize, (i, group): (usize, &InputGroup)| {
            let n = group.inputs.unwrap_or(n_inputs.saturating_sub(*start));
            let inputs = *start..start.saturating_add(n);
            *start = inputs.end;
            let kernel = group.kernel.unwrap_or(self.kernel);
            // A tensor has one initialiser.
            let (tensor, first_row) = match is_mixed {
                true => (format!("groups.{i}.kernel"), 0),
                false => ("kernel".to_owned(), inputs.start),
            };
            let frequency = 1.0 / (self.scale * kernel.divisor(n as f32));
            Some(FourierGroup {
                inputs,
                kernel,
                tensor,
                first_row,
                frequency,
                amplitude: group.weight.sqrt(),
            })
        };
        groups.iter().enumerate().scan(0, resolve).collect()
    }
}

impl Kernel {
    /// What frequencies are divided by, so that the scale is that of a single one of `n` inputs.
    fn divisor(self, n: f32) -> f32 {
        match self {
            Self::Laplacian => n,
            Self::Gaussian => n.sqrt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{Layer as _, LayerId};

    const SITE: LayerId<'_> = LayerId { path: "layers.3", kind: "RandomFourierFeatures" };

    #[test]
    fn a_group_is_a_number_or_a_table() {
        let read = |text: &str| toml::from_str::<RandomFourierFeatures>(text).unwrap();
        let layer = read("units = 4\ngroups = [3, { inputs = 2, kernel = \"gaussian\" }, { weight = 0.5 }]");
        let gaussian = InputGroup { kernel: Some(Kernel::Gaussian), ..InputGroup::of(2) };
        let rest = InputGroup { inputs: None, kernel: None, weight: 0.5 };
        assert_eq!(layer.groups, [InputGroup::of(3), gaussian, rest]);
        let json = serde_json::to_string(&layer.groups).unwrap();
        assert_eq!(json, r#"[3,{"inputs":2,"kernel":"gaussian","weight":1.0},{"weight":0.5}]"#);
        assert_eq!(serde_json::from_str::<Vec<InputGroup>>(&json).unwrap(), layer.groups);
        let names = |layer: &RandomFourierFeatures| -> Vec<(String, Vec<usize>)> {
            let built = layer.build(&[9], SITE).unwrap();
            built.parameters().into_iter().map(|parameter| (parameter.name, parameter.shape)).collect()
        };
        let named = |i: usize, n: usize| (format!("groups.{i}.kernel"), vec![n, 2]);
        assert_eq!(names(&layer), [named(0, 3), named(1, 2), named(2, 4)]);
        assert_eq!(names(&read("units = 4\ngroups = [3, {}]")), [("kernel".to_owned(), vec![9, 2])]);
        for wrong in ["-1", "\"a\"", "{ input = 3 }", "{ weight = \"a\" }"] {
            let text = format!("units = 4\ngroups = [{wrong}]");
            let error = toml::from_str::<RandomFourierFeatures>(&text).unwrap_err().to_string();
            assert!(error.contains("a group must be a number of inputs, or a table"), "{error}");
        }
    }
}
