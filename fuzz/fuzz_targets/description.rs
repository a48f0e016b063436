//! Descriptions of an embedding model: arbitrary text, and a valid one with changed values.
#![no_main]

use std::sync::LazyLock;

use cantus_fuzz::changes::{Changes, from_toml, to_toml};
use cantus_fuzz::files::check_message;
use cantus_fuzz::onnx::{DESCRIPTION, dense, run};
use serde_json::Value;

static GRAPH: LazyLock<Vec<u8>> = LazyLock::new(dense);
static VALID: LazyLock<Value> = LazyLock::new(|| from_toml(DESCRIPTION));

cantus_fuzz::target!(1536, |input: (Changes, Option<&str>)| {
    let (changes, text) = input;
    let onnx = cantus_fuzz::write_file("model.onnx", &*GRAPH);
    let text = text.map_or_else(|| to_toml(&changes.of(&VALID)), str::to_owned);
    cantus_fuzz::write_file("model.toml", text);
    if let Err(error) = cantus_embedding::describe(&onnx) {
        check_message(&error);
    }
    match cantus_embedding::load(&onnx) {
        Ok(embedding) => run(&embedding),
        Err(error) => check_message(&error),
    }
});
