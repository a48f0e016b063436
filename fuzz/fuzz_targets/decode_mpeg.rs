//! Decoding of MPEG streams: MP1, MP2, MP3.
#![no_main]

cantus_fuzz::target!(512, |bytes| cantus_fuzz::decode(bytes));
