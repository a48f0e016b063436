//! Credentials for Kaggle, from the same environment variables and files as Kaggle's own client.
//!
//! In order of precedence: `KAGGLE_API_TOKEN` (a token, or the path of a file with one), `KAGGLE_USERNAME` with `KAGGLE_KEY`,
//! then the files `access_token` and `kaggle.json` in the configuration folder. That folder is `KAGGLE_CONFIG_DIR`, or else
//! `~/.kaggle`, or, if that does not exist, `kaggle` in the user's configuration folder. Public data sets need none.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use cantus_audio::regular_file;
use serde::Deserialize;

use crate::Error;

/// HTTP credentials. `Debug` does not print secrets.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// None.
    Anonymous,
    /// A user with a key (HTTP basic authentication).
    Key {
        /// User name.
        username: String,
        /// API key.
        key: String,
    },
    /// An access token (HTTP bearer authentication).
    Token(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "Anonymous",
            Self::Key { .. } => "Key",
            Self::Token(_) => "Token",
        })
    }
}

/// Credentials and where they were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCredentials {
    /// The credentials.
    pub credentials: Credentials,
    /// The environment variable or file; empty if there are no credentials.
    pub origin: String,
    /// Warning about the permissions of the file.
    pub warning: Option<String>,
}

/// Content of `kaggle.json`.
#[derive(Deserialize)]
struct KeyFile {
    username: String,
    key: String,
}

impl Credentials {
    /// Searches the environment and the user's files.
    ///
    /// # Errors
    /// If only one of user name and key is set, or a file cannot be read or parsed.
    pub fn find() -> Result<FoundCredentials, Error> {
        find(&|name| std::env::var_os(name), std::env::home_dir())
    }

    /// Value of the header `authorization`.
    pub(crate) fn header(&self) -> Option<String> {
        match self {
            Self::Anonymous => None,
            Self::Key { username, key } => {
                Some(format!("Basic {}", BASE64_STANDARD.encode(format!("{username}:{key}"))))
            }
            Self::Token(token) => Some(format!("Bearer {token}")),
        }
    }
}

fn find(
    variable: &dyn Fn(&str) -> Option<OsString>,
    home: Option<PathBuf>,
) -> Result<FoundCredentials, Error> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if let Some(value) = set("KAGGLE_API_TOKEN") {
        let file = Path::new(&value);
        let token = if file.is_file() { read(file)? } else { text("KAGGLE_API_TOKEN", &value)? };
        return found_token(&token, "KAGGLE_API_TOKEN".to_owned(), None);
    }
    match (set("KAGGLE_USERNAME"), set("KAGGLE_KEY")) {
        (Some(username), Some(key)) => {
            let (username, key) = (text("KAGGLE_USERNAME", &username)?, text("KAGGLE_KEY", &key)?);
            let origin = "KAGGLE_USERNAME and KAGGLE_KEY".to_owned();
            return Ok(FoundCredentials {
                credentials: Credentials::Key { username, key },
                origin,
                warning: None,
            });
        }
        (Some(_), None) => return Err(missing_half("KAGGLE_USERNAME", "KAGGLE_KEY")),
        (None, Some(_)) => return Err(missing_half("KAGGLE_KEY", "KAGGLE_USERNAME")),
        (None, None) => {}
    }
    let folder = config_folder(&set, home);
    find_in_folder(folder.as_deref())
}

fn missing_half(set: &str, missing: &str) -> Error {
    Error::Credentials { origin: set.to_owned(), reason: format!("is set, but {missing} is not; set both") }
}

fn config_folder(set: &dyn Fn(&str) -> Option<OsString>, home: Option<PathBuf>) -> Option<PathBuf> {
    if let Some(folder) = set("KAGGLE_CONFIG_DIR") {
        return Some(folder.into());
    }
    let home = home?;
    let folder = home.join(".kaggle");
    if folder.is_dir() {
        return Some(folder);
    }
    Some(set("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from).join("kaggle"))
}

fn find_in_folder(folder: Option<&Path>) -> Result<FoundCredentials, Error> {
    let anonymous =
        FoundCredentials { credentials: Credentials::Anonymous, origin: String::new(), warning: None };
    let Some(folder) = folder else { return Ok(anonymous) };
    let token = folder.join("access_token");
    if token.is_file() {
        return found_token(&read(&token)?, token.display().to_string(), permission_warning(&token));
    }
    let file = folder.join("kaggle.json");
    if !file.is_file() {
        return Ok(anonymous);
    }
    let KeyFile { username, key } =
        serde_json::from_str(&read(&file)?).map_err(|_| Error::Credentials {
            origin: file.display().to_string(),
            reason: "not in the form that Kaggle writes, {\"username\":\"…\",\"key\":\"…\"}; take a new one from your account's settings"
                .to_owned(),
        })?;
    let warning = permission_warning(&file);
    Ok(FoundCredentials {
        credentials: Credentials::Key { username, key },
        origin: file.display().to_string(),
        warning,
    })
}

fn found_token(token: &str, origin: String, warning: Option<String>) -> Result<FoundCredentials, Error> {
    let token = token.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::Credentials { origin, reason: "is no access token".to_owned() });
    }
    Ok(FoundCredentials { credentials: Credentials::Token(token.to_owned()), origin, warning })
}

fn text(name: &str, value: &OsString) -> Result<String, Error> {
    value
        .clone()
        .into_string()
        .map_err(|_| Error::Credentials { origin: name.to_owned(), reason: "is not UTF-8".to_owned() })
}

fn read(path: &Path) -> Result<String, Error> {
    regular_file::read_to_string(path).map_err(Error::io(path))
}

/// Warning if other users can read the file.
#[cfg(unix)]
fn permission_warning(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = path.metadata().ok()?.permissions().mode();
    let path = path.display();
    (mode & 0o044 != 0)
        .then(|| format!("{path}: other users of this computer can read your key; chmod 600 {path}"))
}

#[cfg(not(unix))]
fn permission_warning(_path: &Path) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(variables: &[(&str, &str)], home: &Path) -> Result<FoundCredentials, String> {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, v)| OsString::from(v));
        find(&variable, Some(home.to_owned())).map_err(|error| error.to_string())
    }

    fn write(path: &Path, content: &str, _mode: u32) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(_mode)).unwrap();
        }
    }

    const FILE: &str = r#"{"username":"ann","key":"k1"}"#;

    fn key(username: &str, key: &str) -> Credentials {
        Credentials::Key { username: username.to_owned(), key: key.to_owned() }
    }

    #[test]
    fn without_variables_and_files_there_are_no_credentials() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(found(&[], home.path()).unwrap().credentials, Credentials::Anonymous);
    }

    #[test]
    fn the_environment_has_precedence_over_files_and_a_token_over_a_key() {
        let home = tempfile::tempdir().unwrap();
        write(&home.path().join(".kaggle/kaggle.json"), FILE, 0o600);
        let file = found(&[], home.path()).unwrap();
        assert_eq!((file.credentials, file.warning), (key("ann", "k1"), None));
        let pair = [("KAGGLE_USERNAME", "bob"), ("KAGGLE_KEY", "k2")];
        assert_eq!(found(&pair, home.path()).unwrap().credentials, key("bob", "k2"));
        let token = [pair[0], pair[1], ("KAGGLE_API_TOKEN", "t3")];
        assert_eq!(found(&token, home.path()).unwrap().credentials, Credentials::Token("t3".to_owned()));
        write(&home.path().join(".kaggle/access_token"), "t4\n", 0o600);
        assert_eq!(found(&[], home.path()).unwrap().credentials, Credentials::Token("t4".to_owned()));
    }

    #[test]
    fn the_configuration_folder_can_be_set() {
        let home = tempfile::tempdir().unwrap();
        write(&home.path().join(".config/kaggle/kaggle.json"), FILE, 0o600);
        assert_eq!(found(&[], home.path()).unwrap().credentials, key("ann", "k1"));
        let config = home.path().join("config");
        write(&config.join("kaggle.json"), r#"{"username":"eve","key":"k5"}"#, 0o600);
        let variables = [("KAGGLE_CONFIG_DIR", config.to_str().unwrap())];
        assert_eq!(found(&variables, home.path()).unwrap().credentials, key("eve", "k5"));
    }

    #[test]
    fn incomplete_variables_and_malformed_files_are_errors() {
        let home = tempfile::tempdir().unwrap();
        let message = found(&[("KAGGLE_USERNAME", "bob")], home.path()).unwrap_err();
        assert_eq!(message, "KAGGLE_USERNAME: is set, but KAGGLE_KEY is not; set both");
        let file = home.path().join(".kaggle/kaggle.json");
        write(&file, r#"{"username":"ann","secret":"k1"}"#, 0o600);
        let message = found(&[], home.path()).unwrap_err();
        assert!(
            message.contains("not in the form that Kaggle writes") && !message.contains("k1"),
            "{message}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_used_with_a_warning() {
        let home = tempfile::tempdir().unwrap();
        write(&home.path().join(".kaggle/kaggle.json"), FILE, 0o644);
        let warning = found(&[], home.path()).unwrap().warning.unwrap();
        assert!(warning.contains("chmod 600"), "{warning}");
    }

    #[test]
    fn debug_does_not_print_secrets() {
        let text = format!("{:?} {:?}", key("ann", "k1"), Credentials::Token("t3".to_owned()));
        assert_eq!(text, "Key Token");
    }

    #[test]
    fn headers_are_those_of_rfc_7617_and_rfc_6750() {
        // RFC 7617, section 2: "Aladdin" with "open sesame".
        let header = key("Aladdin", "open sesame").header().unwrap();
        assert_eq!(header, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(Credentials::Token("t3".to_owned()).header().unwrap(), "Bearer t3");
        assert_eq!(Credentials::Anonymous.header(), None);
    }
}
