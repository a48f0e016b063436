//! The columns of one feature within the rows of a feature matrix.

/// The columns of one feature, frame by frame.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    values: &'a mut [f32],
    /// Number of bins of all features together.
    stride: usize,
    first: usize,
    n_bins: usize,
}

impl<'a> Rows<'a> {
    /// The `n_bins` columns from `first` on.
    ///
    /// # Shapes
    /// - `values`: `[n_frames, stride]`
    pub fn new(values: &'a mut [f32], stride: usize, first: usize, n_bins: usize) -> Self {
        Self { values, stride, first, n_bins }
    }

    /// The rows in order of time, each `[n_bins]`.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let columns = self.first..self.first + self.n_bins;
        self.values.chunks_exact_mut(self.stride.max(1)).map(move |row| &mut row[columns.clone()])
    }

    /// Copies a matrix `[n_frames, n_bins]` into the columns.
    pub fn copy_from(&mut self, matrix: &[f32]) {
        let n_bins = self.n_bins.max(1);
        self.iter_mut()
            .zip(matrix.chunks_exact(n_bins))
            .for_each(|(row, source)| row.copy_from_slice(source));
    }

    /// Writes one number per frame, computed from row `t` of a matrix `[n_frames, width]`.
    pub fn fill_from(&mut self, matrix: &[f32], width: usize, mut measure: impl FnMut(&[f32]) -> f32) {
        self.iter_mut()
            .zip(matrix.chunks_exact(width.max(1)))
            .for_each(|(row, frame)| row[0] = measure(frame));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_columns_of_the_feature_are_written() {
        let mut values = [0.0; 6];
        Rows::new(&mut values, 3, 1, 2).copy_from(&[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(values, [0.0, 1.0, 2.0, 0.0, 3.0, 4.0]);
    }

    #[test]
    fn one_number_per_frame_is_computed_from_its_row() {
        let mut values = [0.0; 4];
        Rows::new(&mut values, 2, 1, 1).fill_from(&[1.0, 2.0, 3.0, 4.0], 2, |row| row.iter().sum());
        assert_eq!(values, [0.0, 3.0, 0.0, 7.0]);
    }
}
