//! The commands on real music, where it is there.
