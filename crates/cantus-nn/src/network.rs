//! A network: layers, their weights, and what one does with them.

use std::ops::ControlFlow;
use std::sync::Mutex;

use crate::architecture::Architecture;
use crate::chain::Chain;
use crate::crew::Crew;
use crate::error::Error;
use crate::evaluate::scores;
use crate::examples::Examples;
use crate::fit::{self, Progress, Training};
use crate::history::{History, Scores};
use crate::inference::{BLOCK, BlockInference, Inference, Outputs};
use crate::loss::Loss;
use crate::summary;
use crate::team::{lock, with_team};
use crate::weights::Tensor;

/// Layers with weights: learns by [`fit`](Self::fit), answers by [`predict`](Self::predict).
///
/// # Reference
/// Behaves as `keras.Sequential`.
#[derive(Debug)]
pub struct Network {
    pub(crate) architecture: Architecture,
    pub(crate) chain: Chain,
    /// One vector for each layer: its tensors, one after another.
    pub(crate) parameters: Vec<Vec<f32>>,
    /// See [`Self::set_threads`].
    n_threads: usize,
    /// Buffers of the last small prediction.
    spare: Mutex<Option<Inference>>,
}

impl Network {
    /// Builds every layer and draws its first weights; the same seed draws the same.
    ///
    /// # Errors
    /// If the architecture is empty, a setting makes no sense, or a layer does not fit the one before it:
    /// says which layer, what it got and what it wanted.
    pub fn new(architecture: &Architecture, seed: u64) -> Result<Self, Error> {
        let chain = Chain::new(architecture)?;
        let parameters = (0..chain.links.len()).map(|link| chain.initial_weights(link, seed)).collect();
        Ok(Self {
            architecture: architecture.clone(),
            chain,
            parameters,
            n_threads: 0,
            spare: Mutex::new(None),
        })
    }

    /// Builds every layer with the weights of a network that has learnt already; draws none.
    ///
    /// # Errors
    /// As [`Self::new`] and [`Self::set_weights`], and if a weight is missing.
    pub fn with_weights(architecture: &Architecture, tensors: &[Tensor]) -> Result<Self, Error> {
        let chain = Chain::new(architecture)?;
        let parameters = chain.links.iter().map(|link| vec![0.0; link.n_weights()]).collect();
        let mut network = Self {
            architecture: architecture.clone(),
            chain,
            parameters,
            n_threads: 0,
            spare: Mutex::new(None),
        };
        let is_given = |name: &String| tensors.iter().any(|tensor| tensor.name == *name);
        let missing = network.chain.tensor_names().find(|name| !is_given(name));
        if let Some(name) = missing {
            return Err(Error::MissingWeight { name });
        }
        network.set_weights(tensors)?;
        Ok(network)
    }

    /// What it was built from.
    #[must_use]
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Limits the threads that [`predict`](Self::predict) and [`evaluate`](Self::evaluate) use, the calling one included;
    /// 0, as at first, for as many as there are processors. Changes no bit of the result.
    ///
    /// [`fit`](Self::fit) has a setting of its own.
    pub fn set_threads(&mut self, n_threads: usize) {
        self.n_threads = n_threads;
    }

    /// Of one example.
    #[must_use]
    pub fn input_shape(&self) -> &[usize] {
        &self.chain.input_shape
    }

    /// Of one example.
    #[must_use]
    pub fn output_shape(&self) -> &[usize] {
        self.chain.output_shape()
    }

    /// How many numbers its weights are, trained or not.
    #[must_use]
    pub fn n_parameters(&self) -> usize {
        self.parameters.iter().map(Vec::len).sum()
    }

    /// A table of layers, output shapes and numbers of parameters, as Keras prints it.
    #[must_use]
    pub fn summary(&self) -> String {
        summary::summary(&self.chain)
    }

    /// Trains on `train` and, after each epoch, looks how `validation` fares.
    ///
    /// `observe` hears of progress and may end the training early by [`ControlFlow::Break`]. Afterwards the
    /// network has the weights of the last epoch, or of the best one where `training.early_stopping` asks for
    /// that.
    ///
    /// # Errors
    /// If a setting makes no sense, or the examples do not fit the network or the loss: nothing was trained then. If
    /// a loss or a weight becomes NaN or infinite ([`Error::Diverged`]): the network has the weights of its best epoch
    /// then, or those from before if there was none.
    pub fn fit(
        &mut self,
        train: &dyn Examples,
        validation: Option<&dyn Examples>,
        training: &Training,
        observe: impl FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<History, Error> {
        fit::fit(self, train, validation, training, None, observe)
    }

    /// Goes on with a training where `checkpoint` (from [`Progress::Epoch`]) was taken, and ends with the
    /// same bits as if it had never been interrupted, given the same examples and settings.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), and if the checkpoint is damaged or of another network or training.
    pub fn resume(
        &mut self,
        train: &dyn Examples,
        validation: Option<&dyn Examples>,
        training: &Training,
        checkpoint: &[u8],
        observe: impl FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<History, Error> {
        fit::fit(self, train, validation, training, Some(checkpoint), observe)
    }

    /// The outputs for some inputs; large numbers of them are shared among threads.
    ///
    /// # Shapes
    /// - `inputs`: `[n, input_shape...]`
    /// - returns: `[n, output_shape...]`
    ///
    /// # Errors
    /// If `inputs` is not a whole number of examples.
    pub fn predict(&self, inputs: &[f32]) -> Result<Vec<f32>, Error> {
        let input_len = self.chain.input_len();
        if !inputs.len().is_multiple_of(input_len) {
            let shape = self.chain.input_shape.clone();
            return Err(Error::Inputs { got: inputs.len(), wanted: input_len, shape });
        }
        let (n, output_len) = (inputs.len() / input_len, self.chain.output_len());
        if n <= BLOCK {
            return Ok(self.predict_few(inputs, n));
        }
        let mut outputs = vec![0.0; n * output_len];
        let blocks: Vec<_> = outputs.chunks_mut(BLOCK * output_len).map(Mutex::new).collect();
        let write =
            |i: usize, input: &mut [f32]| input.copy_from_slice(&inputs[i * input_len..(i + 1) * input_len]);
        let read = |block: usize, outputs: &[f32]| lock(&blocks[block]).copy_from_slice(outputs);
        let inference = BlockInference::new(&self.chain, n, Outputs::Activated, self.n_threads);
        let work = |(), worker: usize| inference.work(&self.parameters, worker, write, read);
        with_team(inference.n_workers(), work, |team| team.run((), inference.n_workers()));
        Ok(outputs)
    }

    /// One block of inputs, in buffers that are kept for the next call: an answer may take less time than to
    /// allocate them.
    fn predict_few(&self, inputs: &[f32], n: usize) -> Vec<f32> {
        let kept = lock(&self.spare).take().filter(|inference| inference.capacity() >= n);
        let mut inference = kept.unwrap_or_else(|| Inference::new(&self.chain, n));
        let crew = if n == 1 { Crew::within(self.n_threads) } else { Crew::alone() };
        inference.input()[..inputs.len()].copy_from_slice(inputs);
        let outputs = inference.run(&self.chain, &self.parameters, n, Outputs::Activated, &crew).to_vec();
        *lock(&self.spare) = Some(inference);
        outputs
    }

    /// Loss and accuracy on some examples.
    ///
    /// # Errors
    /// If there are none, or they do not fit the network or the loss.
    pub fn evaluate(&self, examples: &dyn Examples, loss: Loss) -> Result<Scores, Error> {
        fit::check_examples(&self.chain, examples, loss, "evaluation")?;
        Ok(scores(&self.chain, &self.parameters, examples, loss, self.n_threads))
    }

    /// All weights by name, first layer to last, those that are not trained included.
    #[must_use]
    pub fn weights(&self) -> Vec<Tensor> {
        self.chain.tensors(&self.parameters)
    }

    /// Replaces weights by name; those not named stay.
    ///
    /// # Errors
    /// If there is no weight of a name, its shape is another, or a value is not finite. Nothing was replaced then.
    pub fn set_weights(&mut self, tensors: &[Tensor]) -> Result<(), Error> {
        let places: Vec<_> = tensors.iter().map(|tensor| self.place_of(tensor)).collect::<Result<_, _>>()?;
        for (tensor, (link, range)) in tensors.iter().zip(places) {
            self.parameters[link][range].copy_from_slice(&tensor.values);
        }
        Ok(())
    }

    /// The link whose tensor this is, and where among its weights it lies.
    fn place_of(&self, wanted: &Tensor) -> Result<(usize, std::ops::Range<usize>), Error> {
        for (i, link) in self.chain.links.iter().enumerate() {
            for tensor in &link.tensors {
                if wanted.name.strip_prefix(&link.path).and_then(|name| name.strip_prefix('.'))
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
                    return Ok((i, tensor.range.clone()));
                }
            }
        }
        let known: Vec<String> = self.chain.tensor_names().collect();
        Err(Error::UnknownWeight { name: wanted.name.clone(), known: known.join(", ") })
    }
}
