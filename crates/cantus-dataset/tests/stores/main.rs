//! Operations on complete stores: merge of shards and of stores, filter, addition, verification, export.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its files has failed")]

mod add;
mod export;
mod filter;
mod fixture;
mod merge;
mod verify;
