//! Decoding of AAC in ADTS.
#![no_main]

cantus_fuzz::target!(512, |bytes| cantus_fuzz::decode(bytes));
