//! Teach a computer to hear.

pub mod plot;
pub mod report;
