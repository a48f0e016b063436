//! The sixteen classifiers of Chromaprint's algorithm 2: differences of areas of a chroma image, quantised to two bits each.
//!
//! # Reference
//! L. Lalinský, "How does Chromaprint work?" (2011), with the parameters of its `kClassifiersTest2`, trained by asymmetric
//! pairwise boosting as in Y. Ke, D. Hoiem, R. Sukthankar, "Computer Vision for Music Identification", CVPR 2005.

use std::sync::LazyLock;

use super::chroma::N_CLASSES;

/// Rows of the image that a number describes: the width of the widest classifier.
pub(super) const N_ROWS: usize = 16;

/// Which two areas a classifier compares.
#[derive(Debug, Clone, Copy)]
enum Areas {
    /// The area of all, with nothing.
    All,
    /// Upper with lower pitch classes.
    Pitch,
    /// Later with earlier rows.
    Time,
    /// Both diagonals of quarters.
    Diagonal,
    /// The middle third of the pitch classes with the outer ones.
    MiddlePitch,
    /// The middle third of the rows with the outer ones.
    MiddleTime,
}

/// Areas, first pitch class, number of pitch classes, number of rows, and the limits between its four values: the difference
/// of the logarithms of 1 + area.
type Classifier = (Areas, usize, usize, usize, [f64; 3]);

#[rustfmt::skip]
const CLASSIFIERS: [Classifier; 16] = [
    (Areas::All, 4, 3, 15, [1.98215, 2.35817, 2.63523]),
    (Areas::MiddlePitch, 4, 6, 15, [-1.03809, -0.651211, -0.282167]),
    (Areas::Pitch, 0, 4, 16, [-0.298702, 0.119262, 0.558497]),
    (Areas::Diagonal, 8, 2, 12, [-0.105439, 0.0153946, 0.135898]),
    (Areas::Diagonal, 4, 4, 8, [-0.142891, 0.0258736, 0.200632]),
    (Areas::MiddlePitch, 0, 3, 5, [-0.826319, -0.590612, -0.368214]),
    (Areas::Pitch, 2, 2, 9, [-0.557409, -0.233035, 0.0534525]),
    (Areas::Time, 7, 3, 4, [-0.0646826, 0.00620476, 0.0784847]),
    (Areas::Time, 6, 2, 16, [-0.192387, -0.029699, 0.215855]),
    (Areas::Time, 1, 3, 2, [-0.0397818, -0.00568076, 0.0292026]),
    (Areas::MiddleTime, 10, 1, 15, [-0.53823, -0.369934, -0.190235]),
    (Areas::Diagonal, 6, 2, 10, [-0.124877, 0.0296483, 0.139239]),
    (Areas::Time, 1, 1, 14, [-0.101475, 0.0225617, 0.231971]),
    (Areas::Diagonal, 5, 6, 4, [-0.0799915, -0.00729616, 0.063262]),
    (Areas::Pitch, 9, 2, 12, [-0.272556, 0.019424, 0.302559]),
    (Areas::Diagonal, 4, 2, 14, [-0.164292, -0.0321188, 0.0846339]),
];

/// Exponentials of the limits: areas are compared without a logarithm.
static LIMITS: LazyLock<[[f64; 3]; 16]> =
    LazyLock::new(|| CLASSIFIERS.map(|classifier| classifier.4.map(f64::exp)));

/// The last rows of the chroma image, as sums over all earlier rows and lower pitch classes.
pub(super) struct ChromaImage {
    /// Ring of sums; entry `row % (N_ROWS + 1)` is that of the rows before `row`.
    sums: [[f64; N_CLASSES + 1]; N_ROWS + 1],
    n_rows: usize,
}

impl ChromaImage {
    pub(super) fn new() -> Self {
        Self { sums: [[0.0; N_CLASSES + 1]; N_ROWS + 1], n_rows: 0 }
    }

    /// Adds a row; returns the number that describes the last ones, and `None` while there are too few.
    pub(super) fn push(&mut self, row: &[f64; N_CLASSES]) -> Option<u32> {
        let mut next = self.sums[self.n_rows % (N_ROWS + 1)];
        let mut sum = 0.0;
        for (next, energy) in next[1..].iter_mut().zip(row) {
            sum += energy;
            *next += sum;
        }
        self.n_rows += 1;
        self.sums[self.n_rows % (N_ROWS + 1)] = next;
        (self.n_rows >= N_ROWS).then(|| self.number())
    }

    fn number(&self) -> u32 {
        CLASSIFIERS.iter().zip(&*LIMITS).fold(0, |bits, (classifier, limits)| {
            let (a, b) = self.areas(classifier);
            let value = limits.iter().filter(|limit| 1.0 + a >= *limit * (1.0 + b)).count();
            // Gray code: neighbouring values differ in one bit.
            bits << 2 | [0, 1, 3, 2][value]
        })
    }

    /// The two areas that a classifier compares.
    fn areas(&self, &(areas, low, height, width, _): &Classifier) -> (f64, f64) {
        let high = low + height;
        let area = |from: usize, to: usize, low: usize, high: usize| self.area(from, to, low, high);
        match areas {
            Areas::All => (area(0, width, low, high), 0.0),
            Areas::Pitch => {
                let middle = low + height / 2;
                (area(0, width, middle, high), area(0, width, low, middle))
            }
            Areas::Time => (area(width / 2, width, low, high), area(0, width / 2, low, high)),
            Areas::Diagonal => {
                let (half, middle) = (width / 2, low + height / 2);
                (
                    area(0, half, middle, high) + area(half, width, low, middle),
                    area(0, half, low, middle) + area(half, width, middle, high),
                )
            }
            Areas::MiddlePitch => {
                let third = height / 3;
                let (first, second) = (low + third, low + 2 * third);
                (area(0, width, first, second), area(0, width, low, first) + area(0, width, second, high))
            }
            Areas::MiddleTime => {
                let (first, second) = (width / 3, 2 * (width / 3));
                (area(first, second, low, high), area(0, first, low, high) + area(second, width, low, high))
            }
        }
    }

    /// Sum over rows and pitch classes; rows are counted from the first of the last [`N_ROWS`].
    fn area(&self, from: usize, to: usize, low: usize, high: usize) -> f64 {
        let sums = |row: usize| &self.sums[(self.n_rows - N_ROWS + row) % (N_ROWS + 1)];
        let (before, after) = (sums(from), sums(to));
        (after[high] - after[low]) - (before[high] - before[low])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition: sums of the image, and the difference of their logarithms.
    fn value(image: &[[f64; N_CLASSES]], (areas, low, height, width, limits): Classifier) -> usize {
        let (mut a, mut b) = (0.0, 0.0);
        for (row, energies) in image.iter().enumerate().take(width) {
            for (class, energy) in energies.iter().enumerate().skip(low).take(height) {
                let (is_upper, is_later) = (class - low >= height / 2, row >= width / 2);
                let is_in_a = match areas {
                    Areas::All => true,
                    Areas::Pitch => is_upper,
                    Areas::Time => is_later,
                    Areas::Diagonal => is_upper != is_later,
                    Areas::MiddlePitch => (class - low) / (height / 3) == 1,
                    Areas::MiddleTime => row / (width / 3) == 1,
                };
                *(if is_in_a { &mut a } else { &mut b }) += energy;
            }
        }
        let difference = f64::ln((1.0 + a) / (1.0 + b));
        limits.iter().filter(|limit| difference >= **limit).count()
    }

    #[test]
    fn numbers_equal_the_definition_of_the_classifiers() {
        let energy =
            |row: u64, class: u64| ((row * row * 31 + class * row * 7 + class * 13) % 101) as f64 / 101.0;
        let image: Vec<[f64; N_CLASSES]> =
            (0..200).map(|row| std::array::from_fn(|class| energy(row, class as u64) / 2.0)).collect();
        let mut found = ChromaImage::new();
        let numbers: Vec<u32> = image.iter().filter_map(|row| found.push(row)).collect();
        assert_eq!(numbers.len(), image.len() - N_ROWS + 1);
        for (rows, number) in image.windows(N_ROWS).zip(&numbers) {
            for (i, classifier) in CLASSIFIERS.into_iter().enumerate() {
                let gray = (number >> (2 * (15 - i))) & 3;
                assert_eq!([0, 1, 3, 2][gray as usize], value(rows, classifier), "classifier {i}");
            }
        }
        assert!(numbers.iter().collect::<std::collections::HashSet<_>>().len() > 100);
    }
}
