/** A vault with everything around it, read at one slot: quotes, and whole transactions with their cranks in front. */

import {
  getBase64Encoder,
  type Address,
  type Base64EncodedDataResponse,
  type GetMultipleAccountsApi,
  type ReadonlyUint8Array,
  type Rpc,
} from '@solana/kit';

import type { Pool, Side } from '../generated/index.js';
import type { Perpetua } from './module.js';
import {
  sourceEncoder,
  type AccountStatus,
  type CloseQuote,
  type LadderRow,
  type Mint,
  type OpenQuote,
  type PoolStatus,
  type PriceAccount,
  type RawAccount,
  type Source,
  type Transaction,
} from './wire.js';

/** An option of a market, and how much of it. */
export type Trade = {
  /** The market's number within the vault. */
  market: number;
  side: Side;
  /** Place of the strike on the market's grid. */
  tick: number;
  /** Millionths of an index unit. */
  size: bigint;
};

/** Where prices are, and which accounts besides the vault's are read. */
export type BookOptions = {
  /** The shard of Pyth's pushed price accounts; 0 is the one that Pyth sponsors. */
  shard?: number;
  /** Accounts that stand for them. */
  prices?: PriceAccount[];
  /** Margin accounts to be read with the vault. */
  accounts?: Address[];
};

/** How many accounts a request may ask for. */
const REQUEST = 100;

/** A vault with everything around it. Each method throws `Refused` for what the program would refuse. */
export class Book {
  readonly #perpetua: Perpetua;
  readonly #source: ReadonlyUint8Array;
  /** What it was read from. */
  readonly source: Source;
  /** The stock token. */
  readonly mint: Mint;

  constructor(perpetua: Perpetua, source: Source) {
    this.#perpetua = perpetua;
    this.source = source;
    this.#source = sourceEncoder.encode(source);
    this.mint = perpetua.ask('mint', { source: this.#source });
  }

  /** Reads a vault from the network, all of it at one slot. */
  static async fetch(
    perpetua: Perpetua,
    rpc: Rpc<GetMultipleAccountsApi>,
    vault: Address,
    { shard = 0, prices = [], accounts = [] }: BookOptions = {},
  ): Promise<Book> {
    let source: Source = { vault, shard, prices, slot: 0n, accounts: [] };
    let wanted: Address[] = [];
    for (;;) {
      const next = [...accounts, ...perpetua.ask('wanted', { source: sourceEncoder.encode(source) })];
      // What is read tells of more, until nothing new is wanted.
      if (next.length === wanted.length) return new Book(perpetua, source);
      if (next.length > REQUEST) throw new Error(`${next.length} accounts cannot be read at one slot`);
      wanted = next;
      const { context, value } = await rpc.getMultipleAccounts(wanted, { encoding: 'base64' }).send();
      source = { ...source, slot: context.slot, accounts: existing(wanted, value) };
    }
  }

  /** What opening costs now. */
  quoteOpen(trade: Trade): OpenQuote {
    return this.#perpetua.ask('quoteOpen', { source: this.#source, ...trade });
  }

  /** What closing pays now, before what the position owes is taken off. */
  quoteClose(trade: Trade): CloseQuote {
    return this.#perpetua.ask('quoteClose', { source: this.#source, ...trade });
  }

  /** Every strike that positions may be opened at, from the lowest. */
  ladder(market: number): LadderRow[] {
    return this.#perpetua.ask('ladder', { source: this.#source, market });
  }

  /** How a margin account stands that was read with the vault. */
  account(account: Address): AccountStatus {
    return this.#perpetua.ask('account', { source: this.#source, account });
  }

  /** How a pool stands. */
  pool(pool: Pool): PoolStatus {
    return this.#perpetua.ask('pool', { source: this.#source, pool });
  }

  /** Shares that raw tokens buy now. */
  sharesFor(pool: Pool, amount: bigint): bigint {
    return this.#perpetua.ask('sharesFor', { source: this.#source, pool, amount });
  }

  /** What shares are worth now after the exit fee, raw tokens. */
  worthOf(pool: Pool, shares: bigint): bigint {
    return this.#perpetua.ask('worthOf', { source: this.#source, pool, shares });
  }

  /** Buys an option for at most `maxCost` raw tokens, premium and fee. */
  open(account: Address, trade: Trade, maxCost: bigint): Transaction {
    return this.#perpetua.ask('open', { source: this.#source, account, ...trade, maxCost });
  }

  /** Sells an option back for at least `minProceeds` raw tokens after the fee. */
  close(account: Address, trade: Trade, minProceeds: bigint): Transaction {
    return this.#perpetua.ask('close', { source: this.#source, account, ...trade, minProceeds });
  }

  /** Takes raw tokens of collateral out to a token account. */
  withdraw(account: Address, destination: Address, amount: bigint): Transaction {
    return this.#perpetua.ask('withdraw', { source: this.#source, account, destination, amount });
  }

  /** Puts raw tokens into a pool for at least `minShares`. */
  join(pool: Pool, deal: JoinDeal): Transaction {
    return this.#perpetua.ask('join', { source: this.#source, pool, ...deal });
  }

  /** Gives up shares to leave a pool. */
  leave(pool: Pool, deal: LeaveDeal): Transaction {
    return this.#perpetua.ask('leave', { source: this.#source, pool, ...deal });
  }
}

/** Who joins a pool, from which token account, with how much. */
export type JoinDeal = { owner: Address; from: Address; sharesDestination: Address; amount: bigint; minShares: bigint };

/** Who leaves a pool, with how many shares of which token account. */
export type LeaveDeal = { owner: Address; sharesSource: Address; shares: bigint };

type Found = { owner: Address; lamports: bigint; data: Base64EncodedDataResponse } | null;

/** The accounts that there are, of those asked for. */
function existing(addresses: readonly Address[], found: readonly Found[]): RawAccount[] {
  return addresses.flatMap((address, place) => {
    const account = found[place];
    if (!account) return [];
    const { owner, lamports, data } = account;
    return [{ address, owner, lamports, data: getBase64Encoder().encode(data[0]) }];
  });
}
