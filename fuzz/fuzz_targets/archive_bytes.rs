//! Archives: arbitrary bytes.
#![no_main]

use cantus_fuzz::archive::{check, valid};

cantus_fuzz::target!(256, seeds: vec![valid()], |bytes| check(bytes));
