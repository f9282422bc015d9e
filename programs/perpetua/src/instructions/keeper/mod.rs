//! What anyone may do to keep markets and accounts up to date.
