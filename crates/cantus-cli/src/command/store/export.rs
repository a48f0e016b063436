//! `cantus store export`: a store in a format that other programs read.

use std::path::PathBuf;

use cantus_dataset::{ExportFormat, Exported, export_store};
use clap::{Args, ValueEnum};

use super::observed;
use crate::global_options::Global;
use crate::output::{self, Outcome, WrongUsage};

/// Export a feature store for other programs
#[derive(Debug, Args)]
pub struct Export {
    /// Feature store
    store: PathBuf,
    /// File to write; a folder for webdataset
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Format of the output
    #[arg(long, value_enum)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// One Arrow IPC file, for pandas, polars and pyarrow
    Arrow,
    /// Arrays for numpy: X, y, paths, groups, labels, segments, copies
    Npz,
    /// Not supported
    #[value(hide = true)]
    Parquet,
    /// A folder of tar files with a sample for each segment: .npy, .json, .cls
    Webdataset,
}

impl Export {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let format = match self.format {
            Format::Arrow => ExportFormat::Arrow,
            Format::Npz => ExportFormat::Npz,
            Format::Webdataset => ExportFormat::Webdataset,
            Format::Parquet => {
                let what = "--format parquet is not supported; use arrow, which pyarrow converts to Parquet";
                return Err(WrongUsage(what.to_owned()).into());
            }
        };
        let exported =
            observed("export", global, |observer| export_store(&self.store, &self.output, format, observer))?;
        let Some(Exported { n_rows }) = exported else { return Ok(Outcome::Interrupted) };
        if !global.quiet {
            output::note(&format!("{}: {}", self.output.display(), output::count(n_rows, "segment")));
        }
        Ok(Outcome::Done)
    }
}
