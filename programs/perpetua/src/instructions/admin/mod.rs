//! What the administrator sets up, and what anyone may do for the exchange.
