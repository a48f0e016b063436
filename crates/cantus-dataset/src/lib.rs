//! From folders of recordings to a feature store.
//!
//! ```text
//! folder ─▶ catalog ─▶ split ─▶ extract ─▶ store ─▶ batches
//! ```
