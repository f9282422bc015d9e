//! What changes nothing and returns data.
