/** Requests and answers of crates/wasm, in Borsh, in the order of crates/wasm/src/wire.rs. */

import {
  AccountRole,
  addDecoderSizePrefix,
  addEncoderSizePrefix,
  fixEncoderSize,
  getAddressDecoder,
  getAddressEncoder,
  getArrayDecoder,
  getArrayEncoder,
  getBooleanDecoder,
  getBooleanEncoder,
  getBytesDecoder,
  getBytesEncoder,
  getConstantEncoder,
  getDiscriminatedUnionDecoder,
  getHiddenPrefixEncoder,
  getI128Decoder,
  getI16Decoder,
  getI16Encoder,
  getNullableDecoder,
  getStructDecoder,
  getStructEncoder,
  getU128Decoder,
  getU128Encoder,
  getU16Encoder,
  getU32Decoder,
  getU32Encoder,
  getU64Decoder,
  getU64Encoder,
  getU8Decoder,
  getU8Encoder,
  getUtf8Decoder,
  getUtf8Encoder,
  transformDecoder,
  type Address,
  type Decoder,
  type Encoder,
  type Instruction,
  type ReadonlyUint8Array,
} from '@solana/kit';

import { getPoolEncoder, getSideDecoder, getSideEncoder, type Pool, type Side } from '../generated/index.js';

/** An answer's part that may be refused: with the number of the program's error then. */
export type Quoted<T> = { value: T; refused?: never } | { value?: never; refused: number };

/** An account as the network has it. */
export type RawAccount = { address: Address; owner: Address; lamports: bigint; data: ReadonlyUint8Array };

/** An account that stands for Pyth's pushed one of a feed. */
export type PriceAccount = { feedId: ReadonlyUint8Array; account: Address };

/** A vault and the accounts around it, read from the network at one slot. */
export type Source = {
  /** The vault's address. */
  vault: Address;
  /** The shard of Pyth's pushed price accounts. */
  shard: number;
  /** Accounts that stand for them. */
  prices: PriceAccount[];
  /** The slot that all accounts were read at. */
  slot: bigint;
  /** Those that exist. */
  accounts: RawAccount[];
};

/** An option and the price of its index. */
export type OptionTerms = {
  side: Side;
  /** Price of the index, US dollars Q64.64. */
  spot: bigint;
  /** US dollars Q64.64. */
  strike: bigint;
  /** Annualised, Q16.48. */
  volatility: bigint;
  /** Funding period in seconds. */
  period: number;
  /** Payout cap in bps of the strike. */
  capBps: number;
  /** The index's financing rate, in bps a year. */
  carryBps: number;
  /** What reserving the payout costs, in bps a year. */
  rentBps: number;
};

/** How raw amounts are shown. */
export type Scale = {
  /** Decimals of the token. */
  decimals: number;
  /** What a raw amount is multiplied by: the bits of an IEEE-754 double. */
  multiplier: bigint;
};

const vector = getU32Encoder();
const text = addEncoderSizePrefix(getUtf8Encoder(), vector);
const bytes = addEncoderSizePrefix(getBytesEncoder(), vector);
const address = getAddressEncoder();
const [u8, u16, u32, u64, i16] = [getU8Encoder(), getU16Encoder(), getU32Encoder(), getU64Encoder(), getI16Encoder()];
const [side, pool] = [getSideEncoder(), getPoolEncoder()];

const price: Encoder<PriceAccount> = getStructEncoder([
  ['feedId', fixEncoderSize(getBytesEncoder(), 32)],
  ['account', address],
]);
const account: Encoder<RawAccount> = getStructEncoder([
  ['address', address],
  ['owner', address],
  ['lamports', u64],
  ['data', bytes],
]);

/** A vault and its accounts. */
export const sourceEncoder: Encoder<Source> = getStructEncoder([
  ['vault', address],
  ['shard', u16],
  ['prices', getArrayEncoder(price)],
  ['slot', u64],
  ['accounts', getArrayEncoder(account)],
]);

/** Encodes what follows the number of a request. */
function request<T>(number: number, fields: Encoder<T>): Encoder<T> {
  return getHiddenPrefixEncoder(fields, [getConstantEncoder(new Uint8Array([number]))]);
}

const scaled = [
  ['decimals', u8],
  ['multiplier', u64],
  ['up', getBooleanEncoder()],
] as const;
/** A source is encoded once for many requests. */
const source = ['source', getBytesEncoder()] as const;
const option = [
  ['market', u8],
  ['side', side],
  ['tick', i16],
  ['size', u64],
] as const;

/** Every request by its number. */
export const requests = {
  price: request<OptionTerms>(
    0,
    getStructEncoder([
      ['side', side],
      ['spot', getU128Encoder()],
      ['strike', getU128Encoder()],
      ['volatility', u64],
      ['period', u32],
      ['capBps', u16],
      ['carryBps', u16],
      ['rentBps', u16],
    ]),
  ),
  show: request(1, getStructEncoder([['raw', u64], ...scaled])),
  parse: request(2, getStructEncoder([['text', text], ...scaled])),
  explain: request(3, getStructEncoder([['code', u32]])),
  wanted: request(4, getStructEncoder([source])),
  mint: request(5, getStructEncoder([source])),
  quoteOpen: request(6, getStructEncoder([source, ...option])),
  quoteClose: request(7, getStructEncoder([source, ...option])),
  ladder: request(8, getStructEncoder([source, ['market', u8]])),
  account: request(9, getStructEncoder([source, ['account', address]])),
  pool: request(10, getStructEncoder([source, ['pool', pool]])),
  sharesFor: request(11, getStructEncoder([source, ['pool', pool], ['amount', u64]])),
  worthOf: request(12, getStructEncoder([source, ['pool', pool], ['shares', u64]])),
  open: request(13, getStructEncoder([source, ['account', address], ...option, ['maxCost', u64]])),
  close: request(14, getStructEncoder([source, ['account', address], ...option, ['minProceeds', u64]])),
  withdraw: request(15, getStructEncoder([source, ['account', address], ['destination', address], ['amount', u64]])),
  join: request(
    16,
    getStructEncoder([
      source,
      ['pool', pool],
      ['owner', address],
      ['from', address],
      ['sharesDestination', address],
      ['amount', u64],
      ['minShares', u64],
    ]),
  ),
  leave: request(
    17,
    getStructEncoder([source, ['pool', pool], ['owner', address], ['sharesSource', address], ['shares', u64]]),
  ),
};

const textDecoder = addDecoderSizePrefix(getUtf8Decoder(), getU32Decoder());
const bytesDecoder = addDecoderSizePrefix(getBytesDecoder(), getU32Decoder());
const [readU8, readU32, readU64, readU128] = [getU8Decoder(), getU32Decoder(), getU64Decoder(), getU128Decoder()];

/** Rust's `Result`: a zero and the error's number, or a one and the value. */
function quoted<T>(value: Decoder<T>): Decoder<Quoted<T>> {
  const union = getDiscriminatedUnionDecoder([
    ['refused', getStructDecoder([['refused', readU32]])],
    ['value', getStructDecoder([['value', value]])],
  ]);
  return transformDecoder(union, (found): Quoted<T> =>
    found.__kind === 'refused' ? { refused: found.refused } : { value: found.value },
  );
}

/** Why something was refused. */
export type Explanation = { code: number | null; name: string; message: string; remedy: string };
export const explanationDecoder: Decoder<Explanation> = getStructDecoder([
  ['code', getNullableDecoder(readU32)],
  ['name', textDecoder],
  ['message', textDecoder],
  ['remedy', textDecoder],
]);

/** What an option is worth, per index unit. */
export type OptionPrice = {
  /** US dollars Q64.64, rounded down. */
  value: bigint;
  /** The part of it that is not intrinsic, US dollars Q64.64, rounded down. */
  timeValue: bigint;
  /** Change of the value per dollar of the index, Q64.64. */
  delta: bigint;
  /** Change of delta per dollar of the index, Q64.64. */
  gamma: bigint;
  /** Change of the value in dollars per 1.00 of volatility, Q64.64. */
  vega: bigint;
  /** What holding it costs, US dollars a day Q64.64, rounded up. */
  fundingPerDay: bigint;
};

/** A stock token. */
export type Mint = Scale & { address: Address; tokenProgram: Address; paused: boolean };

/** What opening costs. */
export type OpenQuote = {
  /** US dollars Q64.64. */
  strike: bigint;
  /** The option's value per index unit, US dollars Q64.64. */
  value: bigint;
  /** What the main pool receives, raw tokens, rounded up. */
  premium: bigint;
  /** The trading fee, raw tokens, rounded up. */
  fee: bigint;
  /** What the main pool reserves for the payout, raw tokens. */
  reserve: bigint;
};

/** What closing pays. */
export type CloseQuote = {
  /** What is paid per index unit, US dollars Q64.64. */
  value: bigint;
  /** What the main pool pays, raw tokens, rounded down. */
  payout: bigint;
  /** The trading fee taken from it, raw tokens, rounded up. */
  fee: bigint;
};

/** An option of a strike, quoted for the market's smallest size. */
export type LadderSide = {
  /** What buying it costs. */
  ask: Quoted<OpenQuote>;
  /** What selling it pays. */
  bid: Quoted<CloseQuote>;
  /** What holding it costs, US dollars per index unit and day Q64.64, rounded up. */
  fundingPerDay: Quoted<bigint>;
  /** Sum of all positions, millionths of an index unit. */
  openInterest: bigint;
};

/** A strike of the ladder. */
export type LadderRow = {
  /** Its place on the grid. */
  tick: number;
  /** US dollars Q64.64. */
  strike: bigint;
  call: LadderSide;
  put: LadderSide;
};

/** A position; its amounts are raw tokens. */
export type PositionStatus = {
  /** Number of its market. */
  market: number;
  side: Side;
  tick: number;
  /** US dollars Q64.64. */
  strike: bigint;
  /** Millionths of an index unit. */
  size: bigint;
  /** What selling all of it pays. */
  close: Quoted<CloseQuote>;
  /** Funding that it owes, rounded up. */
  owed: bigint;
  /** What it pays for a day, rounded up. */
  fundingPerDay: bigint;
};

/** How a margin account stands, in raw tokens. */
export type AccountStatus = {
  /** Collateral before owed funding. */
  collateral: bigint;
  /** Funding owed, rounded up. */
  owed: bigint;
  /** The most that can have come due unseen, rounded up. */
  unaccrued: bigint;
  /** Maintenance margin, rounded up. */
  maintenance: bigint;
  /** Initial margin: what equity less `unaccrued` must reach to open and to withdraw. */
  initial: bigint;
  /** Collateral less owed funding. */
  equity: bigint;
  /** Whether anyone may liquidate it. */
  liquidatable: boolean;
  positions: PositionStatus[];
};

/** What a pool is worth, in raw tokens. */
export type PoolValue = {
  /** Shares are burned at this. */
  low: bigint;
  /** Shares are minted at this. */
  high: bigint;
  /** Whether a market counts with its bounds, for lack of a price. */
  atBounds: boolean;
};

/** How a pool stands, in raw tokens. */
export type PoolStatus = {
  /** Tokens in its ledger. */
  assets: bigint;
  /** Shares outstanding, those waiting to leave included. */
  shares: bigint;
  /** Shares waiting to leave. */
  queued: bigint;
  /** What it is worth. */
  value: Quoted<PoolValue>;
  /** Tokens that may leave it now. */
  exitCapacity: bigint;
  /** Its part of what holders pay for a day. */
  incomePerDay: bigint;
  /** A year's income in bps of its assets. */
  fundingYieldBps: bigint | null;
};

/** Instructions that belong into one transaction, in this order. */
export type Transaction = {
  instructions: Instruction[];
  /** Compute units that they take at most. */
  computeUnits: number;
};

const openQuote: Decoder<OpenQuote> = getStructDecoder([
  ['strike', readU128],
  ['value', readU128],
  ['premium', readU64],
  ['fee', readU64],
  ['reserve', readU64],
]);
const closeQuote: Decoder<CloseQuote> = getStructDecoder([
  ['value', readU128],
  ['payout', readU64],
  ['fee', readU64],
]);
const ladderSide: Decoder<LadderSide> = getStructDecoder([
  ['ask', quoted(openQuote)],
  ['bid', quoted(closeQuote)],
  ['fundingPerDay', quoted(readU128)],
  ['openInterest', readU64],
]);
const ladderRow: Decoder<LadderRow> = getStructDecoder([
  ['tick', getI16Decoder()],
  ['strike', readU128],
  ['call', ladderSide],
  ['put', ladderSide],
]);
const position: Decoder<PositionStatus> = getStructDecoder([
  ['market', readU8],
  ['side', getSideDecoder()],
  ['tick', getI16Decoder()],
  ['strike', readU128],
  ['size', readU64],
  ['close', quoted(closeQuote)],
  ['owed', readU64],
  ['fundingPerDay', readU64],
]);
const poolValue: Decoder<PoolValue> = getStructDecoder([
  ['low', readU64],
  ['high', readU64],
  ['atBounds', getBooleanDecoder()],
]);

function roleOf(signer: boolean, writable: boolean): AccountRole {
  if (signer) return writable ? AccountRole.WRITABLE_SIGNER : AccountRole.READONLY_SIGNER;
  return writable ? AccountRole.WRITABLE : AccountRole.READONLY;
}

const meta = transformDecoder(
  getStructDecoder([
    ['address', getAddressDecoder()],
    ['signer', getBooleanDecoder()],
    ['writable', getBooleanDecoder()],
  ]),
  ({ address, signer, writable }) => ({ address, role: roleOf(signer, writable) }),
);
const instruction: Decoder<Instruction> = getStructDecoder([
  ['programAddress', getAddressDecoder()],
  ['accounts', getArrayDecoder(meta)],
  ['data', bytesDecoder],
]);

const transaction: Decoder<Transaction> = getStructDecoder([
  ['instructions', getArrayDecoder(instruction)],
  ['computeUnits', readU32],
]);

/** Every answer by the name of its request. */
export const answers = {
  price: getStructDecoder([
    ['value', readU128],
    ['timeValue', readU128],
    ['delta', getI128Decoder()],
    ['gamma', getI128Decoder()],
    ['vega', getI128Decoder()],
    ['fundingPerDay', readU128],
  ]) as Decoder<OptionPrice>,
  show: textDecoder as Decoder<string>,
  parse: readU64 as Decoder<bigint>,
  explain: explanationDecoder,
  wanted: getArrayDecoder(getAddressDecoder()) as Decoder<Address[]>,
  mint: getStructDecoder([
    ['address', getAddressDecoder()],
    ['tokenProgram', getAddressDecoder()],
    ['decimals', readU8],
    ['multiplier', readU64],
    ['paused', getBooleanDecoder()],
  ]) as Decoder<Mint>,
  quoteOpen: openQuote,
  quoteClose: closeQuote,
  ladder: getArrayDecoder(ladderRow) as Decoder<LadderRow[]>,
  account: getStructDecoder([
    ['collateral', readU64],
    ['owed', readU64],
    ['unaccrued', readU64],
    ['maintenance', readU64],
    ['initial', readU64],
    ['equity', getI128Decoder()],
    ['liquidatable', getBooleanDecoder()],
    ['positions', getArrayDecoder(position)],
  ]) as Decoder<AccountStatus>,
  pool: getStructDecoder([
    ['assets', readU64],
    ['shares', readU64],
    ['queued', readU64],
    ['value', quoted(poolValue)],
    ['exitCapacity', readU64],
    ['incomePerDay', readU64],
    ['fundingYieldBps', getNullableDecoder(readU64)],
  ]) as Decoder<PoolStatus>,
  sharesFor: readU64 as Decoder<bigint>,
  worthOf: readU64 as Decoder<bigint>,
  open: transaction,
  close: transaction,
  withdraw: transaction,
  join: transaction,
  leave: transaction,
};

export type { Pool, Side };
