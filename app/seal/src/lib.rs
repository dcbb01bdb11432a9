//! The sealed object format: 64 KiB authenticated chunks with random access.
