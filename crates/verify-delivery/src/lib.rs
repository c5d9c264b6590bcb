//! verify-delivery
