//! What the owner of a margin account does.
