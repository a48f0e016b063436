//! Kernels of the convolution layers of a network.

use cantus_nn::{Network, Tensor};

use super::{Picture, Tile, tiles};

/// More than this many kernels of one layer are left out, which the subtitle states.
const MOST_TILES: usize = 1024;

/// The kernels of every convolution of a network, within other layers too, first to last: the layer's path in the network, and a
/// picture.
///
/// Features are images whose rows are frames, so a kernel is turned as features are drawn: time to the right, and bins upwards. A
/// layer of several input channels has a kernel for each pair of filter and channel, filter by filter.
#[must_use]
pub fn kernels(network: &Network) -> Vec<(String, Picture)> {
    let pictures = network.weights().into_iter().filter_map(|tensor| {
        let path = tensor.name.strip_suffix(".kernel")?;
        Some((path.to_owned(), sheet(path, &tensor)?))
    });
    pictures.collect()
}

/// The kernels of one layer; `None` if its kernel is not that of a convolution, which has four axes.
fn sheet(path: &str, kernel: &Tensor) -> Option<Picture> {
    let [n_frames, n_bins, channels, filters] = kernel.shape[..] else { return None };
    let n_all = channels * filters;
    let turned: Vec<(String, Vec<f32>)> = (0..n_all)
        .take(MOST_TILES)
        .map(|i| {
            let (filter, channel) = (i / channels, i % channels);
            let at = |frame: usize, bin: usize| {
                kernel.values[((frame * n_bins + bin) * channels + channel) * filters + filter]
            };
            let rows = (0..n_bins).rev().flat_map(|bin| (0..n_frames).map(move |frame| (frame, bin)));
            let name = if n_all <= 64 { name(filter, channel, channels) } else { String::new() };
            (name, rows.map(|(frame, bin)| at(frame, bin)).collect())
        })
        .collect();
    let sheet: Vec<Tile<'_>> =
        turned.iter().map(|(name, values)| Tile { name, n_columns: n_frames, values }).collect();
    let mut subtitle =
        format!("{filters} filters of {n_frames} × {n_bins} over {channels} channels · time →, bins ↑");
    if channels == 1 {
        subtitle = format!("{filters} filters of {n_frames} × {n_bins} · time to the right, bins upwards");
    }
    if n_all > MOST_TILES {
        subtitle += &format!(" · the first {MOST_TILES} of {n_all}");
    }
    Some(tiles(&format!("Kernels of {path}"), &subtitle, &sheet))
}

fn name(filter: usize, channel: usize, channels: usize) -> String {
    if channels == 1 { format!("{filter}") } else { format!("{filter}, {channel}") }
}

#[cfg(test)]
mod tests {
    use cantus_nn::layer::{Conv2D, Dense, Padding, Residual};
    use cantus_nn::{Activation, Architecture, LayerSpec};

    use super::*;
    use crate::mark::{Ink, Mark};

    #[test]
    fn a_kernel_is_drawn_with_time_to_the_right_and_bins_upwards() {
        let layers = vec![LayerSpec::Conv2D(Conv2D::new(1, [2, 3], Activation::Relu))];
        let architecture = Architecture { input_shape: vec![8, 8, 1], layers };
        let mut network = Network::new(&architecture, 0).unwrap();
        // [2 frames, 3 bins]: frame 0 has 1, 2, 3, and frame 1 has 4, 5, 6.
        let values = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let kernel = Tensor { name: "layers.0.kernel".into(), shape: vec![2, 3, 1, 1], values };
        network.set_weights(&[kernel]).unwrap();
        let pictures = kernels(&network);
        assert_eq!(pictures.len(), 1);
        let shares = pictures[0].1.marks.iter().filter_map(|mark| match mark {
            Mark::Rect { fill: Ink::Signed(share), .. } => Some((share * 6.0).round()),
            _ => None,
        });
        assert_eq!(shares.take(6).collect::<Vec<_>>(), [3.0, 6.0, 2.0, 5.0, 1.0, 4.0]);
    }

    #[test]
    fn convolutions_within_other_layers_are_drawn_too() {
        let conv =
            LayerSpec::Conv2D(Conv2D { padding: Padding::Same, ..Conv2D::new(1, [3, 3], Activation::Relu) });
        let nested = LayerSpec::Residual(Residual { layers: vec![conv.clone()] });
        let dense = LayerSpec::Dense(Dense::new(2, Activation::Linear));
        let architecture = Architecture { input_shape: vec![8, 8, 1], layers: vec![conv, nested, dense] };
        let pictures = kernels(&Network::new(&architecture, 0).unwrap());
        let paths: Vec<_> = pictures.into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["layers.0", "layers.1.layers.0"]);
    }

    #[test]
    fn a_network_without_convolutions_has_no_kernels() {
        let layers = vec![LayerSpec::Flatten(Default::default())];
        let network = Network::new(&Architecture { input_shape: vec![2, 2], layers }, 0).unwrap();
        assert!(kernels(&network).is_empty());
    }
}
