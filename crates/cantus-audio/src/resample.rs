//! The whole signal in, the whole signal out at another rate.
