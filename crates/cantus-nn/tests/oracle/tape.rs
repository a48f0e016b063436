//! Reverse-mode automatic differentiation over nine operations on arrays of numbers, in plain loops.
//!
//! Every operation appends a node with its value; nothing is ever overwritten. [`Tape::gradients`] goes through the
//! nodes from the last to the first and propagates each node's ∂E/∂y to the nodes that it was computed from. What a
//! layer computes is composed of these operations, so that no layer needs a backward pass of its own.

use super::convolution::Convolution;
use super::function::Function;
use super::number::Number;
use super::random::Random;

/// The place of a value on the tape.
pub type Node = usize;

/// In [`Tape::gather`], the place of a number that is not there.
pub const NOWHERE: usize = usize::MAX;

enum Operation<T> {
    /// Constant or weight.
    Leaf,
    /// `a [m, k]` · `b [k, n]`
    Product {
        a: Node,
        b: Node,
        k: usize,
        n: usize,
    },
    Convolution {
        x: Node,
        kernel: Node,
        convolution: Convolution,
    },
    Add {
        a: Node,
        b: Node,
    },
    Subtract {
        a: Node,
        b: Node,
    },
    Multiply {
        a: Node,
        b: Node,
    },
    Map {
        a: Node,
        function: Function,
    },
    /// y[i] = a[places[i]]
    Gather {
        a: Node,
        places: Vec<usize>,
    },
    /// All numbers of the parts, one part after another.
    Concat {
        parts: Vec<Node>,
    },
    /// The greatest of each run of numbers, and where it was.
    Maximum {
        a: Node,
        argmax: Vec<usize>,
    },
    #[expect(dead_code, reason = "binds the type of numbers")]
    Never(T),
}

/// All values of one forward pass.
#[derive(Default)]
pub struct Tape<T> {
    values: Vec<Vec<T>>,
    operations: Vec<Operation<T>>,
    /// Whether a node depends on a weight, so that it has a gradient.
    varies: Vec<bool>,
    nearest_kink: Option<f64>,
    /// If there is one, functions are wrong by as much as [`Function::slack`] says, up or down at random.
    pub perturbation: Option<Random>,
}

impl<T: Number> Tape<T> {
    pub fn value(&self, node: Node) -> &[T] {
        &self.values[node]
    }

    /// How near an argument came to a place where a derivative jumps, relative to the greatest argument of the same
    /// operation; infinite if there is no such place. An argument exactly at the place does not count: that is how
    /// zeros of a mask or of another ReLU arrive, and they are exact in every arithmetic.
    pub fn nearest_kink(&self) -> f64 {
        self.nearest_kink.unwrap_or(f64::INFINITY)
    }

    /// A number that an array of size `scale` has near a kink.
    fn note_kink(&mut self, apart: f64, scale: f64) {
        if apart > 0.0 && apart / scale < self.nearest_kink() {
            self.nearest_kink = Some(apart / scale);
        }
    }

    fn push(&mut self, value: Vec<T>, operation: Operation<T>, varies: bool) -> Node {
        self.values.push(value);
        self.operations.push(operation);
        self.varies.push(varies);
        self.values.len() - 1
    }

    pub fn constant(&mut self, values: Vec<T>) -> Node {
        self.push(values, Operation::Leaf, false)
    }

    /// A leaf whose gradient is wanted.
    pub fn weight(&mut self, values: Vec<T>) -> Node {
        self.push(values, Operation::Leaf, true)
    }

    /// `a [m, k]` · `b [k, n]`, `[m, n]`
    pub fn product(&mut self, a: Node, b: Node, k: usize, n: usize) -> Node {
        let (x, w) = (&self.values[a], &self.values[b]);
        assert!(x.len().is_multiple_of(k) && w.len() == k * n, "sizes of a product");
        let mut y = vec![T::default(); x.len() / k * n];
        for (x, y) in x.chunks_exact(k).zip(y.chunks_exact_mut(n)) {
            for (&x, w) in x.iter().zip(w.chunks_exact(n)) {
                y.iter_mut().zip(w).for_each(|(y, &w)| *y += x * w);
            }
        }
        self.push(y, Operation::Product { a, b, k, n }, self.varies[a] || self.varies[b])
    }

    /// Convolves images `x` with `kernel`.
    pub fn convolve(&mut self, x: Node, kernel: Node, convolution: Convolution) -> Node {
        let y = convolution.forward(&self.values[x], &self.values[kernel]);
        let varies = self.varies[x] || self.varies[kernel];
        self.push(y, Operation::Convolution { x, kernel, convolution }, varies)
    }

    fn pairwise(&self, a: Node, b: Node, of: impl Fn(T, T) -> T) -> Vec<T> {
        assert_eq!(self.values[a].len(), self.values[b].len(), "lengths of two operands");
        self.values[a].iter().zip(&self.values[b]).map(|(&a, &b)| of(a, b)).collect()
    }

    pub fn add(&mut self, a: Node, b: Node) -> Node {
        let y = self.pairwise(a, b, |a, b| a + b);
        self.push(y, Operation::Add { a, b }, self.varies[a] || self.varies[b])
    }

    pub fn subtract(&mut self, a: Node, b: Node) -> Node {
        let y = self.pairwise(a, b, |a, b| a - b);
        self.push(y, Operation::Subtract { a, b }, self.varies[a] || self.varies[b])
    }

    pub fn multiply(&mut self, a: Node, b: Node) -> Node {
        let y = self.pairwise(a, b, |a, b| a * b);
        self.push(y, Operation::Multiply { a, b }, self.varies[a] || self.varies[b])
    }

    pub fn map(&mut self, a: Node, function: Function) -> Node {
        if function.has_kink_at_zero() {
            let sizes = || self.values[a].iter().map(|x| x.wide().abs());
            let (scale, nearest) =
                (sizes().fold(0.0, f64::max), sizes().filter(|&x| x > 0.0).fold(f64::INFINITY, f64::min));
            self.note_kink(nearest, scale);
        }
        let slack = function.slack();
        let mut y: Vec<T> = self.values[a].iter().map(|x| T::of(function.value(x.wide()))).collect();
        if let Some(random) = self.perturbation.as_mut().filter(|_| slack > 0.0) {
            y.iter_mut().for_each(|y| *y = T::of(y.wide() * (1.0 + random.pick(&[-slack, 0.0, slack]))));
        }
        self.push(y, Operation::Map { a, function }, self.varies[a])
    }

    /// `n` numbers of `a`: number i from place `place(i)`, or `missing` where that is [`NOWHERE`].
    pub fn gather(&mut self, a: Node, n: usize, missing: f64, place: impl Fn(usize) -> usize) -> Node {
        let places: Vec<usize> = (0..n).map(place).collect();
        let from = &self.values[a];
        let y = places.iter().map(|&at| if at == NOWHERE { T::of(missing) } else { from[at] }).collect();
        self.push(y, Operation::Gather { a, places }, self.varies[a])
    }

    pub fn concat(&mut self, parts: &[Node]) -> Node {
        let y = parts.iter().flat_map(|&part| self.values[part].iter().copied()).collect();
        let varies = parts.iter().any(|&part| self.varies[part]);
        self.push(y, Operation::Concat { parts: parts.to_vec() }, varies)
    }

    /// The greatest of each run of `len` numbers; of equals the first has the gradient.
    pub fn maximum(&mut self, a: Node, len: usize) -> Node {
        let mut argmax = Vec::new();
        let (mut scale, mut nearest) = (0.0_f64, f64::INFINITY);
        for (run, values) in self.values[a].chunks_exact(len).enumerate() {
            let best = (1..len).fold(0, |best, i| if values[i] > values[best] { i } else { best });
            argmax.push(run * len + best);
            scale = scale.max(values[best].wide().abs());
            for value in values {
                let apart = values[best].wide() - value.wide();
                nearest = if apart > 0.0 { nearest.min(apart) } else { nearest };
            }
        }
        self.note_kink(nearest, scale);
        let y = argmax.iter().map(|&at| self.values[a][at]).collect();
        self.push(y, Operation::Maximum { a, argmax }, self.varies[a])
    }

    /// ∂(number 0 of `root`)/∂(every node); `None` for nodes that it does not depend on.
    pub fn gradients(&self, root: Node) -> Vec<Option<Vec<T>>> {
        let mut gradients: Vec<Option<Vec<T>>> = self.values.iter().map(|_| None).collect();
        gradients[root] = Some(vec![T::of(1.0)]);
        for node in (0..=root).rev() {
            let Some(dy) = gradients[node].take() else { continue };
            self.propagate(node, &dy, &mut gradients);
            gradients[node] = Some(dy);
        }
        gradients
    }

    /// Adds the gradient of the nodes that `node` was computed from, given its own, `dy`.
    fn propagate(&self, node: Node, dy: &[T], gradients: &mut [Option<Vec<T>>]) {
        let mut add = |to: Node, each: &dyn Fn(&mut [T])| {
            if self.varies[to] {
                let len = self.values[to].len();
                each(gradients[to].get_or_insert_with(|| vec![T::default(); len]));
            }
        };
        match &self.operations[node] {
            Operation::Leaf | Operation::Never(_) => {}
            &Operation::Product { a, b, k, n } => {
                add(a, &|da| product_left(dy, &self.values[b], da, k, n));
                add(b, &|db| product_right(dy, &self.values[a], db, k, n));
            }
            Operation::Convolution { x, kernel, convolution } => {
                add(*x, &|dx| convolution.add_image_gradient(dy, &self.values[*kernel], dx));
                add(*kernel, &|dk| convolution.add_kernel_gradient(dy, &self.values[*x], dk));
            }
            &Operation::Add { a, b } => {
                add(a, &|da| da.iter_mut().zip(dy).for_each(|(d, &dy)| *d += dy));
                add(b, &|db| db.iter_mut().zip(dy).for_each(|(d, &dy)| *d += dy));
            }
            &Operation::Subtract { a, b } => {
                add(a, &|da| da.iter_mut().zip(dy).for_each(|(d, &dy)| *d += dy));
                add(b, &|db| db.iter_mut().zip(dy).for_each(|(d, &dy)| *d += -dy));
            }
            &Operation::Multiply { a, b } => {
                let with = |d: &mut [T], other: Node| {
                    d.iter_mut().zip(dy).zip(&self.values[other]).for_each(|((d, &dy), &x)| *d += dy * x);
                };
                add(a, &|da| with(da, b));
                add(b, &|db| with(db, a));
            }
            &Operation::Map { a, function } => add(a, &|da| {
                let both = self.values[a].iter().zip(&self.values[node]);
                let slopes = both.map(|(x, y)| T::of(function.slope(x.wide(), y.wide())));
                da.iter_mut().zip(dy).zip(slopes).for_each(|((d, &dy), slope)| *d += dy * slope);
            }),
            Operation::Gather { a, places } => add(*a, &|da| {
                places.iter().zip(dy).filter(|(at, _)| **at != NOWHERE).for_each(|(&at, &dy)| da[at] += dy);
            }),
            Operation::Concat { parts } => {
                let mut start = 0;
                for &part in parts {
                    let own = &dy[start..start + self.values[part].len()];
                    add(part, &|d| d.iter_mut().zip(own).for_each(|(d, &dy)| *d += dy));
                    start += own.len();
                }
            }
            Operation::Maximum { a, argmax } => {
                add(*a, &|da| argmax.iter().zip(dy).for_each(|(&at, &dy)| da[at] += dy));
            }
        }
    }
}

/// ∂E/∂a [m, k] of y = a b.
fn product_left<T: Number>(dy: &[T], b: &[T], da: &mut [T], k: usize, n: usize) {
    for (da, dy) in da.chunks_exact_mut(k).zip(dy.chunks_exact(n)) {
        for (da, b) in da.iter_mut().zip(b.chunks_exact(n)) {
            *da += dot(dy, b);
        }
    }
}

/// ∂E/∂b [k, n] of y = a b.
fn product_right<T: Number>(dy: &[T], a: &[T], db: &mut [T], k: usize, n: usize) {
    for (a, dy) in a.chunks_exact(k).zip(dy.chunks_exact(n)) {
        for (&a, db) in a.iter().zip(db.chunks_exact_mut(n)) {
            db.iter_mut().zip(dy).for_each(|(db, &dy)| *db += a * dy);
        }
    }
}

/// Σ a b, as eight sums side by side: one alone would wait for each addition before the next.
pub fn dot<T: Number>(a: &[T], b: &[T]) -> T {
    let mut sums = [T::default(); 8];
    for (a, b) in a.chunks(8).zip(b.chunks(8)) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (&a, &b))| *sum += a * b);
    }
    sums.into_iter().fold(T::default(), |total, sum| total + sum)
}
