//! Serialised form of a loss: its name, or a table with its name and settings.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Loss;

/// The names of losses.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Name {
    MeanSquaredError,
    SparseCategoricalCrossentropy,
    CategoricalCrossentropy,
    BinaryCrossentropy,
}

/// A loss as a table.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    r#type: Name,
    label_smoothing: Option<f32>,
}

impl Table {
    fn loss<E: de::Error>(self) -> Result<Loss, E> {
        let label_smoothing = self.label_smoothing.unwrap_or(0.0);
        match self.r#type {
            Name::CategoricalCrossentropy => Ok(Loss::CategoricalCrossentropy { label_smoothing }),
            Name::BinaryCrossentropy => Ok(Loss::BinaryCrossentropy { label_smoothing }),
            _ if self.label_smoothing.is_some() => {
                Err(E::custom("label_smoothing is for categorical_crossentropy and binary_crossentropy"))
            }
            Name::MeanSquaredError => Ok(Loss::MeanSquaredError),
            Name::SparseCategoricalCrossentropy => Ok(Loss::SparseCategoricalCrossentropy),
        }
    }
}

impl Serialize for Loss {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (name, label_smoothing) = match *self {
            Self::MeanSquaredError => (Name::MeanSquaredError, 0.0),
            Self::SparseCategoricalCrossentropy => (Name::SparseCategoricalCrossentropy, 0.0),
            Self::CategoricalCrossentropy { label_smoothing } => {
                (Name::CategoricalCrossentropy, label_smoothing)
            }
            Self::BinaryCrossentropy { label_smoothing } => (Name::BinaryCrossentropy, label_smoothing),
        };
        if label_smoothing == 0.0 {
            return name.serialize(serializer);
        }
        Table { r#type: name, label_smoothing: Some(label_smoothing) }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Loss {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrTable)
    }
}

struct NameOrTable;

impl<'de> Visitor<'de> for NameOrTable {
    type Value = Loss;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a loss, or a table with its type and settings")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Loss, E> {
        Table { r#type: Name::deserialize(name.into_deserializer())?, label_smoothing: None }.loss()
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Loss, A::Error> {
        Table::deserialize(MapAccessDeserializer::new(table))?.loss()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Settings {
        loss: Loss,
    }

    #[test]
    fn a_loss_is_written_as_its_name_or_as_a_table() {
        for (text, loss) in [
            ("\"mean_squared_error\"", Loss::MeanSquaredError),
            ("\"categorical_crossentropy\"", Loss::CategoricalCrossentropy { label_smoothing: 0.0 }),
            (
                "{ type = \"categorical_crossentropy\", label_smoothing = 0.1 }",
                Loss::CategoricalCrossentropy { label_smoothing: 0.1 },
            ),
            ("{ type = \"sparse_categorical_crossentropy\" }", Loss::SparseCategoricalCrossentropy),
        ] {
            let settings: Settings = toml::from_str(&format!("loss = {text}")).unwrap();
            assert_eq!(settings, Settings { loss });
            assert_eq!(toml::from_str::<Settings>(&toml::to_string(&settings).unwrap()).unwrap(), settings);
        }
        for (text, problem) in [
            ("\"hinge\"", "unknown variant `hinge`, expected one of `mean_squared_error`"),
            ("{ type = \"mean_squared_error\", label_smoothing = 0.1 }", "label_smoothing is for"),
            ("{ type = \"categorical_crossentropy\", smoothing = 0.1 }", "unknown field `smoothing`"),
            ("3", "the name of a loss"),
        ] {
            let error = toml::from_str::<Settings>(&format!("loss = {text}")).unwrap_err();
            assert!(error.to_string().contains(problem), "{error}");
        }
    }
}
