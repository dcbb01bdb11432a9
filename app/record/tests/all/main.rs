//! Tests of the record from outside: everything through its public door, on a real disk.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod bad_input;
mod delivery;
mod durability;
mod ingest;
mod kill;
mod living;
mod performance;
mod reporting;
mod secrecy;
mod support;
mod track;
mod worklist;
