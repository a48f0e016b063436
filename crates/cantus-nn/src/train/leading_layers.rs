//! The fixed layers at the start of a network, computed once for each example of a training instead of in every epoch.
//!
//! A layer is fixed if the output of an example follows from its input alone ([`Layer::is_fixed`](crate::layer::Layer::is_fixed)): a pooling, but no
//! dropout. If the inputs are the same in every epoch ([`Examples::varies_by_epoch`]), so are the outputs of the fixed layers that
//! a network begins with, such as statistics over time. They are computed when an example is first read, and read from memory
//! afterwards; the layers behind them are trained as if the outputs were the inputs. Since plan and shards of a step, keys of
//! random numbers and names of weights remain those of the whole network, no bit of the result changes.
//!
//! Both declarations are checked in tests and debug builds: whenever an example is read, its outputs are computed anew, with
//! other random numbers, and compared.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::architecture::Architecture;
use crate::error::Error;
use crate::examples::{Examples, Target};
use crate::layer::{BatchContext, ForwardCache, View, Weights};
use crate::sequential::{BuiltLayer, Sequential};

/// Whether declarations are checked.
const CHECKS: bool = cfg!(any(test, debug_assertions));

/// A network divided behind the fixed layers that it begins with.
#[derive(Debug)]
pub(super) struct LeadingLayers {
    /// The fixed layers, run.
    first: Sequential,
    /// The whole network with the fixed layers replaced by views, so that all others keep their indices.
    rest: Sequential,
}

impl LeadingLayers {
    /// `None` if the network does not begin with fixed layers, or their outputs are no smaller than its inputs.
    ///
    /// # Errors
    /// Those of the network, if it cannot be built.
    pub(super) fn of(architecture: &Architecture, factors: &[f32]) -> Result<Option<Self>, Error> {
        let mut rest = Sequential::new(architecture)?;
        rest.set_learning_rate_factors(factors)?;
        let n = rest.layers.iter().take_while(|built| is_fixed(built)).count();
        let Some(last) = n.checked_sub(1).map(|last| &rest.layers[last]) else { return Ok(None) };
        let is_trained = rest.layers.iter().any(|built| built.n_trainable() > 0);
        if last.output_len() >= rest.input_len() || !is_trained {
            return Ok(None);
        }
        rest.input_shape = last.layer.output_shape().to_vec();
        for built in &mut rest.layers[..n] {
            built.layer = Box::new(View(built.layer.output_shape().to_vec()));
        }
        rest.layers[..=n].iter_mut().for_each(|built| built.input_index = 0);
        let mut first = Sequential::new(architecture)?;
        first.layers.truncate(n);
        Ok(Some(Self { first, rest }))
    }

    /// The network whose inputs are the outputs of the fixed layers.
    pub(super) fn rest(&self) -> &Sequential {
        &self.rest
    }

    /// The outputs for training examples; `None` if their inputs vary by epoch or there are too many.
    pub(super) fn training<'a>(&'a self, examples: &'a dyn Examples) -> Option<LeadingOutputs<'a>> {
        if examples.varies_by_epoch() { None } else { self.outputs(examples, Reads::Inputs) }
    }

    /// The outputs for the views of validation examples; `None` if there are too many.
    pub(super) fn validation<'a>(&'a self, examples: &'a dyn Examples) -> Option<LeadingOutputs<'a>> {
        self.outputs(examples, Reads::Views(examples.n_views().max(1)))
    }

    fn outputs<'a>(&'a self, examples: &'a dyn Examples, reads: Reads) -> Option<LeadingOutputs<'a>> {
        let n = match reads {
            Reads::Inputs => examples.len(),
            Reads::Views(n_views) => examples.len().saturating_mul(n_views),
        };
        let n_bytes = n.saturating_mul(self.first.output_len()).saturating_mul(size_of::<f32>());
        let fits = n_bytes <= examples.memory_for_outputs();
        fits.then(|| LeadingOutputs {
            first: &self.first,
            examples,
            reads,
            kept: (0..n).map(|_| OnceLock::new()).collect(),
            n_checks: AtomicU64::new(0),
        })
    }
}

/// Whether a layer is declared fixed and has none of what would contradict it.
fn is_fixed(built: &BuiltLayer) -> bool {
    built.layer.is_fixed() && built.n_weights() == 0 && built.batch_reduction().is_none()
}

/// What is read of the examples: one input each in training, some views each in validation.
#[derive(Debug, Clone, Copy)]
enum Reads {
    Inputs,
    Views(usize),
}

/// Examples whose inputs are the outputs of fixed layers, computed when first read.
pub(super) struct LeadingOutputs<'a> {
    first: &'a Sequential,
    examples: &'a dyn Examples,
    reads: Reads,
    /// Of each input or view.
    kept: Vec<OnceLock<Box<[f32]>>>,
    /// Makes the random numbers of each check others.
    n_checks: AtomicU64,
}

impl LeadingOutputs<'_> {
    /// Copies the outputs for an input or view, which `write` writes.
    fn read(&self, place: usize, outputs: &mut [f32], write: impl Fn(&mut [f32])) {
        let kept = self.kept[place].get_or_init(|| self.compute(0, &write));
        outputs.copy_from_slice(kept);
        if CHECKS {
            let key = 1 + self.n_checks.fetch_add(1, Ordering::Relaxed);
            let anew = self.compute(key, &write);
            let is_equal = kept
                .iter()
                .zip(&*anew)
                .all(|(a, b)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()));
            assert!(
                is_equal,
                "example {place}: a layer is declared fixed, or its input independent of the epoch, but is not"
            );
        }
    }

    /// The outputs for one input; `key` is that of the random numbers, which fixed layers do not draw.
    fn compute(&self, key: u64, write: impl Fn(&mut [f32])) -> Box<[f32]> {
        let mut x = vec![0.0; self.first.input_len()];
        write(&mut x);
        for built in self.first.layers.iter().filter(|built| !built.layer.is_view()) {
            let mut y = vec![0.0; built.output_len()];
            let sizes = built.layer.buffer_sizes();
            let (mut cached, mut scratch) = (vec![0.0; sizes.cached], vec![0.0; sizes.scratch_len(1)]);
            let context =
                BatchContext { rows: 1, first_row: 0, training: true, skips_activation: false, key };
            let cache = ForwardCache { cached: &mut cached, scratch: &mut scratch };
            built.layer.forward(&context, Weights { values: &[], derived: &[] }, &x, &mut y, cache);
            x = y;
        }
        x.into_boxed_slice()
    }
}

impl Examples for LeadingOutputs<'_> {
    fn len(&self) -> usize {
        self.examples.len()
    }

    fn input_len(&self) -> usize {
        self.first.output_len()
    }

    fn write_input(&self, index: usize, epoch: usize, input: &mut [f32]) {
        self.read(index, input, |input| self.examples.write_input(index, epoch, input));
    }

    fn varies_by_epoch(&self) -> bool {
        self.examples.varies_by_epoch()
    }

    fn announce(&self, indices: &[usize], epoch: usize) {
        let unread: Vec<usize> =
            indices.iter().copied().filter(|&index| self.kept[index].get().is_none()).collect();
        if !unread.is_empty() {
            self.examples.announce(&unread, epoch);
        }
    }

    fn target(&self, index: usize) -> Target<'_> {
        self.examples.target(index)
    }

    fn training_target(&self, index: usize, epoch: usize) -> Target<'_> {
        self.examples.training_target(index, epoch)
    }

    fn n_views(&self) -> usize {
        self.examples.n_views()
    }

    fn write_view(&self, index: usize, view: usize, input: &mut [f32]) {
        let place = match self.reads {
            Reads::Inputs => index,
            Reads::Views(n_views) => index * n_views + view,
        };
        self.read(place, input, |input| self.examples.write_view(index, view, input));
    }

    fn weight(&self, index: usize) -> f32 {
        self.examples.weight(index)
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::examples::InMemory;
    use crate::layer::{BackwardReads, GradientIo, Layer};
    use crate::network::Network;
    use crate::testing::noise;
    use crate::train::Training;

    const POOLED: &str = r#"{ type = "StatisticsPooling1D", scales = [1] }, { type = "Flatten" }"#;

    fn architecture(layers: &str) -> Architecture {
        toml::from_str(&format!("input_shape = [20, 6]\nlayers = [{layers}]")).unwrap()
    }

    /// How many layers are computed once, if any, and the length of their outputs.
    fn divided(layers: &str, factors: &[f32]) -> Option<(usize, usize)> {
        let leading = LeadingLayers::of(&architecture(layers), factors).unwrap()?;
        assert_eq!(leading.first.output_len(), leading.rest.input_len());
        Some((leading.first.layers.len(), leading.rest.input_len()))
    }

    #[test]
    fn a_network_is_divided_behind_the_fixed_layers_that_make_its_inputs_smaller() {
        let dense = r#"{ type = "Dense", units = 4 }"#;
        let found = |before: &str| divided(&format!("{before}, {dense}"), &[]);
        assert_eq!(found(POOLED), Some((2, 18)));
        assert_eq!(found(r#"{ type = "GlobalAveragePooling1D" }"#), Some((1, 6)));
        let image = r#"{ type = "Reshape", target_shape = [20, 6, 1] }, { type = "MaxPool2D" }"#;
        assert_eq!(
            found(&format!(r#"{image}, {{ type = "Activation", activation = "relu" }}"#)),
            Some((3, 30))
        );
        // Smaller, but random or trained before; or fixed, but not smaller.
        for before in [
            r#"{ type = "GaussianNoise", stddev = 0.1 }, { type = "GlobalAveragePooling1D" }"#,
            r#"{ type = "Dense", units = 6 }, { type = "GlobalAveragePooling1D" }"#,
            r#"{ type = "BatchNormalization" }, { type = "GlobalAveragePooling1D" }"#,
            r#"{ type = "Flatten" }"#,
            r#"{ type = "Activation", activation = "tanh" }"#,
        ] {
            assert_eq!(found(before), None, "{before}");
        }
        // Without anything to train, all is left as it is.
        assert_eq!(divided(r#"{ type = "GlobalAveragePooling1D" }"#, &[]), None);
        assert_eq!(divided(&format!("{POOLED}, {dense}"), &[1.0, 1.0, 0.0]), None);
    }

    #[test]
    fn layers_behind_the_fixed_ones_keep_their_places_and_paths() {
        let layers =
            format!(r#"{POOLED}, {{ type = "BatchNormalization" }}, {{ type = "Dense", units = 4 }}"#);
        let leading = LeadingLayers::of(&architecture(&layers), &[1.0, 1.0, 0.5]).unwrap().unwrap();
        let whole = Sequential::new(&architecture(&layers)).unwrap();
        let names = |model: &Sequential| model.tensor_names().collect::<Vec<_>>();
        assert_eq!(names(&leading.rest), names(&whole));
        let inputs: Vec<usize> = leading.rest.layers.iter().map(|built| built.input_index).collect();
        assert_eq!((inputs, leading.rest.layers[2].learning_rate_factor), (vec![0, 0, 0, 3], 0.5));
    }

    /// Adds the epoch to each number, but declares that it does not.
    struct Undeclared<'a>(InMemory<'a>);

    impl Examples for Undeclared<'_> {
        fn len(&self) -> usize {
            self.0.len()
        }

        fn input_len(&self) -> usize {
            self.0.input_len()
        }

        fn write_input(&self, index: usize, epoch: usize, input: &mut [f32]) {
            self.0.write_input(index, epoch, input);
            input.iter_mut().for_each(|value| *value += epoch as f32);
        }

        fn varies_by_epoch(&self) -> bool {
            false
        }

        fn target(&self, index: usize) -> Target<'_> {
            self.0.target(index)
        }
    }

    #[test]
    fn inputs_that_vary_by_epoch_though_declared_constant_end_a_training() {
        let (inputs, classes) = (noise(12 * 120, 3), (0..12).map(|i| i % 4).collect::<Vec<_>>());
        let examples = InMemory::classes(&inputs, &classes);
        let fit = |examples: &dyn Examples| {
            let layers = format!(r#"{POOLED}, {{ type = "Dense", units = 4, activation = "softmax" }}"#);
            let mut network = Network::new(&architecture(&layers), 1).unwrap();
            let training = Training { epochs: 2, n_threads: 1, ..Training::default() };
            catch_unwind(AssertUnwindSafe(|| {
                network.fit(examples, None, &training, |_| ControlFlow::Continue(())).unwrap()
            }))
        };
        assert!(fit(&examples).is_ok() && fit(&Undeclared(examples)).is_err());
    }

    /// Its output is the key of the random numbers, but it declares that it draws none.
    #[derive(Debug)]
    struct Random;

    impl Layer for Random {
        fn output_shape(&self) -> &[usize] {
            &[1]
        }

        fn forward(
            &self,
            context: &BatchContext,
            _: Weights<'_>,
            _: &[f32],
            y: &mut [f32],
            _: ForwardCache<'_>,
        ) {
            y.fill(context.key as f32);
        }

        fn backward(
            &self,
            _: &BatchContext,
            _: Weights<'_>,
            _: GradientIo<'_>,
            _: &mut [f32],
            _: ForwardCache<'_>,
        ) {
        }

        fn backward_reads(&self) -> BackwardReads {
            BackwardReads::NEITHER
        }

        fn is_fixed(&self) -> bool {
            true
        }
    }

    #[test]
    fn a_random_layer_that_is_declared_fixed_ends_every_training() {
        let inputs = noise(120, 4);
        let examples = InMemory::classes(&inputs, &[0]);
        let layers = r#"{ type = "GlobalAveragePooling1D" }, { type = "Dense", units = 4 }"#;
        let read = |is_random: bool| {
            let mut leading = LeadingLayers::of(&architecture(layers), &[]).unwrap().unwrap();
            if is_random {
                leading.first.layers[0].layer = Box::new(Random);
            }
            let outputs = leading.training(&examples).unwrap();
            let mut input = vec![0.0; outputs.input_len()];
            catch_unwind(AssertUnwindSafe(|| outputs.write_input(0, 0, &mut input))).is_ok()
        };
        assert!(read(false) && !read(true));
    }
}
