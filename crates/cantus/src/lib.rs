//! Teach a computer to hear.
