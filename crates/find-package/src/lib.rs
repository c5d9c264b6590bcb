//! find-package
