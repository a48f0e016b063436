//! Precedence of options: flag, environment variable, configuration file, default.
//!
//! clap implements the precedence of flag, environment and default. Keys of the file are converted to flags: each key
//! that neither the command line nor the environment sets is appended to the command line, where clap validates it as any
//! other. So a key is an option's long name, and no option is listed twice.

use std::ffi::OsString;
use std::path::PathBuf;

use cantus_audio::regular_file;
use clap::builder::BoolishValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches};

use crate::cli::Cli;

/// Reads the command line, the environment and the configuration file.
///
/// # Errors
/// Wrong usage, or a request for help, as clap reports it.
pub fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let mut arguments: Vec<OsString> = arguments.collect();
    let command = with_environment(Cli::command());
    let draft = command.clone().ignore_errors(true).try_get_matches_from(&arguments)?;
    if let Some(path) = draft.try_get_one::<PathBuf>("config").ok().flatten() {
        let flags = flags_from_file(&command, path, &draft)?;
        arguments.extend(flags);
    }
    let matches = command.try_get_matches_from(arguments)?;
    Cli::from_arg_matches(&matches)
}

/// Gives every option its environment variable: `--batch-size` is `CANTUS_BATCH_SIZE`.
fn with_environment(command: Command) -> Command {
    let command = command.mut_args(|arg| match arg.get_long() {
        Some("help" | "version") | None => arg,
        Some(long) => {
            let variable = format!("CANTUS_{}", long.replace('-', "_").to_uppercase());
            let arg = arg.env(variable).hide_env(true);
            // The variable of a switch may be 1, yes or on.
            let is_switch = matches!(arg.get_action(), ArgAction::SetTrue);
            if is_switch { arg.value_parser(BoolishValueParser::new()) } else { arg }
        }
    });
    command.mut_subcommands(with_environment)
}

/// The flags that a configuration file adds to a command line.
fn flags_from_file(
    command: &Command,
    path: &std::path::Path,
    draft: &ArgMatches,
) -> Result<Vec<OsString>, clap::Error> {
    let wrong =
        |what: String| command.clone().error(ErrorKind::InvalidValue, format!("{}: {what}", path.display()));
    let text = regular_file::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let table: toml::Table = cantus::parse_toml(&text).map_err(wrong)?;
    let Some((name, matches)) = draft.subcommand() else { return Ok(Vec::new()) };
    let Some(subcommand) = command.find_subcommand(name) else { return Ok(Vec::new()) };

    let mut flags = Vec::new();
    for (key, value) in &table {
        match value {
            toml::Value::Table(options) if command.find_subcommand(key).is_some() => {
                for (option, value) in options.iter().filter(|_| key == name) {
                    flags.extend(flag(subcommand, matches, option, value).map_err(&wrong)?);
                }
            }
            // Metadata of a run, in its `config.toml` beside the options.
            toml::Value::Table(_) if key == "run" => {}
            toml::Value::Table(_) => return Err(wrong(format!("[{key}] is no command of cantus"))),
            value => flags.extend(flag(command, draft, key, value).map_err(&wrong)?),
        }
    }
    Ok(flags)
}

/// One key of the file as flags: none if the command line or the environment already sets that option.
fn flag(
    command: &Command,
    matches: &ArgMatches,
    key: &str,
    value: &toml::Value,
) -> Result<Vec<OsString>, String> {
    let long = key.replace('_', "-");
    let Some(argument) = command.get_arguments().find(|a| a.get_long() == Some(long.as_str())) else {
        let known: Vec<_> = command.get_arguments().filter_map(|a| a.get_long()).collect();
        return Err(format!(
            "`{key}` is no option of `{}`; it has: {}",
            command.get_name(),
            known.join(", ")
        ));
    };
    let set = matches.value_source(argument.get_id().as_str());
    if matches!(set, Some(ValueSource::CommandLine | ValueSource::EnvVariable)) {
        return Ok(Vec::new());
    }
    let option = format!("--{long}");
    match value {
        toml::Value::Boolean(true) if !argument.get_action().takes_values() => Ok(vec![option.into()]),
        toml::Value::Boolean(false) if !argument.get_action().takes_values() => Ok(Vec::new()),
        toml::Value::String(text) => Ok(vec![format!("{option}={text}").into()]),
        toml::Value::Array(items) => {
            Ok(items.iter().map(|item| format!("{option}={}", plain(item)).into()).collect())
        }
        other => Ok(vec![format!("{option}={}", plain(other)).into()]),
    }
}

/// A TOML value as it would be typed on a command line.
fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Command;

    fn parse_words(words: &[&str]) -> Result<Cli, clap::Error> {
        parse(words.iter().map(OsString::from))
    }

    fn epochs(cli: &Cli) -> Option<usize> {
        match &cli.command {
            Command::Train(train) => train.epochs,
            other => panic!("expected train, got {other:?}"),
        }
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn clap_accepts_the_definition() {
        with_environment(Cli::command()).debug_assert();
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let file = file("quiet = true\n[train]\nepochs = 7\n[predict]\njson = true\n");
        let path = file.path().to_str().unwrap();
        let from_file = parse_words(&["cantus", "train", "x", "-o", "y", "--config", path]).unwrap();
        assert_eq!(epochs(&from_file), Some(7));
        assert!(from_file.global.quiet);
        let flag =
            parse_words(&["cantus", "--config", path, "train", "x", "-o", "y", "--epochs", "3"]).unwrap();
        assert_eq!(epochs(&flag), Some(3));
    }

    #[test]
    fn an_unknown_key_is_reported_with_those_that_exist() {
        let file = file("[train]\nepoch = 7\n");
        let path = file.path().to_str().unwrap();
        let error = parse_words(&["cantus", "train", "x", "-o", "y", "--config", path]).unwrap_err();
        assert!(error.to_string().contains("`epoch` is no option of `train`"), "{error}");
        assert!(error.to_string().contains("epochs"), "{error}");
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn a_missing_or_malformed_file_is_wrong_usage() {
        let error =
            parse_words(&["cantus", "train", "x", "-o", "y", "--config", "/no/such/file"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let file = file("epochs = [");
        let path = file.path().to_str().unwrap();
        let error = parse_words(&["cantus", "train", "x", "-o", "y", "--config", path]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
    }
}
