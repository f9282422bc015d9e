/** Perpetua for `@solana/kit`: accounts, instructions, addresses, events and errors. */

export * from './generated/index.js';
export * from './errors.js';
export * from './events.js';
export * from './fixed.js';
