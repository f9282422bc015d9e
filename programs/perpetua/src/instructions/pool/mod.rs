//! What liquidity providers do.
