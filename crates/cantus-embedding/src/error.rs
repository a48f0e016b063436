//! Errors of embedding models: of their graph, their description, their check and the library folder.

use std::io;
use std::path::{Path, PathBuf};

/// An error of this crate; its message is one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error in a file.
    #[error("{}: {source}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// The error.
        source: Box<Error>,
    },
    /// A file or folder could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A file over the size limit.
    #[error("{size} bytes; a model may have at most {max} bytes")]
    TooLarge {
        /// Size of the file, in bytes.
        size: u64,
        /// Maximum, in bytes.
        max: u64,
    },
    /// A file that is not an ONNX model.
    #[error("not an ONNX model: {reason}")]
    NotOnnx {
        /// What is wrong with it.
        reason: String,
    },
    /// Weights in another file.
    #[error("the data of tensor {tensor:?} are in an external file; save the model with its weights inside")]
    ExternalData {
        /// Name of the tensor.
        tensor: String,
    },
    /// A tensor whose data do not have the size that its shape and type need.
    #[error("tensor {tensor:?} is malformed: {reason}")]
    MalformedTensor {
        /// Name of the tensor.
        tensor: String,
        /// Expected and found size.
        reason: String,
    },
    /// Operators that cannot be run.
    #[error("the model needs operators that are not supported: {}", operators.join(", "))]
    UnsupportedOperators {
        /// Each with the node's first output.
        operators: Vec<String>,
    },
    /// An input that the graph does not have.
    #[error("the model has no input {name:?}; it has: {}", inputs.join(", "))]
    UnknownInput {
        /// The name in the description.
        name: String,
        /// Names and shapes of the graph's inputs.
        inputs: Vec<String>,
    },
    /// An output that the graph does not have.
    #[error("the model has no output {name:?}; it has: {}", outputs.join(", "))]
    UnknownOutput {
        /// The name in the description.
        name: String,
        /// Names and shapes of the graph's outputs.
        outputs: Vec<String>,
    },
    /// An output that needs inputs which the description does not have.
    #[error("output {output:?} needs further inputs, which a description cannot have: {}", inputs.join(", "))]
    FurtherInputs {
        /// Name of the output.
        output: String,
        /// Names and shapes of the further inputs.
        inputs: Vec<String>,
    },
    /// An output that is the same for every input.
    #[error("output {output:?} does not depend on input {input:?}")]
    Unconnected {
        /// Name of the input.
        input: String,
        /// Name of the output.
        output: String,
    },
    /// The graph's input does not have the shape of the description.
    #[error("the description gives input {input:?} the shape {described}, the model {found}")]
    InputShape {
        /// Name of the input.
        input: String,
        /// The shape by the description.
        described: String,
        /// The shape in the graph, with its element type if that is not f32.
        found: String,
    },
    /// The graph's output does not have the shape of the description.
    #[error("the description gives output {output:?} the shape {described}, the model {found}")]
    OutputShape {
        /// Name of the output.
        output: String,
        /// The shape by the description.
        described: String,
        /// The shape in the graph, with its element type if that is not f32.
        found: String,
    },
    /// A graph over a memory limit.
    #[error("{what}: {found} {unit}; at most {max} are accepted")]
    OverLimit {
        /// What has too many.
        what: String,
        /// Found value.
        found: String,
        /// Unit of the limit.
        unit: &'static str,
        /// Maximum.
        max: u64,
    },
    /// A build without a runtime for ONNX graphs, the feature `tract`.
    #[error("this build cannot run embedding models (feature `tract`)")]
    NoRuntime,
    /// The graph could not be planned.
    #[error("the model cannot be run: {reason}")]
    Plan {
        /// The causes, the most specific one last.
        reason: String,
    },
    /// onnxruntime, which the user chose, cannot be loaded or cannot run the graph.
    #[cfg(feature = "onnxruntime")]
    #[error("onnxruntime: {reason}")]
    OnnxRuntime {
        /// Its message.
        reason: String,
    },
    /// A model without description.
    #[error("no description; expected {}, `model.toml` beside a single model, or the metadata entry `cantus`", expected.display())]
    NoDescription {
        /// Where it is looked for first.
        expected: PathBuf,
    },
    /// A description with an unknown or missing field, or a value of the wrong type.
    #[error("{origin}{}: {reason}", line.map_or_else(String::new, |line| format!(", line {line}")))]
    Description {
        /// The file, or the metadata entry.
        origin: String,
        /// Line, from 1, if the error has one.
        line: Option<usize>,
        /// What was expected and what was found.
        reason: String,
    },
    /// A file that is not the one that was described.
    #[error("the SHA-256 of the model is {found}, that of the description {expected}")]
    Sha256 {
        /// In the description.
        expected: String,
        /// Of the file.
        found: String,
    },
    /// A description with a value out of range.
    #[error("{origin}: {source}")]
    OutOfRange {
        /// The description.
        origin: String,
        /// The parameter, its value and its range.
        source: cantus_audio::Error,
    },
    /// Another model has the same name in the library.
    #[error("{}: the library has another model of this name; rename the file", path.display())]
    NameTaken {
        /// The model in the library.
        path: PathBuf,
    },
    /// No model of this name.
    #[error("no embedding model {name:?}: no such file, and {} has {}", folder.display(), list(available))]
    NotFound {
        /// The name.
        name: String,
        /// Folder of the library.
        folder: PathBuf,
        /// Names of the models in it.
        available: Vec<String>,
    },
    /// No folder for the library is defined.
    #[error("no folder for embedding models: none of the variables {} is set", variables.join(", "))]
    NoLibrary {
        /// Environment variables that define it.
        variables: Vec<&'static str>,
    },
    /// A file of expected outputs that cannot be used.
    #[error("{}: {reason}", path.display())]
    Check {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        reason: String,
    },
}

impl Error {
    /// For `map_err`: an error of the operating system at `path`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    /// For `map_err`: an error in the file `path`.
    pub(crate) fn in_file(path: &Path) -> impl FnOnce(Self) -> Self {
        let path = path.to_owned();
        move |source| Self::InFile { path, source: Box::new(source) }
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_file_and_the_line() {
        let error = Error::TooLarge { size: 3, max: 2 };
        let error = Error::in_file(Path::new("a.onnx"))(error);
        assert_eq!(error.to_string(), "a.onnx: 3 bytes; a model may have at most 2 bytes");
        let error = |line| Error::Description { origin: "a.toml".into(), line, reason: "wrong".into() };
        assert_eq!(error(Some(3)).to_string(), "a.toml, line 3: wrong");
        assert_eq!(error(None).to_string(), "a.toml: wrong");
    }
}
