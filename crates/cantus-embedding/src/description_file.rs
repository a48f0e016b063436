//! Embedding models on disk: an ONNX file and its description.
//!
//! The description of `X.onnx` is read from `X.toml` beside it; or from `model.toml`, if the folder has no other `.onnx` file;
//! or from the metadata entry `cantus` of the ONNX file.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cantus_audio::feature::{Embedding, EmbeddingDescription};
use cantus_audio::regular_file;
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::file_size::MAX_FILE_BYTES;
use crate::onnx::{OnnxFile, OnnxGraph};

/// Key of the metadata entry with a description.
const METADATA_KEY: &str = "cantus";
/// Maximum size of a description, in bytes.
const MAX_DESCRIPTION_BYTES: u64 = 1 << 20;

/// The text of a description, and where it is from.
#[derive(Debug)]
pub(crate) struct DescriptionText {
    pub(crate) text: String,
    origin: String,
}

/// Loads an embedding model and its description, and plans it once.
///
/// # Errors
/// [`Error`] with the file, if either cannot be read or they do not fit each other.
pub fn load(onnx: &Path) -> Result<Embedding, Error> {
    load_with_text(onnx).map(|(embedding, _)| embedding)
}

/// As [`load`], with the text of the description.
pub(crate) fn load_with_text(onnx: &Path) -> Result<(Embedding, DescriptionText), Error> {
    let bytes: Arc<[u8]> = read(onnx, MAX_FILE_BYTES)?.into();
    let text = description_text(onnx, &bytes)?;
    let description = parse(&text)?;
    let embedding = from_parts(bytes, description).map_err(|error| match error {
        Error::OutOfRange { source, .. } => Error::OutOfRange { origin: text.origin.clone(), source },
        error => Error::in_file(onnx)(error),
    })?;
    Ok((embedding, text))
}

/// Reads the description of an ONNX file, without planning the graph.
///
/// Its SHA-256 is that of the file.
///
/// # Errors
/// As [`load`], but for a graph that cannot be run.
pub fn describe(onnx: &Path) -> Result<EmbeddingDescription, Error> {
    let bytes = read(onnx, MAX_FILE_BYTES)?;
    let text = description_text(onnx, &bytes)?;
    let mut description = parse(&text)?;
    set_sha256(&bytes, &mut description).map_err(Error::in_file(onnx))?;
    description.validate().map_err(|source| Error::OutOfRange { origin: text.origin, source })?;
    Ok(description)
}

/// An embedding model of an ONNX file in memory and its description, planned once.
///
/// # Errors
/// [`Error::Sha256`] if the description is of another file; [`Error::OutOfRange`]; the errors of a graph that cannot be run.
pub fn from_parts(bytes: Arc<[u8]>, mut description: EmbeddingDescription) -> Result<Embedding, Error> {
    set_sha256(&bytes, &mut description)?;
    description.validate().map_err(|source| Error::OutOfRange {
        origin: format!("description of {:?}", description.name),
        source,
    })?;
    let graph = OnnxGraph::new(bytes);
    graph.check_plan(&description)?;
    Ok(Embedding { description, graph: Some(Arc::new(graph)) })
}

/// SHA-256 in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn set_sha256(bytes: &[u8], description: &mut EmbeddingDescription) -> Result<(), Error> {
    let (found, expected) = (sha256(bytes), std::mem::take(&mut description.sha256));
    if !expected.is_empty() && !expected.eq_ignore_ascii_case(&found) {
        return Err(Error::Sha256 { expected, found });
    }
    description.sha256 = found;
    Ok(())
}

/// Reads a file up to a size.
pub(crate) fn read(path: &Path, max: u64) -> Result<Vec<u8>, Error> {
    let too_large = |size: u64| Error::in_file(path)(Error::TooLarge { size, max });
    let file = regular_file::open(path).map_err(Error::io(path))?;
    let size = file.metadata().map_err(Error::io(path))?.len();
    if size > max {
        return Err(too_large(size));
    }
    let mut bytes = Vec::new();
    // A device or a file that grows has no size.
    file.take(max + 1).read_to_end(&mut bytes).map_err(Error::io(path))?;
    if bytes.len() as u64 > max { Err(too_large(max + 1)) } else { Ok(bytes) }
}

fn description_text(onnx: &Path, bytes: &[u8]) -> Result<DescriptionText, Error> {
    let expected = onnx.with_extension("toml");
    let beside = [expected.clone(), onnx.with_file_name("model.toml")];
    let is_single = || is_only_model(onnx);
    if let Some(path) = beside.iter().enumerate().find(|(i, path)| path.is_file() && (*i == 0 || is_single()))
    {
        return read_text(path.1);
    }
    let file = OnnxFile::decode(bytes).map_err(Error::in_file(onnx))?;
    match file.metadata(METADATA_KEY) {
        Some(text) => {
            let origin = format!("{}, metadata entry `{METADATA_KEY}`", onnx.display());
            Ok(DescriptionText { text: text.to_owned(), origin })
        }
        None => Err(Error::in_file(onnx)(Error::NoDescription { expected })),
    }
}

fn read_text(path: &Path) -> Result<DescriptionText, Error> {
    let origin = path.display().to_string();
    let text = String::from_utf8(read(path, MAX_DESCRIPTION_BYTES)?).map_err(|error| {
        let reason = error.utf8_error().to_string();
        Error::Description { origin: origin.clone(), line: None, reason }
    })?;
    Ok(DescriptionText { text, origin })
}

/// Whether a folder has no other `.onnx` file.
fn is_only_model(onnx: &Path) -> bool {
    let folder = onnx.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let is_other = |path: &PathBuf| is_onnx(path) && path.file_name() != onnx.file_name();
    fs::read_dir(folder).is_ok_and(|entries| !entries.flatten().any(|entry| is_other(&entry.path())))
}

/// Whether a file name ends in `.onnx`.
pub(crate) fn is_onnx(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"))
}

fn parse(DescriptionText { text, origin }: &DescriptionText) -> Result<EmbeddingDescription, Error> {
    toml::from_str(text).map_err(|error| {
        let line =
            error.span().map(|span| text.bytes().take(span.start).filter(|&byte| byte == b'\n').count() + 1);
        let reason = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        Error::Description { origin: origin.clone(), line, reason }
    })
}

#[cfg(test)]
#[cfg(feature = "tract")]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::testing::graphs::{DENSE, ModelProto, StringStringEntryProto, dense, description, encode};

    fn folder(model: &ModelProto, files: &[(&str, &str)]) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let onnx = folder.path().join("a.onnx");
        fs::write(&onnx, encode(model)).unwrap();
        files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
        (folder, onnx)
    }

    fn with_metadata(text: &str) -> ModelProto {
        let mut model = dense();
        model.metadata_props.push(StringStringEntryProto { key: "cantus".into(), value: text.into() });
        model
    }

    fn named(name: &str) -> String {
        DENSE.replace("dense test model", name)
    }

    fn refused(files: &[(&str, &str)]) -> String {
        let (_folder, onnx) = folder(&dense(), files);
        let error = load(&onnx).unwrap_err().to_string();
        assert!(!error.contains('\n'), "{error}");
        error
    }

    #[test]
    fn a_description_is_read_from_the_file_beside_then_from_model_toml_then_from_the_metadata() {
        let metadata = with_metadata(&named("metadata"));
        let (model, beside) = (named("model"), named("beside"));
        let found = |files: &[(&str, &str)]| {
            let (_folder, onnx) = folder(&metadata, files);
            let embedding = load(&onnx).unwrap();
            assert_eq!(describe(&onnx).unwrap(), embedding.description);
            embedding.description.name
        };
        assert_eq!(found(&[]), "metadata");
        assert_eq!(found(&[("model.toml", &model)]), "model");
        assert_eq!(found(&[("model.toml", &model), ("b.onnx", "")]), "metadata");
        assert_eq!(found(&[("model.toml", &model), ("a.toml", &beside)]), "beside");
    }

    #[test]
    fn a_loaded_embedding_can_be_run() {
        let (_folder, onnx) = folder(&dense(), &[("a.toml", DENSE)]);
        let embedding = load(&onnx).unwrap();
        assert_eq!(embedding.description.sha256, sha256(&encode(&dense())));
        let planned = embedding.graph.unwrap().plan(&embedding.description).unwrap();
        assert_eq!(planned.run(&[1.0, 0.0, 0.0, 1.0]), [8.5, 9.5]);
    }

    #[test]
    fn a_model_without_description_is_an_error_that_says_where_one_is_expected() {
        let error = refused(&[]);
        assert!(error.contains("a.onnx: no description; expected ") && error.contains("a.toml, "), "{error}");
    }

    #[test]
    fn errors_of_a_description_have_file_and_line() {
        let error = refused(&[("a.toml", &DENSE.replace("hop = 4", "hopp = 4"))]);
        assert!(error.contains("a.toml, line 15: unknown field `hopp`"), "{error}");
        let error = refused(&[("a.toml", &DENSE.replace("size = 2", "size = \"two\""))]);
        assert!(error.contains("a.toml, line 19: invalid type: string \"two\""), "{error}");
        let error = refused(&[("a.toml", &DENSE.replace("size = 2", "size = "))]);
        assert!(error.contains("a.toml, line 19: "), "{error}");
        let error = refused(&[("a.toml", &DENSE.replace("[output]\nname = \"y\"", "[output]"))]);
        assert!(error.contains("a.toml, line 17: missing field `name`"), "{error}");
        let error = refused(&[("a.toml", &DENSE.replace("hop = 4", "hop = 0"))]);
        assert!(error.contains("a.toml: ") && error.contains("embedding.patch.hop = 0"), "{error}");
        let error = refused(&[("a.toml", &DENSE.replace("size = 2", "size = 5"))]);
        assert!(error.contains("a.onnx: the description gives output \"y\""), "{error}");
    }

    #[test]
    fn a_description_of_another_file_is_refused() {
        let with_sha = |sha: &str| DENSE.replace("[input]", &format!("sha256 = \"{sha}\"\n\n[input]"));
        let error =
            refused(&[("a.toml", &with_sha(&"0".repeat(64)).replacen("\n\n[input]", "\n[input]", 1))]);
        assert!(error.contains("a.onnx: the SHA-256 of the model is "), "{error}");
        let (_folder, onnx) =
            folder(&dense(), &[("a.toml", &with_sha(&sha256(&encode(&dense())).to_uppercase()))]);
        load(&onnx).unwrap();
    }

    #[test]
    fn parts_that_fit_give_an_embedding() {
        let bytes: Arc<[u8]> = encode(&dense()).into();
        let embedding = from_parts(bytes.clone(), description(DENSE)).unwrap();
        assert_eq!(embedding.graph.as_ref().unwrap().bytes(), &*bytes);
        let error = from_parts(encode(&with_metadata("")).into(), embedding.description).unwrap_err();
        assert!(matches!(error, Error::Sha256 { .. }), "{error}");
    }

    #[test]
    fn a_missing_file_and_a_folder_are_errors_with_the_path() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().join("none.onnx"), folder.path().to_owned()] {
            let error = load(&path).unwrap_err().to_string();
            assert!(error.starts_with(&*path.to_string_lossy()), "{error}");
        }
    }
}
