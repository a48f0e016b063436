//! Checkpoints of a training: arbitrary bytes, and a valid one with a changed header.
#![no_main]

use std::ops::ControlFlow;
use std::sync::LazyLock;

use cantus_fuzz::changes::Changes;
use cantus_fuzz::files::check_message;
use cantus_nn::layer::Dense;
use cantus_nn::{Activation, Architecture, InMemory, LayerSpec, Network, Progress, Training};
use serde_json::Value;

fn network() -> Network {
    let layers = vec![LayerSpec::Dense(Dense::new(2, Activation::Softmax))];
    Network::new(&Architecture { input_shape: vec![1], layers }, 0).expect("a valid architecture")
}

fn train() -> InMemory<'static> {
    InMemory::classes(&[-2.0, -1.0, 1.0, 2.0], &[0, 0, 1, 1])
}

fn training() -> Training {
    Training { epochs: 3, n_threads: 1, ..Training::default() }
}

/// The header of a checkpoint as JSON, and the data after it.
static VALID: LazyLock<(Value, Vec<u8>)> = LazyLock::new(|| {
    let mut bytes = Vec::new();
    let observe = |progress: Progress<'_>| match progress {
        Progress::Epoch(end) => {
            bytes = end.checkpoint().expect("a checkpoint");
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    };
    network().fit(&train(), None, &training(), observe).expect("a training");
    let (length, rest) = bytes.split_first_chunk::<8>().expect("the length of the header");
    let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
    (serde_json::from_slice(header).expect("JSON"), data.to_vec())
});

cantus_fuzz::target!(256, |input: (Changes, &[u8])| {
    let (changes, bytes) = input;
    let (header, data) = &*VALID;
    let header = changes.of(header).to_string();
    let changed = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat();
    for checkpoint in [&changed[..], bytes] {
        let resumed =
            network().resume(&train(), None, &training(), checkpoint, |_| ControlFlow::Continue(()));
        if let Err(error) = resumed {
            check_message(&error);
        }
    }
});
