//! Where training data come from.

/// Examples to learn from or to be judged by.
///
/// A fit asks for inputs from several threads at once and in any order. [`InMemory`] serves slices; a store
/// on disk can implement this trait too, and augment its inputs anew in every epoch.
pub trait Examples: Sync {
    /// How many examples there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many numbers one input has: the product of the network's input shape.
    fn input_len(&self) -> usize;

    /// Writes the input of example `index`.
    ///
    /// What is written may depend on `epoch` (counted from 0), so that data can be augmented; for the sake of
    /// repeatable training it must depend on nothing else.
    fn write_input(&self, index: usize, epoch: usize, input: &mut [f32]);

    /// What the network should answer to example `index`.
    fn target(&self, index: usize) -> Target<'_>;

    /// What the network should answer to the input that [`Self::write_input`] writes in this epoch; another than
    /// [`Self::target`] where examples are mixed or drawn anew.
    fn training_target(&self, index: usize, _epoch: usize) -> Target<'_> {
        self.target(index)
    }

    /// How many views of each example are judged, at least 1: a network that hears only a part of an example at once is
    /// validated and evaluated by the mean of its answers to all of them.
    fn n_views(&self) -> usize {
        1
    }

    /// Writes one view of example `index`, to be judged and not learnt from; nothing here is left to chance.
    fn write_view(&self, index: usize, _view: usize, input: &mut [f32]) {
        self.write_input(index, 0, input);
    }

    /// How much example `index` counts in the loss; 1 unless said otherwise.
    fn weight(&self, _index: usize) -> f32 {
        1.0
    }
}

/// What a network should answer to one example.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target<'a> {
    /// The index of the one class it belongs to.
    Class(usize),
    /// A mixture of two classes: the first counts `share` in [0, 1], the second the rest (mixup, Zhang et al. 2018).
    Mixed(usize, usize, f32),
    /// The value of every output: a regression's, several labels', a distribution's.
    Values(&'a [f32]),
    /// A mixture of two such answers: the first counts `share` in [0, 1], the second the rest.
    MixedValues(&'a [f32], &'a [f32], f32),
}

/// Examples that lie in slices.
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
    pub fn classes(inputs: &'a [f32], classes: &'a [usize]) -> Self {
        let input_len = inputs.len().checked_div(classes.len()).unwrap_or(0);
        Self { inputs, input_len, targets: Targets::Classes(classes), weights: None }
    }

    /// Examples with `width` target values each.
    ///
    /// # Shapes
    /// - `inputs`: `[n, ...]`
    /// - `values`: `[n, width]`
    pub fn values(inputs: &'a [f32], values: &'a [f32], width: usize) -> Self {
        let n = values.len().checked_div(width).unwrap_or(0);
        let input_len = inputs.len().checked_div(n).unwrap_or(0);
        Self { inputs, input_len, targets: Targets::Values { values, width }, weights: None }
    }

    /// The same examples, of which the i-th counts `weights[i]` in the loss; where `weights` ends, the rest
    /// count 1.
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
