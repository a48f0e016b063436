//! Charts of recordings, features, networks and results, as SVG and PNG.
//!
//! One plain function per picture takes slices and strings and returns a [`Picture`]: a list of marks in picture
//! units, with colours named by their role. The theme and the format are chosen when it is written, so the SVG of a web
//! page and the PNG of a run folder, light or dark, are the same drawing. Text is set in Noto Sans, which comes out of a
//! crate: no system font and no system package is needed.
//!
//! | picture | function |
//! |---|---|
//! | activation functions | [`activations`](activations()) |
//! | accuracy and loss by epoch | [`history`](history()) |
//! | confusion matrix | [`confusion_matrix`](confusion_matrix()) |
//! | features over time: spectrogram, mel, MFCC, chroma, CQT, tempogram | [`heat_map`](heat_map()) |
//! | a network, by neurons or by layers | [`network`](network()) |
//! | any series against any axis: spectrum, ROC, activation functions | [`line_chart`](line_chart()) |
//! | a spectrum | [`spectrum`](spectrum()) |
//! | several series over one x axis, a strip for each | [`strips`](strips()) |
//! | small matrices, such as the kernels of a convolution | [`tiles`](tiles()), [`kernels`](kernels()) |
//! | probabilities of labels over time | [`timeline`](timeline()) |
//! | waveform | [`waveform`](waveform()) |
//!
//! A new picture is a new file that places a `Panel` and pushes marks; nothing here does I/O.

mod activations;
mod confusion_matrix;
mod font;
mod heat_map;
mod history;
mod kernels;
mod line_chart;
mod mark;
mod network;
mod panel;
mod picture;
mod raster;
mod rows;
mod scale;
mod spectrum;
mod strips;
mod svg;
mod theme;
mod tiles;
mod timeline;
mod trace;
mod waveform;

pub use activations::activations;
pub use confusion_matrix::confusion_matrix;
pub use heat_map::{ColourRange, HeatMap, heat_map};
pub use history::{History, history};
pub use kernels::kernels;
pub use line_chart::{Axis, LineChart, Series, Style, line_chart};
pub use network::network;
pub use picture::{Picture, PictureError};
pub use rows::Rows;
pub use spectrum::{Spectrum, spectrum};
pub use strips::{Strip, strips};
pub use theme::Theme;
pub use tiles::{Tile, tiles};
pub use timeline::{TimeSegment, timeline};
pub use waveform::waveform;
