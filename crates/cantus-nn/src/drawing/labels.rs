//! Labels of layers in a drawing.
//!
//! They are derived from the layer's serialised description, so that a layer with common settings needs no code of its own.

use serde_json::Value;

use crate::layer::LayerSpec;

/// A layer's settings as a short text, such as `32 filters of 3 × 3, relu`; empty if there are none to show.
pub(super) fn settings(spec: &LayerSpec) -> String {
    serde_json::to_value(spec).map_or_else(|_| String::new(), |value| of(&value))
}

/// The activation of a layer, unless it is linear.
pub(super) fn activation(spec: &LayerSpec) -> Option<String> {
    let value = serde_json::to_value(spec).ok()?;
    value["activation"].as_str().filter(|name| *name != "linear").map(str::to_owned)
}

fn of(layer: &Value) -> String {
    let mut parts = Vec::new();
    let count = ["units", "filters"].iter().find_map(|key| Some(format!("{} {key}", layer[*key].as_u64()?)));
    let size = ["kernel_size", "pool_size"].iter().find_map(|key| sizes(&layer[*key]));
    parts.extend(match (count, size) {
        (Some(count), Some(size)) => Some(format!("{count} of {size}")),
        (count, size) => count.or(size),
    });
    parts.extend(
        sizes(&layer["strides"]).filter(|size| size != "1 × 1").map(|size| format!("strides {size}")),
    );
    parts.extend(word(&layer["padding"]).filter(|padding| padding != "valid"));
    parts.extend(word(&layer["activation"]).filter(|activation| activation != "linear"));
    parts.extend(["rate", "stddev"].iter().find_map(|key| number(&layer[*key])));
    if layer["return_sequences"] == Value::Bool(true) {
        parts.push("every step".to_owned());
    }
    for (key, name) in [("l1", "L1"), ("l2", "L2")] {
        let weight = number(&layer["kernel_regularizer"][key]).filter(|weight| weight != "0");
        parts.extend(weight.map(|weight| format!("{name} {weight}")));
    }
    if let Some(scales) = layer["time_scales"].as_array() {
        parts.push(format!("τ = {}", scales.iter().filter_map(number).collect::<Vec<_>>().join(" ")));
    }
    if let Some(scales) = layer["scales"].as_array().filter(|scales| !scales.is_empty()) {
        parts.push(format!("scales {}", scales.iter().filter_map(number).collect::<Vec<_>>().join(" ")));
    }
    parts.extend(word(&layer["kernel"]));
    parts.extend(nested(&layer["layer"]));
    if let Some(layers) = layer["layers"].as_array() {
        parts.push(layers.iter().filter_map(nested).collect::<Vec<_>>().join(" → "));
    }
    if let Some(branches) = layer["branches"].as_array() {
        let mut kinds: Vec<String> = branches.iter().map(kinds).collect();
        kinds.dedup();
        parts.push(format!("mean of {}: {}", branches.len(), kinds.join("; ")));
    }
    parts.join(", ")
}

/// The names of a branch's layers.
fn kinds(branch: &Value) -> String {
    let layers = branch["layers"].as_array().into_iter().flatten();
    layers.filter_map(|layer| word(&layer["type"])).collect::<Vec<_>>().join(" → ")
}

/// A layer within a layer: its name and its settings.
fn nested(layer: &Value) -> Option<String> {
    let name = word(&layer["type"])?;
    let settings = of(layer);
    Some(if settings.is_empty() { name } else { format!("{name} {settings}") })
}

fn word(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// Rounded to f32, so that 0.3 is shown as 0.3.
fn number(value: &Value) -> Option<String> {
    value.as_f64().map(|number| (number as f32).to_string())
}

fn sizes(value: &Value) -> Option<String> {
    let sizes: Option<Vec<usize>> =
        value.as_array()?.iter().map(|size| usize::try_from(size.as_u64()?).ok()).collect();
    sizes.map(|sizes| shape(&sizes))
}

/// `130 × 13`
pub(super) fn shape(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ")
}
