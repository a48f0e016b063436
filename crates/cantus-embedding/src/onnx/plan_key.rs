//! What a plan of a graph depends on, and whether the graph has that input and output.

use cantus_audio::feature::{EmbeddingDescription, InputAxis};
use tract_onnx::prelude::TypedFact;

use crate::error::Error;
use crate::graph_value::GraphValue;

/// What a plan depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlanKey {
    pub(crate) input: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) per_run: usize,
    pub(crate) output: String,
    pub(crate) size: usize,
}

impl PlanKey {
    pub(crate) fn new(description: &EmbeddingDescription) -> Self {
        Self {
            input: description.input.name.clone(),
            shape: description.input_shape(),
            per_run: if has_patches(description) { description.patch.per_run } else { 1 },
            output: description.output.name.clone(),
            size: description.output.size,
        }
    }

    /// Checks that the graph has the input, and that it accepts its shape.
    ///
    /// # Errors
    /// [`Error::UnknownInput`], [`Error::InputShape`].
    pub(crate) fn check_input(&self, inputs: &[GraphValue]) -> Result<(), Error> {
        let input =
            inputs.iter().find(|input| input.name == self.input).ok_or_else(|| Error::UnknownInput {
                name: self.input.clone(),
                inputs: inputs.iter().map(ToString::to_string).collect(),
            })?;
        if input.accepts(&self.shape) {
            return Ok(());
        }
        let (described, found) = (format!("{:?}", self.shape), input.shape_text());
        Err(Error::InputShape { input: self.input.clone(), described, found })
    }

    /// Checks that the output is `[per_run, …, size]`, rows of `size`; axes of one element behind them are left out.
    ///
    /// Returns the number of values.
    ///
    /// # Errors
    /// [`Error::OutputShape`].
    pub(crate) fn check_output(&self, fact: &TypedFact) -> Result<usize, Error> {
        let PlanKey { per_run, size, .. } = *self;
        let shape = fact.shape.as_concrete();
        let is_valid = |shape: &&[usize]| {
            let mut rows = *shape;
            while let [rest @ .., 1] = rows
                && size > 1
            {
                rows = rest;
            }
            let n_values: usize = shape.iter().product();
            fact.datum_type.is_float()
                && rows.last() == Some(&size)
                && (per_run == 1 || rows.len() > 1 && rows.first().is_some_and(|first| first % per_run == 0))
                && n_values > 0
                && n_values.is_multiple_of(per_run * size)
        };
        shape.filter(is_valid).map(|shape| shape.iter().product()).ok_or_else(|| {
            let found = shape.map_or_else(|| format!("{:?}", fact.shape), |shape| format!("{shape:?}"));
            let found =
                if fact.datum_type.is_float() { found } else { format!("{found} of {:?}", fact.datum_type) };
            Error::OutputShape {
                output: self.output.clone(),
                described: format!("[{per_run}, …, {size}]"),
                found,
            }
        })
    }
}

fn has_patches(description: &EmbeddingDescription) -> bool {
    description.input.shape.contains(&InputAxis::Patch)
}
#[cfg(test)]
mod tests {
    use tract_onnx::prelude::DatumExt;

    use super::*;
    use crate::testing::graphs::{DENSE, description};

    fn check(size: usize, per_run: usize, fact: TypedFact) -> Result<usize, String> {
        let mut described = description(DENSE);
        (described.output.size, described.patch.per_run) = (size, per_run);
        PlanKey::new(&described).check_output(&fact).map_err(|error| error.to_string())
    }

    #[test]
    fn time_steps_are_rows_and_trailing_axes_of_one_are_left_out() {
        let checked = |size: usize, per_run: usize, shape: &[usize]| check(size, per_run, f32::fact(shape));
        assert_eq!(checked(2, 3, &[3, 2]), Ok(6));
        assert_eq!(checked(2, 3, &[3, 7, 2]), Ok(42));
        assert_eq!(checked(2, 3, &[21, 2]), Ok(42));
        assert_eq!(checked(2, 3, &[3, 2, 1, 1]), Ok(6));
        assert_eq!(checked(1, 3, &[3, 7, 1]), Ok(21));
        assert_eq!(checked(2, 1, &[2]), Ok(2));
        for (size, per_run, shape) in
            [(6, 3, &[6][..]), (3, 3, &[2, 3]), (2, 3, &[7, 3, 2]), (2, 1, &[0, 2]), (2, 1, &[])]
        {
            let error = checked(size, per_run, shape).unwrap_err();
            assert!(error.ends_with(&format!("the model {shape:?}")), "{error}");
        }
    }

    #[test]
    fn an_output_of_integers_is_refused() {
        let error = check(2, 1, i64::fact([1, 2])).unwrap_err();
        assert_eq!(error, "the description gives output \"y\" the shape [1, …, 2], the model [1, 2] of I64");
    }
}
