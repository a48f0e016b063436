//! `cantus man`: manual pages, generated from the same definitions as `--help`.

use std::path::PathBuf;

use anyhow::Context;
use cantus_audio::atomic_file;
use clap::{Args, Command};
use clap_mangen::Man;

use crate::output::{self, Outcome};

/// Write manual pages, one for each command
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cantus man ~/.local/share/man/man1
      then: man cantus, man cantus-train
  cantus man | man -l -
      the page of cantus itself")]
pub struct Manual {
    /// Folder to write them to; without it, the page of cantus itself is printed
    dir: Option<PathBuf>,
}

impl Manual {
    /// Writes the pages of `cantus`, the definition of the whole command line.
    pub fn run(&self, cantus: Command) -> anyhow::Result<Outcome> {
        let pages = pages(cantus)?;
        let Some(dir) = &self.dir else {
            output::exact(pages.first().map_or("", |(_, page)| page))?;
            return Ok(Outcome::Done);
        };
        atomic_file::create_folder(dir).with_context(|| dir.display().to_string())?;
        for (name, page) in &pages {
            output::save(&dir.join(name), page.as_bytes())?;
        }
        Ok(Outcome::Done)
    }
}

/// File names and pages: that of cantus, then those of its commands.
fn pages(mut cantus: Command) -> anyhow::Result<Vec<(String, String)>> {
    cantus.build();
    let commands: Vec<Command> = cantus.get_subcommands().filter(|c| !c.is_hide_set()).cloned().collect();
    std::iter::once(cantus).chain(commands).map(page).collect()
}

fn page(command: Command) -> anyhow::Result<(String, String)> {
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    let mut page = Vec::new();
    let man = Man::new(command).title(name.to_uppercase()).manual("Cantus");
    man.source(concat!("cantus ", env!("CARGO_PKG_VERSION"))).render(&mut page)?;
    Ok((format!("{name}.1"), with_lines_kept(&String::from_utf8(page)?)))
}

/// Keeps the line breaks of the text below the options, which has columns.
fn with_lines_kept(page: &str) -> String {
    let Some((before, below)) = page.split_once(".SH EXTRA\n") else { return page.to_owned() };
    let (extra, after) = below.split_once(".SH ").unwrap_or((below, ""));
    format!("{before}.SH NOTES\n.nf\n{extra}.fi\n.SH {after}")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn every_command_has_a_page_with_its_options() {
        let pages = pages(Cli::command()).unwrap();
        assert_eq!(pages.len(), 1 + Cli::command().get_subcommands().count());
        assert_eq!(pages[0].0, "cantus.1");
        let (_, train) = pages.iter().find(|(name, _)| name == "cantus-train.1").unwrap();
        for word in ["\\-\\-split\\-lists", ".SH OPTIONS", ".SH NOTES\n.nf\n", ".fi\n.SH VERSION"] {
            assert!(train.contains(word), "{word}: {train}");
        }
    }
}
