//! The product c += a · b in tiles: some rows by a few vectors, whose sums stay in registers.
//!
//! A row of the tile is a sum of rows of `b`, each times a number of `a`. Neither has to be copied: a tile reads vectors of `b` and
//! single numbers of `a`. Only if the numbers of a row of `b` are not adjacent, or its rows are far apart and needed often, a block of it
//! is copied first.
//!
//! Each sum is taken in the order of the rows of `b`, from the first to the last, each term rounded once. So the sizes of tiles and blocks do
//! not change a bit of the result, and instruction sets that fuse a multiplication and an addition (AVX2, AVX-512, NEON) give the same.

#![expect(unsafe_code, reason = "raw pointers; `matmul` has checked every extent")]

use std::mem::MaybeUninit;

use super::transpose::transpose;
use super::vector::Vector;

/// A matrix in memory.
#[derive(Clone, Copy)]
pub(super) struct Strided {
    pub(super) start: *const f32,
    pub(super) row_stride: usize,
    pub(super) column_stride: usize,
}

/// Sizes of a product: rows and columns of the result, and terms of each sum.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) m: usize,
    pub(super) n: usize,
    pub(super) k: usize,
}

/// Columns of a block of `b`, at most: a row of it fills whole cache lines, and neighbouring ones.
const BLOCK_COLUMNS: usize = 64;
/// Numbers in a block: 32 KiB, which stay in the first or second level of the cache while all rows of the result are computed. In Miri so few
/// that small products have several.
const BLOCK: usize = if cfg!(miri) { 512 } else { 8192 };
/// From this distance on, rows of `b` are copied if they are needed by more than [`MANY`] tiles: every row is in another page or competes
/// for the same lines of the cache.
const FAR: usize = 256;
const MANY: usize = 8;

/// `c += a · b`; the sums start from zero unless `add`.
///
/// # Safety
/// The processor has the instructions of `V`. All elements of `a` and `b` may be read; `c`, whose rows start `c_row_stride` apart, may be
/// written and overlaps neither.
#[inline(always)]
pub(super) unsafe fn product<V: Vector>(
    Sizes { m, n, k }: Sizes,
    c: *mut f32,
    c_row_stride: usize,
    add: bool,
    a: Strided,
    b: Strided,
) {
    let widest = V::MAX_ROWS.iter().rposition(|rows| *rows > 0).map_or(1, |last| last + 1);
    let mut copy = [const { MaybeUninit::<f32>::uninit() }; BLOCK];
    for (block_column, block_width) in parts(n.div_ceil(V::N), BLOCK_COLUMNS / V::N) {
        let block_column = block_column * V::N;
        let n_columns = (n - block_column).min(block_width * V::N);
        let largest_tile = V::MAX_ROWS[block_width.min(widest) - 1];
        let copies = b.column_stride != 1 || (b.row_stride >= FAR && m > MANY * largest_tile);
        // A block that is used once need not stay in the cache.
        let depth = if m <= largest_tile && !copies { k } else { BLOCK / (block_width * V::N) };
        for start in (0..k).step_by(depth) {
            let depth = depth.min(k - start);
            // SAFETY: the block is inside `b`, since `start < k` and `block_column < n`.
            let mut block = unsafe { b.start.add(start * b.row_stride + block_column * b.column_stride) };
            let mut block_stride = b.row_stride;
            if copies {
                let to = copy.as_mut_ptr().cast::<f32>();
                block_stride = block_width * V::N;
                // SAFETY: `depth * block_stride` is at most BLOCK, and `n_columns` at most `block_stride`.
                unsafe { copy_block::<V>(b, block, to, block_stride, depth, n_columns) };
                block = to;
            }
            for (column, width) in parts(block_width, widest) {
                let column = column * V::N;
                for (row, n_rows) in parts(m, V::MAX_ROWS[width - 1]) {
                    // SAFETY: the tile is inside `c`, its rows are inside `a`, and the block has `depth` rows; so `Tile`'s conditions hold.
                    unsafe {
                        let tile = Tile {
                            depth,
                            a: Strided {
                                start: a.start.add(row * a.row_stride + start * a.column_stride),
                                ..a
                            },
                            b: block.add(column),
                            b_row_stride: block_stride,
                            c: c.add(row * c_row_stride + block_column + column),
                            c_row_stride,
                            reads: add || start > 0,
                            last: (n_columns - column).min(width * V::N) - (width - 1) * V::N,
                        };
                        tile.compute::<V>(n_rows, width);
                    }
                }
            }
        }
    }
}

/// 0..n in as few parts of at most `largest` as possible, which differ by at most one: first and length of each.
#[inline(always)]
fn parts(n: usize, largest: usize) -> impl Iterator<Item = (usize, usize)> {
    let n_parts = n.div_ceil(largest);
    let (least, more) = (n / n_parts.max(1), n % n_parts.max(1));
    (0..n_parts).map(move |i| (i * least + i.min(more), least + usize::from(i < more)))
}

/// Copies `depth` rows of `n_columns` from `from`, with the strides of `b`, to rows that start `stride` apart.
///
/// # Safety
/// The processor has the instructions of `V`. `depth` rows of `n_columns` elements may be read at `from` and written at `to`, where
/// `n_columns ≤ stride`; the two do not overlap.
#[inline(always)]
unsafe fn copy_block<V: Vector>(
    b: Strided,
    from: *const f32,
    to: *mut f32,
    stride: usize,
    depth: usize,
    n_columns: usize,
) {
    // SAFETY: every place is in one of the first `n_columns` elements of one of `depth` rows: whole vectors end before `whole`, and of the last
    // one only `n_columns - whole < V::N` elements are read and written.
    unsafe {
        if b.column_stride != 1 {
            return transpose::<V>(from, b.row_stride, b.column_stride, to, stride, depth, n_columns);
        }
        for row in 0..depth {
            let (from, to) = (from.add(row * b.row_stride), to.add(row * stride));
            let whole = n_columns / V::N * V::N;
            for at in (0..whole).step_by(V::N) {
                V::load(from.add(at)).store(to.add(at));
            }
            if whole < n_columns {
                V::load_first(n_columns - whole, from.add(whole))
                    .store_first(n_columns - whole, to.add(whole));
            }
        }
    }
}

/// Some rows and a few vectors of the result.
///
/// Its functions are sound if the processor has the instructions of `V` and if, for `n_rows` rows and a row of `(width - 1) * V::N + last`
/// columns with `1 ≤ last ≤ V::N`, `depth` elements of each row of `a` and each row of `depth` rows of `b` may be read, and each row of `c`
/// may be read and written and overlaps neither.
struct Tile {
    /// Terms of each sum.
    depth: usize,
    a: Strided,
    b: *const f32,
    b_row_stride: usize,
    c: *mut f32,
    c_row_stride: usize,
    /// Whether the sums start from what is in `c`.
    reads: bool,
    /// Columns in the last vector.
    last: usize,
}

impl Tile {
    /// The sums of `n_rows` rows and `width` vectors.
    ///
    /// # Safety
    /// As [`Tile`] says.
    #[inline(always)]
    unsafe fn compute<V: Vector>(&self, n_rows: usize, width: usize) {
        // SAFETY: as the caller guarantees; `W` is `width`, as a constant.
        unsafe {
            match width {
                1 => self.of_width::<V, 1>(n_rows),
                2 => self.of_width::<V, 2>(n_rows),
                3 if V::MAX_ROWS[2] > 0 => self.of_width::<V, 3>(n_rows),
                _ if V::MAX_ROWS[3] > 0 => self.of_width::<V, 4>(n_rows),
                _ => {}
            }
        }
    }

    /// The sums of `n_rows` rows and `W` vectors.
    ///
    /// # Safety
    /// As [`Tile`] says, for the width `W`.
    #[inline(always)]
    unsafe fn of_width<V: Vector, const W: usize>(&self, n_rows: usize) {
        // Kernels with more rows than registers hold are not compiled.
        macro_rules! of_rows {
            ($($m:literal)*) => {
                match n_rows {
                    // SAFETY: as the caller guarantees; `M` is `n_rows`, as a constant, and `PARTIAL` whether the last vector is incomplete.
                    $($m if $m <= V::MAX_ROWS[W - 1] => unsafe {
                        if self.last == V::N {
                            self.sums::<V, W, $m, false>()
                        } else {
                            self.sums::<V, W, $m, true>()
                        }
                    },)*
                    _ => {}
                }
            };
        }
        of_rows!(1 2 3 4 5 6 7 8 9 10 11 12)
    }

    /// The sums of `M` rows and `W` vectors, the last of which is incomplete if `PARTIAL`.
    ///
    /// # Safety
    /// As [`Tile`] says, for `M` rows and the width `W`; `last` is `V::N` unless `PARTIAL`.
    #[inline(always)]
    unsafe fn sums<V: Vector, const W: usize, const M: usize, const PARTIAL: bool>(&self) {
        // SAFETY: w < W, and of the vector W - 1 only `last` numbers are read: all are in the row at `from`.
        let load = |from: *const f32, w: usize| unsafe {
            let from = from.add(w * V::N);
            if PARTIAL && w + 1 == W { V::load_first(self.last, from) } else { V::load(from) }
        };
        // SAFETY: i < M and w < W, so every place is in a row that the caller guarantees; `a` and `b` advance `depth` times, and are not
        // read after the last.
        unsafe {
            let mut sums = [[V::splat(0.0); W]; M];
            if self.reads {
                for (i, row) in sums.iter_mut().enumerate() {
                    let from = self.c.add(i * self.c_row_stride);
                    row.iter_mut().enumerate().for_each(|(w, sum)| *sum = load(from, w));
                }
            }
            let (mut a, mut b) = (self.a.start, self.b);
            for _ in 0..self.depth {
                let mut row = [V::splat(0.0); W];
                row.iter_mut().enumerate().for_each(|(w, vector)| *vector = load(b, w));
                for (i, sums) in sums.iter_mut().enumerate() {
                    let factor = V::splat(*a.add(i * self.a.row_stride));
                    sums.iter_mut().zip(row).for_each(|(sum, vector)| *sum = factor.mul_add(vector, *sum));
                }
                // Of the last row, the address behind it is not in the matrix, but never used.
                a = a.wrapping_add(self.a.column_stride);
                b = b.wrapping_add(self.b_row_stride);
            }
            for (i, row) in sums.iter().enumerate() {
                let to = self.c.add(i * self.c_row_stride);
                for (w, sum) in row.iter().enumerate() {
                    let to = to.add(w * V::N);
                    if PARTIAL && w + 1 == W { sum.store_first(self.last, to) } else { sum.store(to) }
                }
            }
        }
    }
}
