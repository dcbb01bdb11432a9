//! What is kept and exchanged: database, object files, journal, outbox, audit, peers.
