//! An upper bound of the memory that a decoded ONNX file takes, from its encoding.
//!
//! In Protocol Buffers, two bytes can encode an empty message that takes hundreds in memory: a file within the size limit
//! could exhaust the memory when it is decoded. The bound counts what can grow, and leaves out the weights, which do not.
//!
//! Encoding: <https://protobuf.dev/programming-guides/encoding/>; field numbers: `onnx/onnx.proto`.

use crate::error::Error;

/// Maximum of the bound, in bytes.
const MAX_BYTES: u64 = 1 << 30;
/// Memory of a decoded attribute, which contains a tensor and a graph.
const ATTRIBUTE_BYTES: u64 = 2048;
/// Memory of any other decoded message or field.
const FIELD_BYTES: u64 = 512;
/// Memory per byte of packed numbers and strings.
const LEAF_FACTOR: u64 = 8;
/// Memory per byte of a message whose fields are not read here.
const OPAQUE_FACTOR: u64 = 64;
/// Maximum depth of graphs in graphs.
const MAX_DEPTH: usize = 16;

/// The messages whose fields are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    Model,
    Training,
    Function,
    Graph,
    Node,
    Attribute,
    Tensor,
}

/// What a length-delimited field contains.
enum Content {
    Message(Message),
    /// A message whose fields are not read.
    Opaque,
    /// A string or packed numbers.
    Leaf,
    /// Data of fixed width, which decode to their own size.
    Weights,
}

impl Message {
    fn content(self, field: u64) -> Content {
        match (self, field) {
            (Self::Model, 7) | (Self::Training, 1 | 2) | (Self::Attribute, 6 | 11) => {
                Content::Message(Self::Graph)
            }
            (Self::Model, 20) => Content::Message(Self::Training),
            (Self::Model, 25) => Content::Message(Self::Function),
            (Self::Graph, 1) | (Self::Function, 7) => Content::Message(Self::Node),
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) => Content::Message(Self::Tensor),
            (Self::Node, 5) => Content::Message(Self::Attribute),
            (Self::Tensor, 4 | 9 | 10) => Content::Weights,
            (Self::Tensor, 13) | (Self::Attribute, 14..) => Content::Opaque,
            (Self::Model, 8 | 14) | (Self::Graph, 11..) | (Self::Training, 3..) | (Self::Function, 8..) => {
                Content::Opaque
            }
            _ => Content::Leaf,
        }
    }

    fn bytes(self) -> u64 {
        if self == Self::Attribute { ATTRIBUTE_BYTES } else { FIELD_BYTES }
    }
}

/// Checks that a decoded model does not take more memory than the limit, besides its weights.
///
/// # Errors
/// [`Error::OverLimit`]; [`Error::NotOnnx`] if the encoding is malformed.
pub(crate) fn check_wire_size(bytes: &[u8]) -> Result<(), Error> {
    let mut bound = 0;
    add_message(bytes, Message::Model, 0, &mut bound)
}

fn malformed() -> Error {
    Error::NotOnnx { reason: "the encoding is malformed".to_owned() }
}

fn add(bytes: u64, bound: &mut u64) -> Result<(), Error> {
    *bound = bound.saturating_add(bytes);
    if *bound <= MAX_BYTES {
        return Ok(());
    }
    let what = "the description of the graph, without weights,".to_owned();
    Err(Error::OverLimit {
        what,
        found: format!("over {MAX_BYTES}"),
        unit: "bytes in memory",
        max: MAX_BYTES,
    })
}

fn add_message(mut bytes: &[u8], message: Message, depth: usize, bound: &mut u64) -> Result<(), Error> {
    if depth > MAX_DEPTH {
        return Err(malformed());
    }
    add(message.bytes(), bound)?;
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        match key & 7 {
            0 => {
                varint(&mut bytes)?;
                add(LEAF_FACTOR, bound)?;
            }
            1 => {
                take(&mut bytes, 8)?;
                add(LEAF_FACTOR, bound)?;
            }
            2 => {
                let length = varint(&mut bytes)?;
                let field = take(&mut bytes, length)?;
                add_field(field, message.content(key >> 3), depth, bound)?;
            }
            5 => {
                take(&mut bytes, 4)?;
                add(LEAF_FACTOR, bound)?;
            }
            _ => return Err(malformed()),
        }
    }
    Ok(())
}

fn add_field(field: &[u8], content: Content, depth: usize, bound: &mut u64) -> Result<(), Error> {
    let scaled = |factor: u64| FIELD_BYTES.saturating_add(factor.saturating_mul(field.len() as u64));
    match content {
        Content::Message(message) => {
            let is_graph = usize::from(message == Message::Graph);
            add_message(field, message, depth + is_graph, bound)
        }
        Content::Opaque => add(scaled(OPAQUE_FACTOR), bound),
        Content::Leaf => add(scaled(LEAF_FACTOR), bound),
        Content::Weights => Ok(()),
    }
}

fn take<'a>(bytes: &mut &'a [u8], length: u64) -> Result<&'a [u8], Error> {
    let length = usize::try_from(length).map_err(|_| malformed())?;
    let (taken, rest) = bytes.split_at_checked(length).ok_or_else(malformed)?;
    *bytes = rest;
    Ok(taken)
}

fn varint(bytes: &mut &[u8]) -> Result<u64, Error> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)?.first().copied().unwrap_or_default();
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(malformed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::graphs::{dense, encode};

    #[test]
    fn a_model_is_within_the_limit() {
        check_wire_size(&encode(&dense())).unwrap();
    }

    /// Two bytes each: field 1 of the graph (a node), of length 0.
    #[test]
    fn a_graph_of_millions_of_empty_nodes_is_refused() {
        let nodes = [0x0a, 0].repeat(1 << 22);
        let mut bytes = vec![0x3a];
        let mut length = nodes.len();
        while length >= 0x80 {
            bytes.push(length as u8 | 0x80);
            length >>= 7;
        }
        bytes.push(length as u8);
        bytes.extend(nodes);
        let error = check_wire_size(&bytes).unwrap_err();
        assert!(matches!(error, Error::OverLimit { .. }), "{error}");
    }

    #[test]
    fn every_truncation_and_garbage_is_malformed_or_accepted() {
        let bytes = encode(&dense());
        for length in 0..bytes.len() {
            let _ = check_wire_size(&bytes[..length]);
        }
        for garbage in
            [&[0xff; 64][..], &[0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], &[0x3b]]
        {
            assert!(matches!(check_wire_size(garbage), Err(Error::NotOnnx { .. })));
        }
    }
}
