//! What happened, for those who read the chain. Amounts are raw stock-token units.
