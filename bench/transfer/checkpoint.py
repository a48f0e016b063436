"""Reads the tensors of a TensorFlow checkpoint with NumPy only.

The index is a table of LevelDB: https://github.com/google/leveldb/blob/main/doc/table_format.md. Its values are messages
`BundleEntryProto` of https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/protobuf/tensor_bundle.proto.
"""

import numpy as np

FOOTER_BYTES = 48
MAGIC = bytes.fromhex("57fb808b247547db")
# Compression and checksum behind each block.
TRAILER_BYTES = 5
# Numbers of BundleEntryProto and of its shape.
DTYPE, SHAPE, SHARD, OFFSET, SIZE = 1, 2, 3, 4, 5
DIMENSION, DIMENSION_SIZE = 2, 1
FLOAT = 1


def tensors(index, data, wanted):
    """The f32 tensors of a checkpoint of one shard whose name is in `wanted`, from the bytes of its two files, by name."""
    if index[-len(MAGIC) :] != MAGIC:
        raise ValueError("not the index of a TensorFlow checkpoint")
    position = 0
    footer = index[-FOOTER_BYTES:]
    for _ in range(2):  # the handle of the index of meta blocks, which there are none of
        _, position = varint(footer, position)
    found = {}
    for _, handle in block(index, footer[position:]):
        for key, value in block(index, handle):
            name = key.decode()
            if name in wanted:
                found[name] = tensor(value, data)
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise ValueError(f"the checkpoint has no tensor {', '.join(missing)}")
    return found


def varint(buffer, position):
    """An integer of seven bits a byte, the lowest first, and the position behind it."""
    value = shift = 0
    while True:
        byte = buffer[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position


def block(table, handle):
    """Keys and values of the block at a handle: offset and size."""
    offset, position = varint(handle, 0)
    size, _ = varint(handle, position)
    if table[offset + size] != 0:
        raise ValueError("the index is compressed")
    content = table[offset : offset + size]
    n_restarts = int.from_bytes(content[-4:], "little")
    end, position, key = size - 4 * (n_restarts + 1), 0, b""
    while position < end:
        shared, position = varint(content, position)
        rest, position = varint(content, position)
        length, position = varint(content, position)
        key = key[:shared] + content[position : position + rest]
        position += rest
        yield key, content[position : position + length]
        position += length


def fields(message):
    """Numbers and values of a message of protocol buffers: integers, and bytes of nested messages."""
    position = 0
    while position < len(message):
        tag, position = varint(message, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == 0:
            value, position = varint(message, position)
        else:
            length, position = varint(message, position) if wire_type == 2 else (4, position)
            value = message[position : position + length]
            position += length
        yield number, value


def tensor(entry, data):
    """The tensor of a BundleEntryProto."""
    entry = {DTYPE: 0, SHAPE: b"", SHARD: 0, OFFSET: 0, SIZE: 0} | dict(fields(entry))
    if (entry[DTYPE], entry[SHARD]) != (FLOAT, 0):
        raise ValueError(f"expected f32 in the first shard, found type {entry[DTYPE]} in shard {entry[SHARD]}")
    shape = [dict(fields(value)).get(DIMENSION_SIZE, 0) for number, value in fields(entry[SHAPE]) if number == DIMENSION]
    values = np.frombuffer(data, "<f4", entry[SIZE] // 4, entry[OFFSET])
    return values.reshape(shape)
