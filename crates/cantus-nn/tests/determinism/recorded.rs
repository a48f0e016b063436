//! Examples that record which threads read them.

use std::collections::HashSet;
use std::sync::Mutex;
use std::thread::ThreadId;

use cantus_nn::{Examples, Target};
use cantus_random::{KeyedRng, key};

use crate::networks::{INPUT_LEN, N_CLASSES};

/// Random inputs of all classes, altered in each epoch as augmentation does.
pub struct Recorded {
    n: usize,
    seed: u64,
    varies_by_epoch: bool,
    readers: Mutex<HashSet<ThreadId>>,
}

impl Recorded {
    pub fn new(n: usize, seed: u64, varies_by_epoch: bool) -> Self {
        Self { n, seed, varies_by_epoch, readers: Mutex::default() }
    }

    /// How many threads have read an input.
    pub fn n_readers(&self) -> usize {
        self.readers.lock().unwrap().len()
    }

    /// All inputs of the first epoch.
    pub fn inputs(&self) -> Vec<f32> {
        let mut inputs = vec![0.0; self.n * INPUT_LEN];
        inputs.chunks_exact_mut(INPUT_LEN).enumerate().for_each(|(i, input)| self.write(i, 0, input));
        inputs
    }

    fn write(&self, index: usize, epoch: usize, input: &mut [f32]) {
        let epoch = if self.varies_by_epoch { epoch } else { 0 };
        let mut rng = KeyedRng::new([key(self.seed, index as u64), epoch as u64]);
        input.iter_mut().for_each(|x| *x = (2.0 * rng.uniform() - 1.0) as f32);
    }
}

impl Examples for Recorded {
    fn len(&self) -> usize {
        self.n
    }

    fn input_len(&self) -> usize {
        INPUT_LEN
    }

    fn write_input(&self, index: usize, epoch: usize, input: &mut [f32]) {
        self.readers.lock().unwrap().insert(std::thread::current().id());
        self.write(index, epoch, input);
    }

    fn varies_by_epoch(&self) -> bool {
        self.varies_by_epoch
    }

    fn target(&self, index: usize) -> Target<'_> {
        Target::Class(index % N_CLASSES)
    }

    fn training_target(&self, index: usize, epoch: usize) -> Target<'_> {
        if self.varies_by_epoch {
            Target::Mixed(index % N_CLASSES, (index + epoch) % N_CLASSES, 0.75)
        } else {
            self.target(index)
        }
    }
}
