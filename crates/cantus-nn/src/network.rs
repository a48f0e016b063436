//! A network: its layers and weights, with training, prediction and evaluation.

use std::ops::{ControlFlow, Range};
use std::sync::Mutex;

use crate::architecture::Architecture;
use crate::error::Error;
use crate::evaluation::{check_examples, scores};
use crate::examples::Examples;
use crate::history::{History, Scores};
use crate::inference::{BlockInference, Inference, Outputs};
use crate::loss::Loss;
use crate::micro_batch::BLOCK;
use crate::sequential::Sequential;
use crate::summary;
use crate::sync::lock;
use crate::tensor::Tensor;
use crate::thread_pool::with_thread_pool;
use crate::train::{self, NetworkParts, Progress, Training};

/// Layers with weights, trained by [`fit`](Self::fit) and used by [`predict`](Self::predict).
///
/// ```
/// use std::ops::ControlFlow;
/// use cantus_nn::layer::Dense;
/// use cantus_nn::{Activation, Architecture, InMemory, LayerSpec, Network, Training};
///
/// # fn main() -> Result<(), cantus_nn::Error> {
/// let layers = vec![LayerSpec::Dense(Dense::new(2, Activation::Softmax))];
/// let mut network = Network::new(&Architecture { input_shape: vec![1], layers }, 0)?;
/// let (inputs, classes) = ([-2.0, -1.0, 1.0, 2.0], [0, 0, 1, 1]);
/// let training = Training { epochs: 3000, ..Training::default() };
/// network.fit(&InMemory::classes(&inputs, &classes), None, &training, |_| ControlFlow::Continue(()))?;
/// let probabilities = network.predict(&[1.5])?;
/// assert!(probabilities[1] > 0.5);
/// # Ok(())
/// # }
/// ```
///
/// # Reference
/// Behaves as `keras.Sequential`.
#[derive(Debug)]
pub struct Network {
    pub(crate) architecture: Architecture,
    pub(crate) model: Sequential,
    /// One vector for each layer: its tensors, one after another.
    pub(crate) parameters: Vec<Vec<f32>>,
    /// See [`Self::set_threads`].
    n_threads: usize,
    /// Buffers of the last small prediction, for the next one.
    spare: Mutex<Option<Inference>>,
}

impl Network {
    /// Builds all layers with initial weights; the same seed gives the same weights.
    ///
    /// # Errors
    /// If the architecture is empty, a setting is out of range, or a layer does not fit the output of the one before:
    /// names the layer, what it got and what it needs.
    pub fn new(architecture: &Architecture, seed: u64) -> Result<Self, Error> {
        let model = Sequential::new(architecture)?;
        let parameters = (0..model.layers.len()).map(|index| model.initial_weights(index, seed)).collect();
        Ok(Self {
            architecture: architecture.clone(),
            model,
            parameters,
            n_threads: 0,
            spare: Mutex::new(None),
        })
    }

    /// Builds all layers with given weights.
    ///
    /// # Errors
    /// As [`Self::new`] and [`Self::set_weights`], and if a weight is missing.
    pub fn with_weights(architecture: &Architecture, tensors: &[Tensor]) -> Result<Self, Error> {
        let model = Sequential::new(architecture)?;
        let mut network = Self {
            architecture: architecture.clone(),
            model,
            parameters: Vec::new(),
            n_threads: 0,
            spare: Mutex::new(None),
        };
        let is_given = |name: &String| tensors.iter().any(|tensor| tensor.name == *name);
        let missing = network.model.tensor_names().find(|name| !is_given(name));
        if let Some(name) = missing {
            return Err(Error::MissingWeight { name });
        }
        // All tensors fit before memory for them is allocated.
        tensors.iter().try_for_each(|tensor| network.locate(tensor).map(drop))?;
        network.parameters = network.model.layers.iter().map(|built| vec![0.0; built.n_weights()]).collect();
        network.set_weights(tensors)?;
        Ok(network)
    }

    /// The architecture it was built from.
    #[must_use]
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Limits the threads of [`predict`](Self::predict) and [`evaluate`](Self::evaluate), including the calling one; 0,
    /// the default, for the number of processors. Does not change a bit of the result.
    ///
    /// [`fit`](Self::fit) has its own setting.
    pub fn set_threads(&mut self, n_threads: usize) {
        self.n_threads = n_threads;
    }

    /// Of one example.
    #[must_use]
    pub fn input_shape(&self) -> &[usize] {
        &self.model.input_shape
    }

    /// Of one example.
    #[must_use]
    pub fn output_shape(&self) -> &[usize] {
        self.model.output_shape()
    }

    /// The number of weights, trained or not.
    #[must_use]
    pub fn n_parameters(&self) -> usize {
        self.parameters.iter().map(Vec::len).sum()
    }

    /// A table of layers, output shapes and numbers of parameters, as Keras prints it.
    #[must_use]
    pub fn summary(&self) -> String {
        summary::summary(&self.model)
    }

    /// Trains on `train` and evaluates `validation` after each epoch.
    ///
    /// `observe` receives the progress and can end the training early with [`ControlFlow::Break`]. Afterwards the network
    /// has the weights of the last epoch, or of the best one if `training.early_stopping` restores them.
    ///
    /// # Errors
    /// If a setting is out of range, a layer is for inference only, or the examples do not fit the network or the loss: the
    /// network is unchanged then. If a loss or a weight becomes NaN or infinite ([`Error::Diverged`]): the network has the
    /// weights of its best epoch then, or the initial ones if there was none.
    pub fn fit(
        &mut self,
        train: &dyn Examples,
        validation: Option<&dyn Examples>,
        training: &Training,
        observe: impl FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<History, Error> {
        train::fit(self.parts(), train, validation, training, None, observe)
    }

    /// Continues a training from `checkpoint` (see [`Progress::Epoch`]). With the same examples and settings, the result
    /// has the same bits as without the interruption.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use cantus_nn::layer::Dense;
    /// use cantus_nn::{Activation, Architecture, InMemory, LayerSpec, Network, Progress, Training};
    ///
    /// # fn main() -> Result<(), cantus_nn::Error> {
    /// let layers = vec![LayerSpec::Dense(Dense::new(2, Activation::Softmax))];
    /// let architecture = Architecture { input_shape: vec![1], layers };
    /// let train = InMemory::classes(&[-2.0, -1.0, 1.0, 2.0], &[0, 0, 1, 1]);
    /// let training = Training { epochs: 5, ..Training::default() };
    ///
    /// let (mut network, mut checkpoint) = (Network::new(&architecture, 0)?, Vec::new());
    /// network.fit(&train, None, &training, |progress| match progress {
    ///     Progress::Epoch(end) if end.epoch == 1 => {
    ///         checkpoint = end.checkpoint().unwrap_or_default();
    ///         ControlFlow::Break(())
    ///     }
    ///     _ => ControlFlow::Continue(()),
    /// })?;
    /// let mut resumed = Network::new(&architecture, 0)?;
    /// let history = resumed.resume(&train, None, &training, &checkpoint, |_| ControlFlow::Continue(()))?;
    /// assert_eq!(history.n_epochs(), 5);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`fit`](Self::fit), and if the checkpoint is damaged or belongs to another network or training.
    pub fn resume(
        &mut self,
        train: &dyn Examples,
        validation: Option<&dyn Examples>,
        training: &Training,
        checkpoint: &[u8],
        observe: impl FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<History, Error> {
        train::fit(self.parts(), train, validation, training, Some(checkpoint), observe)
    }

    fn parts(&mut self) -> NetworkParts<'_> {
        let Self { architecture, model, parameters, .. } = self;
        NetworkParts { architecture, model, parameters }
    }

    /// The outputs for some inputs; many inputs are divided among threads.
    ///
    /// # Shapes
    /// - `inputs`: `[n, input_shape...]`
    /// - returns: `[n, output_shape...]`
    ///
    /// # Errors
    /// If `inputs` is not a whole number of examples.
    pub fn predict(&self, inputs: &[f32]) -> Result<Vec<f32>, Error> {
        let input_len = self.model.input_len();
        if !inputs.len().is_multiple_of(input_len) {
            let shape = self.model.input_shape.clone();
            return Err(Error::Inputs { got: inputs.len(), wanted: input_len, shape });
        }
        let (n, output_len) = (inputs.len() / input_len, self.model.output_len());
        if n <= BLOCK {
            return Ok(self.predict_block(inputs, n));
        }
        let mut outputs = vec![0.0; n * output_len];
        let blocks: Vec<_> = outputs.chunks_mut(BLOCK * output_len).map(Mutex::new).collect();
        let write =
            |i: usize, input: &mut [f32]| input.copy_from_slice(&inputs[i * input_len..(i + 1) * input_len]);
        let read = |block: usize, outputs: &[f32]| lock(&blocks[block]).copy_from_slice(outputs);
        let inference = BlockInference::new(&self.model, n, Outputs::Activated, self.n_threads);
        let work = |(), worker: usize| inference.work(&self.parameters, worker, write, read);
        let n_workers = inference.n_workers();
        with_thread_pool(n_workers, work, |pool| pool.run((), n_workers));
        Ok(outputs)
    }

    /// Predicts one block of inputs, in buffers kept for the next call: to allocate them may take longer than inference.
    fn predict_block(&self, inputs: &[f32], n: usize) -> Vec<f32> {
        let kept = lock(&self.spare).take().filter(|inference| inference.capacity() >= n);
        let mut inference = kept.unwrap_or_else(|| Inference::new(&self.model, n));
        inference.input()[..inputs.len()].copy_from_slice(inputs);
        let outputs = inference.run(&self.model, &self.parameters, n, Outputs::Activated).to_vec();
        *lock(&self.spare) = Some(inference);
        outputs
    }

    /// Loss and accuracy on some examples.
    ///
    /// # Errors
    /// If there are none, or they do not fit the network or the loss.
    pub fn evaluate(&self, examples: &dyn Examples, loss: Loss) -> Result<Scores, Error> {
        check_examples(&self.model, examples, loss, "evaluation")?;
        Ok(scores(&self.model, &self.parameters, examples, loss, self.n_threads))
    }

    /// All weights by name, first layer to last, trained or not.
    #[must_use]
    pub fn weights(&self) -> Vec<Tensor> {
        self.model.tensors(&self.parameters)
    }

    /// Replaces weights by name; others are unchanged.
    ///
    /// # Errors
    /// If a name is unknown, a shape differs, or a value is not finite. Nothing is replaced then.
    pub fn set_weights(&mut self, tensors: &[Tensor]) -> Result<(), Error> {
        let ranges: Vec<_> = tensors.iter().map(|tensor| self.locate(tensor)).collect::<Result<_, _>>()?;
        for (tensor, (index, range)) in tensors.iter().zip(ranges) {
            self.parameters[index][range].copy_from_slice(&tensor.values);
        }
        Ok(())
    }

    /// The layer that a tensor belongs to, and its range within the layer's weights.
    fn locate(&self, wanted: &Tensor) -> Result<(usize, Range<usize>), Error> {
        for (index, built) in self.model.layers.iter().enumerate() {
            for tensor in &built.tensors {
                if wanted.name.strip_prefix(&built.path).and_then(|name| name.strip_prefix('.'))
                    == Some(&*tensor.parameter.name)
                {
                    let shape = &tensor.parameter.shape;
                    if wanted.shape != *shape || wanted.values.len() != tensor.range.len() {
                        let (name, got, wanted) = (wanted.name.clone(), wanted.shape.clone(), shape.clone());
                        return Err(Error::WeightShape { name, got, wanted });
                    }
                    if let Some(&value) = wanted.values.iter().find(|value| !value.is_finite()) {
                        return Err(Error::WeightNotFinite { name: wanted.name.clone(), value });
                    }
                    return Ok((index, tensor.range.clone()));
                }
            }
        }
        let known: Vec<String> = self.model.tensor_names().collect();
        Err(Error::UnknownWeight { name: wanted.name.clone(), known: known.join(", ") })
    }
}
