/** Perpetua for `@solana/kit`: accounts, instructions, addresses, events, errors, and quotes by the program's own code. */

export * from './generated/index.js';
export * from './errors.js';
export * from './events.js';
export * from './fixed.js';
export * from './send.js';
export { Book, type BookOptions, type JoinDeal, type LeaveDeal, type Trade } from './quote/book.js';
export { Perpetua, Refused, type Rounding } from './quote/module.js';
export type {
  AccountStatus,
  CloseQuote,
  Explanation,
  LadderRow,
  LadderSide,
  Mint,
  OpenQuote,
  OptionPrice,
  OptionTerms,
  PoolStatus,
  PoolValue,
  PositionStatus,
  PriceAccount,
  Quoted,
  RawAccount,
  Scale,
  Source,
  Transaction,
} from './quote/wire.js';
