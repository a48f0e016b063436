//! Examples that go through the layers at once in inference: the network's, and a branch's of an average.
//!
//! One rule for both, so that a network has the same outputs, to the bit, alone and as a branch.

/// Examples per task of a thread. Constant, so that results do not depend on the number of threads.
pub(crate) const BLOCK: usize = 32;
/// Outputs of a layer that fit into the second-level cache together with its inputs.
const CACHED: usize = 65_536;

/// Number of examples, at most [`BLOCK`], whose largest layer output fits into the cache; a whole block if a layer is efficient only
/// with many examples.
pub(crate) fn rows(largest_output: usize, prefers_many_rows: bool) -> usize {
    if prefers_many_rows { BLOCK } else { (CACHED / largest_output.max(1)).clamp(1, BLOCK) }
}
