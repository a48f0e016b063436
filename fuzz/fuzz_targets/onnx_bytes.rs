//! ONNX files: arbitrary bytes, beginning with a small graph and with an exported model.
#![no_main]

use cantus::export::{Input, OnnxExport};
use cantus_fuzz::model::model;
use cantus_fuzz::onnx::{check, dense};

/// A model of the recipe as a graph.
fn exported() -> Vec<u8> {
    OnnxExport { model: &model(), input: Input::Features }.to_bytes().expect("a graph")
}

cantus_fuzz::target!(2560, seeds: vec![dense(), exported()], |bytes| check(bytes));
