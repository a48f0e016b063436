//! The formats that features are written in.

use clap::ValueEnum;

use super::content::Content;
use super::kind::Kinds;
use super::picture::PictureOptions;
use super::{npy, picture, table, wrong};

/// A file format, named as its extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One array for numpy
    Npy,
    /// An array for each kind, for numpy
    Npz,
    /// A table with a header
    Csv,
    /// One JSON document
    Json,
    /// A table for pandas, polars and pyarrow
    Arrow,
    /// A raster picture
    Png,
    /// A vector picture
    Svg,
}

impl Format {
    /// The format that has this extension.
    pub fn with(extension: &str) -> Option<Self> {
        Self::value_variants().iter().copied().find(|format| format.extension() == extension)
    }

    pub fn extension(self) -> &'static str {
        match self {
            Self::Npy => "npy",
            Self::Npz => "npz",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Arrow => "arrow",
            Self::Png => "png",
            Self::Svg => "svg",
        }
    }

    /// Checks that one file of this format can hold the kinds, before any is computed.
    pub fn check(self, kinds: &Kinds) -> anyhow::Result<()> {
        let (n_framed, n_whole) = (kinds.framed.len(), kinds.whole.len());
        match self {
            Self::Npz | Self::Json => Ok(()),
            Self::Png | Self::Svg if n_framed + n_whole > 1 => {
                Err(wrong("a picture shows one kind of feature: give one to -k"))
            }
            Self::Npy | Self::Csv | Self::Arrow if n_whole > 1 || (n_whole == 1 && n_framed > 0) => {
                let name = kinds.whole[0].name().replace('_', "-");
                Err(wrong(format!(
                    "{name} has no frames and cannot be combined with other kinds in .{}: use .npz, or give it alone",
                    self.extension()
                )))
            }
            _ => Ok(()),
        }
    }

    /// The content as the bytes of a file.
    pub fn write(self, content: &Content<'_>, options: PictureOptions) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Npy => Ok(npy::npy(content)),
            Self::Npz => npy::npz(content),
            Self::Csv => table::csv(content),
            Self::Json => table::json(content),
            Self::Arrow => table::arrow(content),
            Self::Png => Ok(picture::draw(content, options).to_png(options.theme)),
            Self::Svg => Ok(picture::draw(content, options).to_svg(options.theme).into_bytes()),
        }
    }
}
