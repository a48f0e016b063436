//! Serialisation of `top_db` as a number or `"none"`: TOML has no null, and an absent field means the default.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "top_db is a number of decibels, or \"none\"")]
enum TopDb {
    Decibels(f32),
    Never(Never),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Never {
    None,
}

pub fn serialize<S: Serializer>(top_db: &Option<f32>, serializer: S) -> Result<S::Ok, S::Error> {
    top_db.map_or(TopDb::Never(Never::None), TopDb::Decibels).serialize(serializer)
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f32>, D::Error> {
    Ok(match TopDb::deserialize(deserializer)? {
        TopDb::Decibels(top_db) => Some(top_db),
        TopDb::Never(Never::None) => None,
    })
}
