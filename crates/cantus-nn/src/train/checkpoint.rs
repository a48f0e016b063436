//! Checkpoints: the state of a training between two epochs, as the bytes of a safetensors file.
//!
//! It contains the tensors of the network (`weights.<name>`), of its best epoch (`best.<name>`), of the average of epochs
//! (`average.<name>`) and of the optimizer (`slots.0.<name>`, `slots.1.<name>`), the history (`history.<key>`, f64, exact) and
//! `state`. No generator state is needed, since random numbers depend only on seed and key. The metadata identify network and
//! training.

use std::collections::HashMap;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};
use serde::{Deserialize, Serialize};

use super::state::TrainingState;
use super::training::Training;
use crate::architecture::Architecture;
use crate::averaging::Average;
use crate::error::Error;
use crate::history::History;
use crate::schedule::Plateau;
use crate::sequential::Sequential;

/// The network and training that a checkpoint belongs to.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Origin {
    architecture: Architecture,
    /// Without the numbers of epochs and threads, which may change.
    training: Training,
    n_examples: usize,
}

impl Origin {
    pub(super) fn new(architecture: &Architecture, training: &Training, n_examples: usize) -> Self {
        let training = Training { epochs: 0, n_threads: 0, ..training.clone() };
        Self { architecture: architecture.clone(), training, n_examples }
    }
}

/// The key of the metadata.
const ORIGIN: &str = "cantus-nn checkpoint";

type Slots = Vec<[Vec<f32>; 2]>;

fn damaged(problem: impl ToString) -> Error {
    Error::Checkpoint { problem: problem.to_string() }
}

/// A tensor's name, its shape and its bytes.
type Entry = (String, Dtype, Vec<usize>, Vec<u8>);

pub(super) fn write(
    origin: &Origin,
    model: &Sequential,
    parameters: &[Vec<f32>],
    slots: &Slots,
    state: &TrainingState,
) -> Result<Vec<u8>, Error> {
    let mut entries = Vec::new();
    push_parameters(&mut entries, "weights", model, parameters.iter());
    push_parameters(&mut entries, "best", model, state.best_parameters.iter());
    if let Some(average) = &state.average.weights {
        push_parameters(&mut entries, "average", model, average.iter());
    }
    for slot in [0, 1] {
        if slots.iter().any(|slots| !slots[slot].is_empty()) {
            push_parameters(
                &mut entries,
                &format!("slots.{slot}"),
                model,
                slots.iter().map(|slots| &slots[slot]),
            );
        }
    }
    for (key, values) in state.history.columns() {
        entries.push((format!("history.{key}"), Dtype::F64, vec![values.len()], f64_bytes(values)));
    }
    let numbers = state_numbers(state);
    entries.push(("state".into(), Dtype::F64, vec![numbers.len()], f64_bytes(&numbers)));
    let views: Vec<(&str, TensorView<'_>)> = (entries.iter())
        .map(|(name, dtype, shape, bytes)| Ok((&**name, TensorView::new(*dtype, shape.clone(), bytes)?)))
        .collect::<Result<_, safetensors::SafeTensorError>>()
        .map_err(damaged)?;
    let metadata = HashMap::from([(ORIGIN.to_owned(), serde_json::to_string(origin).map_err(damaged)?)]);
    serialize(views, Some(metadata)).map_err(damaged)
}

/// State, weights and slots.
pub(super) fn read(
    bytes: &[u8],
    origin: &Origin,
    model: &Sequential,
    n_slots: usize,
) -> Result<(TrainingState, Vec<Vec<f32>>, Slots), Error> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let written = metadata.metadata().as_ref().and_then(|metadata| metadata.get(ORIGIN));
    let written: Origin =
        serde_json::from_str(written.ok_or_else(|| damaged("it is not a checkpoint"))?).map_err(damaged)?;
    if written.architecture != origin.architecture {
        return Err(damaged("it is of a network of another architecture"));
    }
    if written.training != origin.training {
        return Err(damaged("it is of a training with other settings; only epochs and n_threads may change"));
    }
    if written.n_examples != origin.n_examples {
        let problem =
            format!("its training has {} examples, this one {}", written.n_examples, origin.n_examples);
        return Err(damaged(problem));
    }
    let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
    let weights = read_parameters(&file, "weights", model)?;
    let mut state = read_state(&file)?;
    state.best_parameters = read_parameters(&file, "best", model)?;
    if file.names().iter().any(|name| name.starts_with("average.")) {
        state.average.weights = Some(read_parameters(&file, "average", model)?);
    }
    let mut slots: Slots = model.layers.iter().map(|_| Default::default()).collect();
    for slot in 0..n_slots {
        let values = read_parameters(&file, &format!("slots.{slot}"), model)?;
        slots.iter_mut().zip(values).for_each(|(slots, values)| slots[slot] = values);
    }
    Ok((state, weights, slots))
}

fn push_parameters<'a>(
    entries: &mut Vec<Entry>,
    prefix: &str,
    model: &Sequential,
    parameters: impl Iterator<Item = &'a Vec<f32>>,
) {
    for (built, values) in model.layers.iter().zip(parameters) {
        for tensor in &built.tensors {
            let name = format!("{prefix}.{}.{}", built.path, tensor.parameter.name);
            let bytes = values[tensor.range.clone()].iter().flat_map(|value| value.to_le_bytes()).collect();
            entries.push((name, Dtype::F32, tensor.parameter.shape.clone(), bytes));
        }
    }
}

fn read_parameters(file: &SafeTensors<'_>, prefix: &str, model: &Sequential) -> Result<Vec<Vec<f32>>, Error> {
    let mut parameters = Vec::new();
    for built in &model.layers {
        let mut values = Vec::with_capacity(built.n_weights());
        for tensor in &built.tensors {
            let name = format!("{prefix}.{}.{}", built.path, tensor.parameter.name);
            let view = file.tensor(&name).map_err(damaged)?;
            if view.dtype() != Dtype::F32 || view.shape() != tensor.parameter.shape {
                return Err(damaged(format!(
                    "{name} is not of f32 numbers of shape {:?}",
                    tensor.parameter.shape
                )));
            }
            let (words, _) = view.data().as_chunks::<4>();
            values.extend(words.iter().map(|word| f32::from_le_bytes(*word)));
            if !values.iter().rev().take(words.len()).all(|value| value.is_finite()) {
                return Err(damaged(format!("{name} has values that are not finite")));
            }
        }
        parameters.push(values);
    }
    Ok(parameters)
}

fn f64_bytes(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn read_f64(file: &SafeTensors<'_>, name: &str) -> Result<Vec<f64>, Error> {
    let view = file.tensor(name).map_err(damaged)?;
    if view.dtype() != Dtype::F64 {
        return Err(damaged(format!("{name} is not of f64 numbers")));
    }
    let (words, _) = view.data().as_chunks::<8>();
    Ok(words.iter().map(|word| f64::from_le_bytes(*word)).collect())
}

/// Integers below 2⁵³ are exact as f64; missing values are NaN.
fn state_numbers(state: &TrainingState) -> [f64; 9] {
    let or_nan = |value: Option<f64>| value.unwrap_or(f64::NAN);
    let Plateau { factor, best, wait } = state.plateau;
    [
        state.n_epochs as f64,
        state.n_steps as f64,
        factor,
        or_nan(best),
        wait as f64,
        or_nan(state.best),
        or_nan(state.early_stopping_best),
        state.wait as f64,
        state.average.n_epochs as f64,
    ]
}

fn read_state(file: &SafeTensors<'_>) -> Result<TrainingState, Error> {
    let numbers = read_f64(file, "state")?;
    let &[n_epochs, n_steps, factor, plateau_best, plateau_wait, best, early_stopping_best, wait, n_averaged] =
        numbers.as_slice()
    else {
        return Err(damaged("its state is incomplete"));
    };
    let known = |value: f64| (!value.is_nan()).then_some(value);
    let column = |key: &str| match file.tensor(&format!("history.{key}")) {
        Ok(_) => read_f64(file, &format!("history.{key}")),
        Err(_) => Ok(Vec::new()),
    };
    Ok(TrainingState {
        n_epochs: n_epochs as usize,
        n_steps: n_steps as u64,
        history: History {
            loss: column("loss")?,
            accuracy: column("accuracy")?,
            val_loss: column("val_loss")?,
            val_accuracy: column("val_accuracy")?,
            learning_rate: column("learning_rate")?,
        },
        plateau: Plateau { factor, best: known(plateau_best), wait: plateau_wait as usize },
        best: known(best),
        early_stopping_best: known(early_stopping_best),
        wait: wait as usize,
        best_parameters: Vec::new(),
        average: Average { weights: None, n_epochs: n_averaged as usize },
    })
}
