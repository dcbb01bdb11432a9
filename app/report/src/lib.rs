//! The report document: blocks, slots, marks, operations, templates, checks, life cycle. No I/O.
