//! Charts of recordings, features, networks and results, as SVG and PNG.
//!
//! One function per chart takes slices and strings and returns a [`Picture`]: a list of marks in picture units whose colours
//! are roles. Theme and format are selected when it is encoded. Text is set in Noto Sans from a crate; no system font or
//! package is needed.
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
//! The functions do no I/O.

mod activations;
mod confusion_matrix;
mod encode;
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
pub use encode::PictureError;
pub use heat_map::{ColourRange, HeatMap, heat_map};
pub use history::{History, history};
pub use kernels::kernels;
pub use line_chart::{Axis, LineChart, Series, Style, line_chart};
pub use network::network;
pub use picture::Picture;
pub use rows::Rows;
pub use spectrum::{Spectrum, spectrum};
pub use strips::{Strip, strips};
pub use theme::Theme;
pub use tiles::{Tile, tiles};
pub use timeline::{TimeSegment, timeline};
pub use waveform::waveform;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_types_can_be_shared_between_threads() {
        fn is_send_and_sync<T: Send + Sync>() {}
        is_send_and_sync::<Picture>();
        is_send_and_sync::<PictureError>();
        is_send_and_sync::<Theme>();
        is_send_and_sync::<HeatMap<'_>>();
        is_send_and_sync::<LineChart<'_>>();
        is_send_and_sync::<TimeSegment>();
    }
}
