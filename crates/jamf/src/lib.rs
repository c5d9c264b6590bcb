//! jamf
