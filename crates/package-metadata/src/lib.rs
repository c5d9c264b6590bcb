//! package-metadata
