//! Training examples: inputs with targets and weights.

/// A set of examples for training, validation or test.
///
/// Training reads inputs from several threads at once and in any order. [`InMemory`] holds slices; other implementations
/// can read from disk, or augment the inputs differently in each epoch.
pub trait Examples: Sync {
    /// Number of examples.
    fn len(&self) -> usize;

    /// Whether there are no examples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Length of one input: the product of the network's input shape.
    fn input_len(&self) -> usize;

    /// Writes the input of example `index`.
    ///
    /// It may depend on `epoch` (counted from 0), for augmentation, and for reproducible training on nothing else.
    fn write_input(&self, index: usize, epoch: usize, input: &mut [f32]);

    /// Whether the inputs of [`Self::write_input`] depend on the epoch; true unless an implementation declares that they do
    /// not. A training then computes what follows from an input alone, such as a pooling at the start of the network, once for
    /// all epochs, with the same result.
    fn varies_by_epoch(&self) -> bool {
        true
    }

    /// Most bytes that a training may keep of outputs that it computes once for all epochs, see [`Self::varies_by_epoch`]: 1 GiB
    /// unless an implementation says otherwise.
    fn memory_for_outputs(&self) -> usize {
        1 << 30
    }

    /// Announces the examples of a later batch, so that an implementation that reads them from a disk can begin to.
    ///
    /// One thread does so in the order of the batches, while earlier ones are trained on. It must not affect any input. Does nothing
    /// by default.
    fn announce(&self, _indices: &[usize], _epoch: usize) {}

    /// The target of example `index`.
    fn target(&self, index: usize) -> Target<'_>;

    /// The target of the input that [`Self::write_input`] writes in this epoch. It differs from [`Self::target`] if examples
    /// are mixed or resampled.
    fn training_target(&self, index: usize, _epoch: usize) -> Target<'_> {
        self.target(index)
    }

    /// Number of views of each example in evaluation, at least 1: a network whose input is only a part of an example is
    /// evaluated by the mean of its outputs for several parts.
    fn n_views(&self) -> usize {
        1
    }

    /// Writes one view of example `index` for evaluation; deterministic.
    fn write_view(&self, index: usize, _view: usize, input: &mut [f32]) {
        self.write_input(index, 0, input);
    }

    /// The weight of example `index` in the loss; 1 by default.
    fn weight(&self, _index: usize) -> f32 {
        1.0
    }
}

/// The target of one example.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target<'a> {
    /// The index of the one class it belongs to.
    Class(usize),
    /// A mixture of two classes: with weights `share` in [0, 1] and 1 - `share` (mixup, Zhang et al. 2018).
    Mixed(usize, usize, f32),
    /// The value of every output: regression, several labels, or a distribution over classes.
    Values(&'a [f32]),
    /// A mixture of two such targets, with weights `share` in [0, 1] and 1 - `share`.
    MixedValues(&'a [f32], &'a [f32], f32),
}

/// Examples in memory, as slices.
#[derive(Debug, Clone, Copy)]
pub struct InMemory<'a> {
    inputs: &'a [f32],
    input_len: usize,
    targets: Targets<'a>,
    weights: Option<&'a [f32]>,
}

#[derive(Debug, Clone, Copy)]
enum Targets<'a> {
    Classes(&'a [usize]),
    Values { values: &'a [f32], width: usize },
}

impl<'a> InMemory<'a> {
    /// Examples that belong to one class each.
    ///
    /// # Shapes
    /// - `inputs`: `[classes.len(), ...]`, as many numbers for each example
    #[must_use]
    pub fn classes(inputs: &'a [f32], classes: &'a [usize]) -> Self {
        let input_len = inputs.len().checked_div(classes.len()).unwrap_or(0);
        Self { inputs, input_len, targets: Targets::Classes(classes), weights: None }
    }

    /// Examples with `width` target values each.
    ///
    /// # Shapes
    /// - `inputs`: `[n, ...]`
    /// - `values`: `[n, width]`
    #[must_use]
    pub fn values(inputs: &'a [f32], values: &'a [f32], width: usize) -> Self {
        let n = values.len().checked_div(width).unwrap_or(0);
        let input_len = inputs.len().checked_div(n).unwrap_or(0);
        Self { inputs, input_len, targets: Targets::Values { values, width }, weights: None }
    }

    /// The same examples with weights in the loss; examples beyond the end of `weights` have weight 1.
    #[must_use]
    pub fn weighted(self, weights: &'a [f32]) -> Self {
        Self { weights: Some(weights), ..self }
    }
}

impl Examples for InMemory<'_> {
    fn len(&self) -> usize {
        match self.targets {
            Targets::Classes(classes) => classes.len(),
            Targets::Values { values, width } => values.len().checked_div(width).unwrap_or(0),
        }
    }

    fn input_len(&self) -> usize {
        self.input_len
    }

    fn write_input(&self, index: usize, _epoch: usize, input: &mut [f32]) {
        input.copy_from_slice(&self.inputs[index * self.input_len..(index + 1) * self.input_len]);
    }

    fn varies_by_epoch(&self) -> bool {
        false
    }

    fn target(&self, index: usize) -> Target<'_> {
        match self.targets {
            Targets::Classes(classes) => Target::Class(classes[index]),
            Targets::Values { values, width } => Target::Values(&values[index * width..(index + 1) * width]),
        }
    }

    fn weight(&self, index: usize) -> f32 {
        self.weights.and_then(|weights| weights.get(index).copied()).unwrap_or(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_cut_into_examples() {
        let inputs = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let examples = InMemory::classes(&inputs, &[7, 8]).weighted(&[0.5]);
        let mut input = [0.0; 3];
        examples.write_input(1, 0, &mut input);
        assert_eq!((examples.len(), examples.input_len(), input), (2, 3, [4.0, 5.0, 6.0]));
        assert_eq!(
            (examples.target(1), examples.weight(0), examples.weight(1)),
            (Target::Class(8), 0.5, 1.0)
        );
        let regression = InMemory::values(&inputs, &[0.1, 0.2, 0.3], 1);
        assert_eq!((regression.len(), regression.input_len()), (3, 2));
        assert_eq!(regression.target(2), Target::Values(&[0.3]));
        assert!(InMemory::classes(&[], &[]).is_empty());
    }
}
