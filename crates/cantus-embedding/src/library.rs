//! The user's folder of embedding models: files `X.onnx`, each with its description `X.toml`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use cantus_audio::atomic_file;

use crate::check::check_path;
use crate::description_file::{is_onnx, load_with_text, read, sha256};
use crate::error::Error;
use crate::file_size::MAX_FILE_BYTES;

/// Variable with the folder itself.
const FOLDER_VARIABLE: &str = "CANTUS_EMBEDDINGS";

/// A folder of embedding models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    folder: PathBuf,
}

/// A model in the library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibraryEntry {
    /// File name without `.onnx`.
    pub name: String,
    /// The ONNX file.
    pub path: PathBuf,
}

impl Library {
    /// A library in a folder, which need not exist.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The user's library: `$CANTUS_EMBEDDINGS`, `$XDG_DATA_HOME/cantus/embeddings` or `~/.local/share/cantus/embeddings`.
    ///
    /// # Errors
    /// [`Error::NoLibrary`] if neither of these variables nor `HOME` is set.
    pub fn of_user() -> Result<Self, Error> {
        user_folder(|name| std::env::var_os(name)).map(Self::at)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The models, by name; none if the folder does not exist.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn list(&self) -> Result<Vec<LibraryEntry>, Error> {
        if !self.folder.exists() {
            return Ok(Vec::new());
        }
        let mut entries = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(Error::io(&self.folder))? {
            let path = entry.map_err(Error::io(&self.folder))?.path();
            if is_onnx(&path) && path.is_file() {
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                entries.push(LibraryEntry { name, path });
            }
        }
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    /// Copies a model into the library, with its description as `X.toml` and its expected outputs, if it has any.
    ///
    /// # Errors
    /// [`Error::NameTaken`] if another file has the name; the errors of [`load`](crate::load); [`Error::Io`].
    pub fn add(&self, onnx: &Path) -> Result<LibraryEntry, Error> {
        let (embedding, text) = load_with_text(onnx)?;
        let bytes = embedding.graph.as_ref().map_or(&[][..], |graph| graph.bytes());
        let name = onnx.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let path = self.folder.join(format!("{name}.onnx"));
        let is_taken = path.exists() && read(&path, MAX_FILE_BYTES)? != bytes;
        if is_taken {
            return Err(Error::NameTaken { path });
        }
        atomic_file::create_folder(&self.folder).map_err(Error::io(&self.folder))?;
        // The description comes first, so that a model in the library always has one.
        write(&path.with_extension("toml"), text.text.as_bytes())?;
        let check = check_path(onnx);
        if check.is_file() {
            write(&check_path(&path), &read(&check, MAX_FILE_BYTES)?)?;
        }
        write(&path, bytes)?;
        Ok(LibraryEntry { name, path })
    }

    /// The ONNX file of a path, or of a name in the library.
    ///
    /// # Errors
    /// [`Error::NotFound`] lists the names in the library.
    pub fn find(&self, name_or_path: &str) -> Result<PathBuf, Error> {
        let path = Path::new(name_or_path);
        if path.is_file() {
            return Ok(path.to_owned());
        }
        let entries = self.list()?;
        if let Some(entry) = entries.iter().find(|entry| entry.name == name_or_path) {
            return Ok(entry.path.clone());
        }
        let available = entries.into_iter().map(|entry| entry.name).collect();
        Err(Error::NotFound { name: name_or_path.to_owned(), folder: self.folder.clone(), available })
    }

    /// The ONNX file with a SHA-256, in hexadecimal.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn by_sha256(&self, expected: &str) -> Result<Option<PathBuf>, Error> {
        for LibraryEntry { path, .. } in self.list()? {
            if sha256(&read(&path, MAX_FILE_BYTES)?).eq_ignore_ascii_case(expected) {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    atomic_file::write(path, bytes).map_err(Error::io(path))
}

fn user_folder(variable: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, Error> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = set(FOLDER_VARIABLE) {
        return Ok(folder);
    }
    // Relative paths are ignored: <https://specifications.freedesktop.org/basedir-spec/latest/>.
    let data = set("XDG_DATA_HOME").filter(|folder| folder.is_absolute());
    let data = data.or_else(|| set("HOME").map(|home| home.join(".local/share")));
    data.map(|data| data.join("cantus/embeddings"))
        .ok_or_else(|| Error::NoLibrary { variables: vec![FOLDER_VARIABLE, "XDG_DATA_HOME", "HOME"] })
}

#[cfg(test)]
#[cfg(feature = "tract")]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::load;
    use crate::testing::graphs::{DENSE, StringStringEntryProto, dense, encode};

    fn model(folder: &Path, name: &str, is_in_metadata: bool) -> PathBuf {
        let (path, mut model) = (folder.join(format!("{name}.onnx")), dense());
        if is_in_metadata {
            model.metadata_props.push(StringStringEntryProto { key: "cantus".into(), value: DENSE.into() });
        } else {
            fs::write(path.with_extension("toml"), DENSE).unwrap();
        }
        fs::write(&path, encode(&model)).unwrap();
        path
    }

    fn library() -> (TempDir, TempDir, Library) {
        let (source, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let library = Library::at(target.path().join("new/folder"));
        (source, target, library)
    }

    #[test]
    fn a_model_that_is_added_is_listed_and_found() {
        let (source, _target, library) = library();
        assert_eq!(library.list().unwrap(), []);
        let path = model(source.path(), "a", false);
        fs::write(check_path(&path), "{}").unwrap();
        let added = library.add(&path).unwrap();
        let other = library.add(&model(source.path(), "b", true)).unwrap();
        assert_eq!(library.list().unwrap(), [added.clone(), other.clone()]);
        assert_eq!(library.find("a").unwrap(), added.path);
        assert_eq!(library.find(&path.to_string_lossy()).unwrap(), path);
        assert_eq!(fs::read_to_string(check_path(&added.path)).unwrap(), "{}");
        for entry in [&added, &other] {
            let sha256 = load(&entry.path).unwrap().description.sha256;
            assert_eq!(library.by_sha256(&sha256).unwrap().unwrap(), entry.path);
            assert_eq!(fs::read_to_string(entry.path.with_extension("toml")).unwrap(), DENSE);
        }
        assert_eq!(library.by_sha256("00").unwrap(), None);
        let error = library.find("c").unwrap_err().to_string();
        assert!(error.ends_with(" has a, b"), "{error}");
    }

    #[test]
    fn another_model_of_the_same_name_is_refused_and_the_same_one_accepted() {
        let (source, _target, library) = library();
        let path = model(source.path(), "a", false);
        library.add(&path).unwrap();
        library.add(&path).unwrap();
        let path = model(source.path(), "a", true);
        assert!(matches!(library.add(&path), Err(Error::NameTaken { .. })));
        assert_eq!(library.list().unwrap().len(), 1);
    }

    #[test]
    fn a_model_that_cannot_be_used_is_not_added() {
        let (source, _target, library) = library();
        let path = model(source.path(), "a", false);
        fs::remove_file(path.with_extension("toml")).unwrap();
        assert!(library.add(&path).is_err());
        assert!(!library.folder().exists());
    }

    #[test]
    fn the_folder_is_that_of_the_variables() {
        let folder = |set: &[(&str, &str)]| {
            user_folder(|name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()))
        };
        let home = ("HOME", "/home/a");
        assert_eq!(folder(&[home]).unwrap(), Path::new("/home/a/.local/share/cantus/embeddings"));
        let data = ("XDG_DATA_HOME", "/data");
        assert_eq!(folder(&[home, data]).unwrap(), Path::new("/data/cantus/embeddings"));
        assert_eq!(folder(&[home, data, ("CANTUS_EMBEDDINGS", "x")]).unwrap(), Path::new("x"));
        let relative = ("XDG_DATA_HOME", "data");
        assert_eq!(folder(&[home, relative]).unwrap(), folder(&[home]).unwrap());
        assert_eq!(folder(&[home, ("CANTUS_EMBEDDINGS", "")]).unwrap(), folder(&[home]).unwrap());
        assert!(folder(&[]).unwrap_err().to_string().contains("HOME"));
    }
}
