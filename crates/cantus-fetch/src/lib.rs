//! Downloads audio data sets: resumable HTTP download, checksum verification, safe extraction of zip archives.
//!
//! ```text
//! URL ─▶ Download ─▶ verified zip file ─▶ unpack ─▶ folder with the recordings
//! ```
//!
//! Both steps are atomic: the zip file and the folder appear under their names only when they are complete. [`gtzan`]
//! describes the GTZAN data set. [`Credentials`] are found where Kaggle's own client finds them.

mod archive;
mod checksum;
mod client;
mod credentials;
mod disk_space;
mod download;
mod entry_path;
mod error;
pub mod gtzan;
mod partial_file;
mod progress;

pub use archive::{ArchiveLimits, unpack};
pub use credentials::{Credentials, FoundCredentials};
pub use download::Download;
pub use error::Error;
pub use progress::{Event, ProgressObserver};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_types_can_be_sent_between_threads() {
        fn is_send_and_sync<T: Send + Sync>() {}
        is_send_and_sync::<ArchiveLimits>();
        is_send_and_sync::<Credentials>();
        is_send_and_sync::<Download>();
        is_send_and_sync::<Error>();
        is_send_and_sync::<Event>();
        is_send_and_sync::<FoundCredentials>();
        is_send_and_sync::<gtzan::Source>();
    }
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
