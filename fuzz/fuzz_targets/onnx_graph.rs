//! ONNX files: graphs of arbitrary nodes.
#![no_main]

use cantus_fuzz::onnx::{ArbitraryGraph, check};

cantus_fuzz::target!(2560, |graph: ArbitraryGraph| check(&graph.to_bytes()));
