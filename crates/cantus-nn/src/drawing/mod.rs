//! Drawing of a network as shapes, and as SVG: the project of the sixth lecture.
//!
//! [`Network::drawing`] has two forms:
//!
//! - `neurons`: every neuron and every weighted connection, if there are few enough to distinguish them;
//! - `blocks`: one block for each layer with its output shape, for all other networks.
//!
//! Both are lists of shapes ([`Drawing`]), which can be written as SVG or drawn with another backend. In the SVG, colours
//! follow the reader's light or dark theme (`prefers-color-scheme`). They are those of Okabe & Ito (2008, "Color Universal
//! Design"), distinguishable with any common colour vision deficiency.

mod blocks;
mod labels;
mod neurons;
mod shape;
mod svg;

pub use shape::{Anchor, Drawing, Role, Shape};

use crate::network::Network;

impl Network {
    /// A drawing of the network.
    ///
    /// Networks of dense layers with up to 16 neurons each are drawn neuron by neuron. A connection is blue where its
    /// weight is positive and orange where it is negative, and its width is the weight relative to the largest of its
    /// layer; a neuron's ring shows its bias in the same way. All other networks are drawn as one block for each layer, with its
    /// settings, the shape of its output and its number of parameters.
    ///
    /// The same weights give the same drawing.
    ///
    /// ```
    /// use cantus_nn::layer::Dense;
    /// use cantus_nn::{Activation, Architecture, LayerSpec, Network};
    ///
    /// let layers = vec![LayerSpec::Dense(Dense::new(2, Activation::Sigmoid))];
    /// let network = Network::new(&Architecture { input_shape: vec![3], layers }, 0)?;
    /// assert!(network.drawing().to_svg().starts_with("<svg"));
    /// # Ok::<(), cantus_nn::Error>(())
    /// ```
    #[must_use]
    pub fn drawing(&self) -> Drawing {
        let columns = neurons::columns(self);
        let drawing = columns.map_or_else(|| blocks::draw(self), |columns| neurons::draw(self, &columns));
        let title = format!("A network of {} parameters", crate::summary::grouped(self.n_parameters()));
        Drawing { title, ..drawing }
    }
}

#[cfg(test)]
mod tests {
    use crate::layer::{Dense, Dropout};
    use crate::{Activation, Architecture, LayerSpec, Network, Tensor};

    fn network(text: &str) -> Network {
        let architecture: Architecture = toml::from_str(text).unwrap();
        Network::new(&architecture, 1).unwrap()
    }

    fn lecture() -> Network {
        let layers = [3, 5, 2].map(|units| LayerSpec::Dense(Dense::new(units, Activation::Sigmoid)));
        Network::new(&Architecture { input_shape: vec![3], layers: layers.to_vec() }, 4).unwrap()
    }

    fn count(text: &str, what: &str) -> usize {
        text.matches(what).count()
    }

    #[test]
    fn the_lectures_perceptron_is_drawn_neuron_by_neuron() {
        let svg = lecture().drawing().to_svg();
        assert_eq!(count(&svg, "<circle"), 3 + 3 + 5 + 2);
        assert_eq!(count(&svg, "<path"), 3 * 3 + 3 * 5 + 5 * 2);
        assert_eq!(count(&svg, ">Dense<"), 3);
    }

    #[test]
    fn a_connection_has_the_colour_of_its_sign_and_the_width_of_its_size() {
        let layers = vec![LayerSpec::Dense(Dense::new(1, Activation::Linear))];
        let mut network = Network::new(&Architecture { input_shape: vec![3], layers }, 4).unwrap();
        let values = vec![2.0, -1.0, 0.0];
        let kernel = Tensor { name: "layers.0.kernel".into(), shape: vec![3, 1], values };
        network.set_weights(&[kernel]).unwrap();
        let svg = network.drawing().to_svg();
        let line = |name: &str| svg.lines().find(|line| line.contains(name)).unwrap().to_owned();
        let (heavy, light, none) = (line("kernel[0, 0]"), line("kernel[1, 0]"), line("kernel[2, 0]"));
        assert!(heavy.contains("positive") && heavy.contains("stroke-width=\"4\""), "{heavy}");
        assert!(light.contains("negative") && light.contains("stroke-width=\"2.3\""), "{light}");
        assert!(none.contains("stroke-width=\"0.6\""), "{none}");
    }

    #[test]
    fn layers_without_neurons_are_notes_at_the_layer_before() {
        let dense = LayerSpec::Dense(Dense::new(4, Activation::Relu));
        let layers =
            vec![LayerSpec::Flatten(Default::default()), dense, LayerSpec::Dropout(Dropout { rate: 0.3 })];
        let svg =
            Network::new(&Architecture { input_shape: vec![2, 3], layers }, 4).unwrap().drawing().to_svg();
        assert_eq!(count(&svg, "<circle"), 6 + 4);
        assert!(svg.contains("4 neurons, relu") && svg.contains("Dropout 0.3"), "{svg}");
    }

    #[test]
    fn large_networks_are_drawn_as_blocks() {
        let svg = network(
            r#"input_shape = [130, 13, 1]
            layers = [
                { type = "Conv2D", filters = 32, kernel_size = [3, 3], activation = "relu" },
                { type = "MaxPool2D", pool_size = [3, 3], strides = [2, 2], padding = "same" },
                { type = "Flatten" },
                { type = "Dense", units = 10, activation = "softmax", kernel_regularizer = { l2 = 0.001 } },
            ]"#,
        )
        .drawing()
        .to_svg();
        for text in [
            ">130 × 13 × 1<",
            ">32 filters of 3 × 3, relu<",
            ">128 × 11 × 32<",
            ">320 parameters<",
            ">3 × 3, strides 2 × 2, same<",
            ">64 × 6 × 32<",
            ">12288<",
            ">10 units, softmax, L2 0.001<",
            ">122,890 parameters<",
        ] {
            assert!(svg.contains(text), "{text} is not in\n{svg}");
        }
        assert_eq!(count(&svg, "class=\"card\""), 4);
    }

    #[test]
    fn nested_layers_are_listed_and_a_residual_block_has_a_skip_connection() {
        let svg = network(
            r#"input_shape = [130, 32]
            layers = [
                { type = "Residual", layers = [{ type = "Dense", units = 32 }, { type = "LayerNormalization" }] },
                { type = "Bidirectional", layer = { type = "GRU", units = 8, return_sequences = true } },
                { type = "MultiTimescaleLSTM", units = 4, time_scales = [2.0, 8.0], return_sequences = true },
                { type = "StatisticsPooling1D", scales = [1, 4] },
                { type = "RandomFourierFeatures", units = 64 },
            ]"#,
        )
        .drawing().to_svg();
        for text in [
            ">Dense 32 units → LayerNormalization<",
            ">GRU 8 units, every step<",
            ">4 units, every step, τ = 2 8<",
            ">130 × 16<",
            ">scales 1 4<",
            ">64 units, laplacian<",
        ] {
            assert!(svg.contains(text), "{text} is not in\n{svg}");
        }
        assert_eq!(count(&svg, "class=\"bypass\""), 1);
    }

    #[test]
    fn the_branches_of_a_mean_are_listed_in_short() {
        let branch = "{ layers = [{ type = 'Flatten' }, { type = 'Dense', units = 3 }] }";
        let text = format!(
            "input_shape = [4, 5]\nlayers = [{{ type = 'Average', branches = [{branch}, {branch}] }}]"
        );
        let svg = network(&text).drawing().to_svg();
        assert!(svg.contains(">mean of 2: Flatten → Dense<"), "{svg}");
        let other = "{ bins = [[0, 3]], layers = [{ type = 'GlobalAveragePooling1D' }, { type = 'Dense', units = 3 }] }";
        let branches = [branch, other].repeat(50).join(", ");
        let text =
            format!("input_shape = [4, 5]\nlayers = [{{ type = 'Average', branches = [{branches}] }}]");
        let svg = network(&text).drawing().to_svg();
        assert!(svg.contains(">mean of 100: Flatten → Dense; GlobalAverage…<"), "{svg}");
    }

    #[test]
    fn extreme_weights_are_drawn_too() {
        let mut network = lecture();
        let values = vec![f32::MAX, f32::MIN, -1.0, 0.0, 1e38, -1e38, 1e-45, 0.0, -0.0];
        let kernel = Tensor { name: "layers.0.kernel".into(), shape: vec![3, 3], values };
        network.set_weights(&[kernel]).unwrap();
        let svg = network.drawing().to_svg();
        let attributes = svg.split('"').skip(1).step_by(2);
        assert!(attributes.clone().count() > 100);
        attributes.for_each(|value| assert!(!value.contains("NaN") && !value.contains("inf"), "{value}"));
    }

    #[test]
    fn every_tag_that_opens_closes() {
        for svg in [
            lecture().drawing().to_svg(),
            network("input_shape = [99]\nlayers = [{ type = \"Dense\", units = 2 }]").drawing().to_svg(),
        ] {
            let mut open = Vec::new();
            for tag in svg.split('<').skip(1).map(|tag| tag.split('>').next().unwrap()) {
                if let Some(name) = tag.strip_prefix('/') {
                    assert_eq!(open.pop(), Some(name));
                } else if !tag.ends_with('/') {
                    open.push(tag.split(' ').next().unwrap());
                }
            }
            assert_eq!(open, Vec::<&str>::new());
        }
    }
}
