//! Windows, Fourier transforms and decibels.
