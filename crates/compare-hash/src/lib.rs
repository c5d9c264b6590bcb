//! compare-hash
