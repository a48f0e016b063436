//! Data sets from where they are published.
//!
//! ```text
//! address ─▶ download ─▶ one zip, whole and checked ─▶ archive ─▶ a folder, whole or not there ─▶ `cantus extract`
//! ```
//!
//! [`gtzan`] is the one data set that Cantus knows: what it is, where it lies, what is wrong with it. Below it are
//! [`Download`], which goes on where it was cut, [`Credentials`] as Kaggle's own client finds them, and [`unpack`], which
//! trusts no archive.

mod archive;
mod checksum;
mod client;
mod credentials;
mod download;
mod error;
pub mod gtzan;
mod partial;
mod watch;

pub use archive::{Limits, unpack};
pub use credentials::{Credentials, Found};
pub use download::Download;
pub use error::Error;
pub use watch::{Event, Watch};
