//! `deny.toml`, which cargo-deny reads, too: what the dependencies may be.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use crate::{Result, license};

/// What the dependencies may be.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct DenyFile {
    /// Licences of any package.
    pub licenses: BTreeSet<String>,
    /// Further licences, by package.
    pub exceptions: BTreeMap<String, BTreeSet<String>>,
    /// Licence expressions of packages that contain what their manifest does not say, by package.
    pub clarified: BTreeMap<String, String>,
    /// `name@version` of packages of which there is a newer version, too.
    pub older_versions: BTreeSet<String>,
    /// Packages with a build script.
    pub build_scripts: BTreeSet<String>,
    /// Registries, as a lock file names them.
    pub registries: Vec<String>,
}

impl DenyFile {
    /// The lists of a `deny.toml`.
    ///
    /// # Errors
    /// If it is not TOML, lacks a list, or an entry has no name or no reason.
    pub fn parse(text: &str) -> Result<Self> {
        let table: Table = text.parse().map_err(|error| format!("deny.toml: {error}"))?;
        let mut exceptions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for exception in list(&table, &["licenses", "exceptions"])? {
            let allowed = exception
                .get("allow")
                .and_then(Value::as_array)
                .ok_or("deny.toml: an exception without `allow`")?;
            exceptions.entry(string(exception.get("crate"))?).or_default().extend(strings(allowed)?);
        }
        let clarified = list(&table, &["licenses", "clarify"])?
            .iter()
            .map(|it| Ok((string(it.get("crate"))?, string(it.get("expression"))?)))
            .collect::<Result<_>>()?;
        let mut older_versions = BTreeSet::new();
        for skipped in list(&table, &["bans", "skip"])? {
            let name = string(skipped.get("crate"))?;
            if skipped.get("reason").and_then(Value::as_str).is_none_or(str::is_empty) {
                return Err(format!("deny.toml: {name} has no reason"));
            }
            older_versions.insert(name);
        }
        let registries = strings(list(&table, &["sources", "allow-registry"])?)?;
        Ok(Self {
            licenses: strings(list(&table, &["licenses", "allow"])?)?.into_iter().collect(),
            exceptions,
            clarified,
            older_versions,
            build_scripts: strings(list(&table, &["bans", "build", "allow-build-scripts"])?)?
                .into_iter()
                .collect(),
            registries: registries.into_iter().map(|index| format!("registry+{index}")).collect(),
        })
    }

    /// The licence expression of a package whose manifest has `stated`.
    pub fn license<'a>(&'a self, package: &str, stated: Option<&'a str>) -> &'a str {
        self.clarified.get(package).map(String::as_str).or(stated).unwrap_or_default()
    }

    /// Whether a package with this licence expression may be a dependency.
    pub fn allows(&self, package: &str, expression: &str) -> bool {
        let exceptions = self.exceptions.get(package);
        license::is_satisfied(expression, &|name| {
            self.licenses.contains(name) || exceptions.is_some_and(|names| names.contains(name))
        })
    }

    /// Whether the exception of a package with this licence expression is needed.
    pub fn needs_exception(&self, expression: &str) -> bool {
        !license::is_satisfied(expression, &|name| self.licenses.contains(name))
    }
}

fn list<'a>(table: &'a Table, path: &[&str]) -> Result<&'a Vec<Value>> {
    let mut value = path.first().and_then(|key| table.get(*key));
    for key in path.iter().skip(1) {
        value = value.and_then(|value| value.get(key));
    }
    value.and_then(Value::as_array).ok_or_else(|| format!("deny.toml: no list {}", path.join(".")))
}

fn strings(values: &[Value]) -> Result<Vec<String>> {
    values.iter().map(|value| string(Some(value))).collect()
}

fn string(value: Option<&Value>) -> Result<String> {
    value
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| "deny.toml: an entry is no string".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "[licenses]\nallow = ['MIT']\nexceptions = [{ crate = 'a', allow = ['ISC'] }]\n\
        clarify = [{ crate = 'e', expression = 'MIT AND ISC' }]\n\
        [bans]\nskip = [{ crate = 'b@1.0.0', reason = 'c' }]\n\
        [bans.build]\nallow-build-scripts = ['d']\n[sources]\nallow-registry = ['https://example.org']\n";

    #[test]
    fn the_lists_are_read() {
        let file = DenyFile::parse(FILE).unwrap();
        assert_eq!(file.older_versions, BTreeSet::from(["b@1.0.0".to_owned()]));
        assert_eq!(file.build_scripts, BTreeSet::from(["d".to_owned()]));
        assert_eq!(file.registries, ["registry+https://example.org"]);
    }

    #[test]
    fn an_exception_is_for_its_package_only() {
        let file = DenyFile::parse(FILE).unwrap();
        assert!(file.allows("a", "ISC") && file.allows("a", "MIT AND ISC") && file.allows("b", "MIT"));
        assert!(!file.allows("b", "ISC") && !file.allows("a", "GPL-3.0-only"));
        assert!(file.needs_exception("ISC") && !file.needs_exception("ISC OR MIT"));
    }

    #[test]
    fn a_clarified_licence_replaces_that_of_the_manifest() {
        let file = DenyFile::parse(FILE).unwrap();
        assert_eq!(file.license("e", Some("MIT")), "MIT AND ISC");
        assert_eq!((file.license("a", Some("MIT")), file.license("a", None)), ("MIT", ""));
    }

    #[test]
    fn a_missing_list_and_a_missing_reason_are_errors() {
        assert!(DenyFile::parse("").is_err());
        let error = DenyFile::parse(&FILE.replace(", reason = 'c'", "")).unwrap_err();
        assert_eq!(error, "deny.toml: b@1.0.0 has no reason");
    }
}
