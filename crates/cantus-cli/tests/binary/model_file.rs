//! Takes a model file apart, to change its metadata.

use std::fs;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};

/// The parts of a model file: the header of the container, the metadata of Cantus, and the bytes of the tensors.
pub struct ModelFile {
    header: Value,
    pub metadata: Value,
    tensors: Vec<u8>,
}

impl ModelFile {
    pub fn read(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap();
        let (len, rest) = bytes.split_at(8);
        let len = u64::from_le_bytes(len.try_into().unwrap()) as usize;
        let header: Value = serde_json::from_slice(&rest[..len]).unwrap();
        let metadata = serde_json::from_str(header["__metadata__"]["cantus"].as_str().unwrap()).unwrap();
        Self { header, metadata, tensors: rest[len..].to_vec() }
    }

    /// SHA-256 as the format defines it, for other metadata.
    pub fn checksum(&self, metadata: &Value) -> String {
        let mut metadata = metadata.clone();
        metadata["checksum"] = "".into();
        let mut hash = Sha256::new();
        hash.update(metadata.to_string());
        let fields = self.header.as_object().unwrap();
        let mut tensors: Vec<_> = fields.iter().filter(|(name, _)| *name != "__metadata__").collect();
        tensors.sort_by_key(|(name, _)| *name);
        for (name, entry) in tensors {
            let number = |value: &Value| value.as_u64().unwrap() as usize;
            let shape: Vec<String> =
                entry["shape"].as_array().unwrap().iter().map(Value::to_string).collect();
            hash.update(format!("\n{name} {} [{}]\n", entry["dtype"].as_str().unwrap(), shape.join(", ")));
            hash.update(&self.tensors[number(&entry["data_offsets"][0])..number(&entry["data_offsets"][1])]);
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Writes the model with other metadata and their checksum.
    pub fn write_with(&self, path: &Path, change: impl FnOnce(&mut Value)) {
        let mut metadata = self.metadata.clone();
        change(&mut metadata);
        metadata["checksum"] = self.checksum(&metadata).into();
        self.write(path, &metadata.to_string());
    }

    /// Writes the model with this text as its metadata.
    pub fn write(&self, path: &Path, metadata: &str) {
        let mut header = self.header.clone();
        header["__metadata__"]["cantus"] = metadata.into();
        let header = header.to_string();
        let len = (header.len() as u64).to_le_bytes();
        fs::write(path, [&len[..], header.as_bytes(), &self.tensors].concat()).unwrap();
    }
}
