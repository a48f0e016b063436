//! Sums, means, repetitions and softmax, composed of the tape's operations: a sum is a product with ones.

use super::function::Function;
use super::number::Number;
use super::tape::{Node, Tape};

impl<T: Number> Tape<T> {
    fn ones(&mut self, n: usize) -> Node {
        self.constant(vec![T::of(1.0); n])
    }

    /// The sum of each run of `len` numbers.
    pub fn sums_of_runs(&mut self, x: Node, len: usize) -> Node {
        let ones = self.ones(len);
        self.product(x, ones, len, 1)
    }

    /// The mean of each run of `len` numbers.
    pub fn means_of_runs(&mut self, x: Node, len: usize) -> Node {
        let sums = self.sums_of_runs(x, len);
        self.map(sums, Function::Scale(1.0 / len as f64))
    }

    /// Every number `n` times.
    pub fn repeat_each(&mut self, x: Node, n: usize) -> Node {
        let ones = self.ones(n);
        self.product(x, ones, 1, n)
    }

    /// The mean over rows of `width` numbers.
    pub fn mean_of_rows(&mut self, x: Node, width: usize) -> Node {
        let rows = self.value(x).len() / width;
        let ones = self.ones(rows);
        let sums = self.product(ones, x, rows, width);
        self.map(sums, Function::Scale(1.0 / rows as f64))
    }

    /// One row as often as it takes for as many numbers as `like` has.
    pub fn repeat_row(&mut self, row: Node, like: Node) -> Node {
        let width = self.value(row).len();
        let ones = self.ones(self.value(like).len() / width);
        self.product(ones, row, 1, width)
    }

    /// Adds `row` to every row of `x`.
    pub fn add_row(&mut self, x: Node, row: Node) -> Node {
        let rows = self.repeat_row(row, x);
        self.add(x, rows)
    }

    /// Multiplies every row of `x` with `row`.
    pub fn multiply_rows(&mut self, x: Node, row: Node) -> Node {
        let rows = self.repeat_row(row, x);
        self.multiply(x, rows)
    }

    /// 1 / √(x + ε)
    pub fn inverse_root(&mut self, x: Node, epsilon: f64) -> Node {
        let shifted = self.map(x, Function::Shift(epsilon));
        let root = self.map(shifted, Function::Sqrt);
        self.map(root, Function::Reciprocal)
    }

    /// x less the greatest number of its row (as a constant, of which softmax does not depend), and ln Σ exp of that.
    fn shifted(&mut self, x: Node, width: usize) -> (Node, Node) {
        let greatest = |row: &[T]| row.iter().fold(f64::NEG_INFINITY, |max, x| max.max(x.wide()));
        let rows = self.value(x).chunks_exact(width);
        let greatest = rows.flat_map(|row| vec![T::of(greatest(row)); width]).collect();
        let greatest = self.constant(greatest);
        let shifted = self.subtract(x, greatest);
        let exponentials = self.map(shifted, Function::Exp);
        let sums = self.sums_of_runs(exponentials, width);
        let logarithms = self.map(sums, Function::Ln);
        (shifted, self.repeat_each(logarithms, width))
    }

    /// ln softmax over rows of `width` numbers.
    pub fn log_softmax(&mut self, x: Node, width: usize) -> Node {
        let (shifted, logarithms) = self.shifted(x, width);
        self.subtract(shifted, logarithms)
    }

    pub fn softmax(&mut self, x: Node, width: usize) -> Node {
        let logarithms = self.log_softmax(x, width);
        self.map(logarithms, Function::Exp)
    }
}
