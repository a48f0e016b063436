//! `cantus store verify`: every byte of a store against its hash.

use std::path::PathBuf;

use cantus_dataset::{Verification, verify_store};
use clap::Args;

use super::observed;
use crate::global_options::Global;
use crate::output::{self, Outcome};

/// Verify every byte of a feature store against its hash
#[derive(Debug, Args)]
#[command(after_help = "Exit code: 0 intact, 1 damaged; each damaged file is named in a line.")]
pub struct Verify {
    /// Feature store
    store: PathBuf,
}

impl Verify {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let verified = observed("verify", global, |observer| verify_store(&self.store, observer))?;
        let Some(Verification { n_parts, damage, .. }) = verified else { return Ok(Outcome::Interrupted) };
        damage.iter().for_each(|line| output::note(line));
        if damage.is_empty() {
            if !global.quiet {
                output::note(&format!(
                    "{}: {}, intact",
                    self.store.display(),
                    output::count(n_parts, "part")
                ));
            }
            return Ok(Outcome::Done);
        }
        Ok(Outcome::Failed)
    }
}
