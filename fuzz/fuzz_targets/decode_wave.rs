//! Decoding of WAV and its variants RF64, W64 and RIFX.
#![no_main]

cantus_fuzz::target!(512, |bytes| cantus_fuzz::decode(bytes));
