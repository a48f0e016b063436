//! Analyses recordings as the audit does, and finds the duplicates among analyses: the program behind `bench/audio/duplicates.py`.
//!
//!     cargo run --release -p cantus-dataset --example audit_files -- analyze FOLDER > analyses.json
//!     cargo run --release -p cantus-dataset --example audit_files -- duplicates < analyses.json
//!
//! `extract FOLDER OUT [off]` extracts the course's features as `cantus extract` does, with the audit or without it.

#![expect(clippy::print_stdout, reason = "an example")]

use std::io::{Read, stdin};
use std::path::Path;

use cantus_audio::feature::FeatureSpec;
use cantus_dataset::audit::{AuditedFile, analyze_file, audit};
use cantus_dataset::{AuditMode, Catalog, ExtractOptions};
use rayon::prelude::*;
use walkdir::WalkDir;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    match &std::env::args().skip(1).collect::<Vec<_>>()[..] {
        [command, folder] if command == "analyze" => analyze(folder),
        [command] if command == "duplicates" => duplicates(),
        [command, folder, out] if command == "extract" => extract(folder, out, AuditMode::Report),
        [command, folder, out, off] if command == "extract" && off == "off" => {
            extract(folder, out, AuditMode::Off)
        }
        _ => Err("arguments: analyze FOLDER | duplicates | extract FOLDER OUT [off]".into()),
    }
}

/// Prints the analyses of all files below a folder.
fn analyze(folder: &str) -> Result<(), Box<dyn std::error::Error>> {
    let entries = WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter();
    let paths: Vec<_> = entries.flatten().filter(|entry| entry.file_type().is_file()).collect();
    let analyze = |entry: &walkdir::DirEntry| AuditedFile {
        path: entry.path().display().to_string(),
        label: None,
        artist: None,
        analysis: analyze_file(entry.path()).map_err(|error| error.to_string()),
    };
    let files: Vec<AuditedFile> = paths.par_iter().map(analyze).collect();
    println!("{}", serde_json::to_string(&files)?);
    Ok(())
}

/// Prints the groups of duplicates among the analyses on standard input.
fn duplicates() -> Result<(), Box<dyn std::error::Error>> {
    let mut json = String::new();
    stdin().read_to_string(&mut json)?;
    let files: Vec<AuditedFile> = serde_json::from_str(&json)?;
    println!("{}", serde_json::to_string(&audit(&files, &FeatureSpec::course()).duplicates)?);
    Ok(())
}

/// Extracts a folder and prints the number of segments.
fn extract(folder: &str, out: &str, audit: AuditMode) -> Result<(), Box<dyn std::error::Error>> {
    let options = ExtractOptions { audit, ..ExtractOptions::default() };
    let (catalog, spec) = (Catalog::open(Path::new(folder))?, FeatureSpec::course());
    let extraction = cantus_dataset::extract(&catalog, &spec, Path::new(out), &options, &|_| {})?;
    println!("{} segments", extraction.n_segments);
    Ok(())
}
