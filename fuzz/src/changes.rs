//! Changes of a valid document: values replaced, removed, repeated or copied to another place.
//!
//! A mutation of the text of a document nearly always ends in its syntax. These changes keep it, so that the code behind the parser
//! is reached.

use arbitrary::Arbitrary;
use serde_json::{Map, Number, Value};

/// Strings that [`to_toml`] writes as numbers that JSON does not have.
const NON_FINITE: [(&str, f64); 3] =
    [("toml:nan", f64::NAN), ("toml:inf", f64::INFINITY), ("toml:-inf", f64::NEG_INFINITY)];
/// Largest number of values of a document after a change.
const MAX_VALUES: usize = 5_000;

/// Changes of a document, one after the other.
#[derive(Debug, Clone, Arbitrary)]
pub struct Changes(Vec<Change>);

/// A change of the value of this number, in the order of the document.
#[derive(Debug, Clone, Arbitrary)]
struct Change {
    at: u16,
    to: Replacement,
}

#[derive(Debug, Clone, Arbitrary)]
enum Replacement {
    Small(i8),
    Integer(i64),
    /// 2 to this power, plus or minus a small number.
    PowerOfTwo(u8, i8),
    Float(f64),
    NonFinite(u8),
    Text(String),
    Flag(bool),
    Null,
    EmptyList,
    EmptyObject,
    /// Removed from its list or object.
    Removed,
    /// The value of another number.
    CopyOf(u16),
    /// A list of this many copies of the value.
    Repeated(u8),
    /// Appended to the list or object that contains it, in an object under this name.
    Appended(String, u16),
}

impl Changes {
    /// The document with all changes.
    pub fn of(&self, document: &Value) -> Value {
        let mut changed = document.clone();
        for change in self.0.iter().take(32) {
            let paths = paths(&changed);
            if paths.len() > MAX_VALUES {
                break;
            }
            change.apply(&mut changed, &paths);
        }
        changed
    }
}

impl Change {
    fn apply(&self, document: &mut Value, paths: &[String]) {
        let path_of = |number: u16| paths.get(usize::from(number) % paths.len().max(1));
        let value_of = |number: u16| path_of(number).and_then(|path| document.pointer(path)).cloned();
        let Some(path) = path_of(self.at) else { return };
        let replacement = match &self.to {
            Replacement::Small(n) => Some((*n).into()),
            Replacement::Integer(n) => Some((*n).into()),
            Replacement::PowerOfTwo(exponent, n) => Some(near_power_of_two(*exponent, *n)),
            Replacement::Float(x) => Some(Number::from_f64(*x).map_or(Value::Null, Value::Number)),
            Replacement::NonFinite(n) => Some(NON_FINITE[usize::from(*n) % NON_FINITE.len()].0.into()),
            Replacement::Text(text) => Some(text.as_str().into()),
            Replacement::Flag(flag) => Some((*flag).into()),
            Replacement::Null => Some(Value::Null),
            Replacement::EmptyList => Some(Value::Array(Vec::new())),
            Replacement::EmptyObject => Some(Value::Object(Map::new())),
            Replacement::CopyOf(number) => value_of(*number),
            Replacement::Repeated(n) => {
                value_of(self.at).map(|value| Value::Array(vec![value; usize::from(*n % 16)]))
            }
            Replacement::Removed => return remove(document, path),
            Replacement::Appended(key, number) => match value_of(*number) {
                Some(value) => return append(document, path, key, value),
                None => None,
            },
        };
        if let (Some(place), Some(value)) = (document.pointer_mut(path), replacement) {
            *place = value;
        }
    }
}

fn near_power_of_two(exponent: u8, n: i8) -> Value {
    let power = 2f64.powi(i32::from(exponent % 70));
    match (exponent % 70, n) {
        (exponent @ 0..63, n) => (1i64 << exponent).saturating_add(n.into()).into(),
        (63, n) => (1u64 << 63).saturating_add_signed(n.into()).into(),
        _ => power.into(),
    }
}

/// The paths (RFC 6901) of all values below the root, in order.
fn paths(document: &Value) -> Vec<String> {
    fn visit(value: &Value, at: &str, found: &mut Vec<String>) {
        let children: Vec<(String, &Value)> = match value {
            Value::Object(fields) => {
                fields.iter().map(|(key, child)| (key.replace('~', "~0").replace('/', "~1"), child)).collect()
            }
            Value::Array(items) => {
                items.iter().enumerate().map(|(i, child)| (i.to_string(), child)).collect()
            }
            _ => Vec::new(),
        };
        for (key, child) in children {
            let path = format!("{at}/{key}");
            found.push(path.clone());
            visit(child, &path, found);
        }
    }
    let mut found = Vec::new();
    visit(document, "", &mut found);
    found
}

/// The value that contains the one at a path, and the last key of the path.
fn parent<'a>(document: &'a mut Value, path: &str) -> Option<(&'a mut Value, String)> {
    let (above, key) = path.rsplit_once('/')?;
    Some((document.pointer_mut(above)?, key.replace("~1", "/").replace("~0", "~")))
}

fn remove(document: &mut Value, path: &str) {
    match parent(document, path) {
        Some((Value::Object(fields), key)) => drop(fields.remove(&key)),
        Some((Value::Array(items), key)) => {
            if let Some(index) = key.parse().ok().filter(|index| *index < items.len()) {
                items.remove(index);
            }
        }
        _ => {}
    }
}

fn append(document: &mut Value, path: &str, key: &str, value: Value) {
    match parent(document, path) {
        Some((Value::Object(fields), _)) => drop(fields.insert(key.to_owned(), value)),
        Some((Value::Array(items), _)) => items.push(value),
        _ => {}
    }
}

/// The document as TOML: nulls are left out, and the strings of [`Replacement::NonFinite`] are numbers.
pub fn to_toml(document: &Value) -> String {
    let table = toml_value(document).unwrap_or_else(|| toml::Value::Table(toml::Table::new()));
    toml::to_string(&table).unwrap_or_default()
}

fn toml_value(value: &Value) -> Option<toml::Value> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => match number.as_i64() {
            Some(n) => n.into(),
            None => number.as_f64()?.into(),
        },
        Value::String(text) => match NON_FINITE.iter().find(|(name, _)| name == text) {
            Some((_, number)) => (*number).into(),
            None => text.as_str().into(),
        },
        Value::Array(items) => toml::Value::Array(items.iter().filter_map(toml_value).collect()),
        Value::Object(fields) => {
            let fields = fields.iter().filter_map(|(key, value)| Some((key.clone(), toml_value(value)?)));
            toml::Value::Table(fields.collect())
        }
    })
}

/// A TOML document as JSON; it must have no dates and no numbers that are not finite.
pub fn from_toml(text: &str) -> Value {
    let table: toml::Table = toml::from_str(text).expect("valid TOML");
    serde_json::to_value(table).expect("TOML that is JSON, too")
}
