//! Checkpoints of a training of several networks: those of the networks that are trained, and of the one in training.
//!
//! The checkpoint of a single network is that of the engine, byte for byte. Of an ensemble, it is the number of bytes of each network's
//! checkpoint (u64, little-endian) and the bytes, one after another. A network whose training is over is resumed from the checkpoint
//! of its last epoch, and trains no more.

use crate::Error;

/// Makes a checkpoint of the training as it is.
pub(crate) type MakeCheckpoint<'a> = dyn Fn() -> Result<Vec<u8>, Error> + 'a;

/// The checkpoints of some of the networks.
pub(crate) struct Checkpoints {
    of_members: Vec<Option<Vec<u8>>>,
}

impl Checkpoints {
    /// Those in a checkpoint of the whole training. What cannot be read is left out, so that a damaged one is refused by the engine.
    pub(crate) fn new(n_members: usize, checkpoint: Option<&[u8]>) -> Self {
        let mut of_members = vec![None; n_members];
        let Some(checkpoint) = checkpoint else { return Self { of_members } };
        if let [single] = &mut of_members[..] {
            *single = Some(checkpoint.to_vec());
            return Self { of_members };
        }
        let mut rest = checkpoint;
        for member in &mut of_members {
            if rest.is_empty() {
                break;
            }
            let next = next(rest);
            *member = Some(next.map_or(rest, |(bytes, _)| bytes).to_vec());
            rest = next.map_or(&[], |(_, after)| after);
        }
        Self { of_members }
    }

    /// That of a network, if it has begun.
    pub(crate) fn of_member(&self, index: usize) -> Option<Vec<u8>> {
        self.of_members.get(index)?.clone()
    }

    /// Replaces that of a network.
    pub(crate) fn set(&mut self, index: usize, checkpoint: Vec<u8>) {
        self.of_members[index] = Some(checkpoint);
    }

    /// The checkpoint of the whole training, in which network `index` is at `current` and all before it are trained.
    ///
    /// # Errors
    /// None; the type is that of [`MakeCheckpoint`].
    pub(crate) fn with(&self, index: usize, current: Vec<u8>) -> Result<Vec<u8>, Error> {
        if self.of_members.len() == 1 {
            return Ok(current);
        }
        let before = self.of_members[..index].iter().flatten();
        let mut bytes = Vec::new();
        for checkpoint in before.chain(std::iter::once(&current)) {
            bytes.extend((checkpoint.len() as u64).to_le_bytes());
            bytes.extend(checkpoint);
        }
        Ok(bytes)
    }
}

/// The bytes of the first checkpoint, and those after it; `None` if there are fewer than it says.
fn next(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u64::from_le_bytes(*len)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checkpoints_of_several_networks_are_read_as_they_were_written() {
        let mut written = Checkpoints::new(3, None);
        written.set(0, vec![1, 2, 3]);
        let bytes = written.with(1, vec![4]).unwrap();
        let read = Checkpoints::new(3, Some(&bytes));
        assert_eq!(read.of_members, [Some(vec![1, 2, 3]), Some(vec![4]), None]);
        assert_eq!(read.with(1, vec![4]).unwrap(), bytes);
    }

    #[test]
    fn that_of_a_single_network_is_its_own() {
        let one = Checkpoints::new(1, Some(&[7, 8]));
        assert_eq!((one.of_member(0), one.with(0, vec![9]).unwrap()), (Some(vec![7, 8]), vec![9]));
    }

    #[test]
    fn damaged_bytes_are_left_to_the_engine_to_refuse() {
        for bytes in [&[1, 2, 3][..], &[9, 0, 0, 0, 0, 0, 0, 0, 5], &[255; 20]] {
            assert_eq!(Checkpoints::new(2, Some(bytes)).of_member(0).as_deref(), Some(bytes));
        }
    }
}
