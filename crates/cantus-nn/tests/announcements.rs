//! Every example that a step reads was announced before, in the order of the steps and not many steps earlier.

#![expect(clippy::unwrap_used, reason = "a failed precondition fails the test")]

use std::ops::ControlFlow;
use std::sync::Mutex;

use cantus_nn::{Architecture, Batching, Examples, InMemory, Network, Target, Training};

const N: usize = 200;
const BATCH: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Announced { epoch: usize, index: usize },
    Read { epoch: usize, index: usize },
}

/// Examples that note what is announced and what is read.
struct Noted<'a> {
    examples: InMemory<'a>,
    varies: bool,
    events: Mutex<Vec<Event>>,
}

impl Examples for Noted<'_> {
    fn len(&self) -> usize {
        self.examples.len()
    }

    fn input_len(&self) -> usize {
        self.examples.input_len()
    }

    fn write_input(&self, index: usize, epoch: usize, input: &mut [f32]) {
        self.events.lock().unwrap().push(Event::Read { epoch, index });
        self.examples.write_input(index, epoch, input);
    }

    fn varies_by_epoch(&self) -> bool {
        self.varies
    }

    fn announce(&self, indices: &[usize], epoch: usize) {
        self.events.lock().unwrap().extend(indices.iter().map(|&index| Event::Announced { epoch, index }));
    }

    fn target(&self, index: usize) -> Target<'_> {
        self.examples.target(index)
    }
}

/// What a training of two epochs announces and reads.
fn events(varies: bool) -> Vec<Event> {
    let architecture: Architecture = toml::from_str(
        r#"input_shape = [6, 4]
        layers = [
            { type = "GlobalAveragePooling1D" },
            { type = "Dense", units = 3, activation = "softmax" },
        ]"#,
    )
    .unwrap();
    let inputs: Vec<f32> = (0..N * 24).map(|i| (i as f32 * 0.3).sin()).collect();
    let classes: Vec<usize> = (0..N).map(|i| i % 3).collect();
    let examples = InMemory::classes(&inputs, &classes);
    let examples = Noted { examples, varies, events: Mutex::default() };
    let training =
        Training { epochs: 2, batching: Batching::Mini(BATCH), n_threads: 2, ..Training::default() };
    let mut network = Network::new(&architecture, 1).unwrap();
    network.fit(&examples, None, &training, |_| ControlFlow::Continue(())).unwrap();
    examples.events.into_inner().unwrap()
}

#[test]
fn what_is_read_was_announced_a_few_steps_before() {
    let events = events(true);
    let mut waiting: Vec<(usize, usize)> = Vec::new();
    let mut n_read = 0;
    for event in events {
        match event {
            Event::Announced { epoch, index } => waiting.push((epoch, index)),
            Event::Read { epoch, index } => {
                let place = waiting.iter().position(|&announced| announced == (epoch, index)).unwrap();
                // Two threads read a batch, in any order.
                assert!(place < BATCH, "{place} examples were announced before and not read yet");
                waiting.remove(place);
                n_read += 1;
            }
        }
        assert!(waiting.len() <= 9 * BATCH, "{} examples are announced", waiting.len());
    }
    assert_eq!((n_read, waiting.len()), (2 * N, 0));
}

#[test]
fn what_is_kept_from_the_first_epoch_is_not_announced_again() {
    let announced = |event: &&Event| matches!(event, Event::Announced { .. });
    let first =
        |event: &Event| matches!(event, Event::Announced { epoch: 0, .. } | Event::Read { epoch: 0, .. });
    let events = events(false);
    assert_eq!(events.iter().filter(announced).count(), N);
    assert!(events.iter().filter(announced).all(first));
}
