//! What several instructions do alike.
