//! Recipes: arbitrary text.
#![no_main]

use cantus_fuzz::recipe::check;

cantus_fuzz::target!(512, |bytes| check(bytes));
