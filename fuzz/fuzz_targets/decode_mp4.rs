//! Decoding of MP4 with AAC and ALAC.
#![no_main]

cantus_fuzz::target!(512, |bytes| cantus_fuzz::decode(bytes));
