//! `--theme`: the colours of a picture.

use cantus_plot::Theme;
use clap::ValueEnum;

/// A [`Theme`] on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ThemeName {
    /// Dark on white, for paper and light pages
    Light,
    /// Light on near-black
    Dark,
}

impl From<ThemeName> for Theme {
    fn from(name: ThemeName) -> Self {
        match name {
            ThemeName::Light => Self::Light,
            ThemeName::Dark => Self::Dark,
        }
    }
}
