//! Decoding of Matroska and WebM.
#![no_main]

cantus_fuzz::target!(512, |bytes| cantus_fuzz::decode(bytes));
