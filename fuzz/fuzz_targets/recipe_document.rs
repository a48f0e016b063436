//! Recipes: a valid one with changed values.
#![no_main]

use std::sync::LazyLock;

use cantus_fuzz::changes::{Changes, from_toml, to_toml};
use cantus_fuzz::model::RECIPE;
use cantus_fuzz::recipe::check;
use serde_json::Value;

static VALID: LazyLock<Value> = LazyLock::new(|| from_toml(RECIPE));

cantus_fuzz::target!(512, |changes: Changes| check(to_toml(&changes.of(&VALID)).as_bytes()));
