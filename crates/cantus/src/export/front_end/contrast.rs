//! Spectral contrast in the graph: level difference of the largest and the smallest bins of each octave band.

use cantus_audio::feature::ContrastBand;
use cantus_audio::transform::decibel::Decibel;

use super::builder::FrontEndBuilder;
use crate::export::graph::Value;

/// Contrast of each band, `[batch, n_frames, n_bands + 1]`.
pub(super) fn contrast(builder: &mut FrontEndBuilder<'_>) -> Value {
    let config = builder.spec.contrast;
    let magnitude = builder.magnitude();
    let bands = config.bands(builder.spec.sample_rate, builder.spec.n_fft);
    let peaks = bands.iter().map(|band| peak(builder, &magnitude, band)).collect();
    let negative = builder.graph.times(&magnitude, -1.0);
    let valleys = bands.iter().map(|band| peak(builder, &negative, band)).collect();
    let [peaks, valleys] = [peaks, valleys].map(|means| builder.graph.concat(means, 2));
    let valleys = builder.graph.times(&valleys, -1.0);
    let [peaks, valleys] = [peaks, valleys].map(|means| match config.linear {
        true => means,
        false => builder.decibel_within(&means, Decibel::POWER.top_db),
    });
    builder.graph.node("Sub", [&peaks, &valleys])
}

/// The mean of a band's greatest values, `[batch, n_frames, 1]`.
fn peak(builder: &mut FrontEndBuilder<'_>, spectrum: &Value, band: &ContrastBand) -> Value {
    let n = band.n_extremes.min(band.bins.len());
    let bins = builder.graph.slice(spectrum, 2, band.bins.clone());
    let greatest = builder.graph.greatest(&bins, n);
    builder.graph.mean(&greatest, &[2], true)
}
