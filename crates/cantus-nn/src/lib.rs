//! Neural networks from scratch.
