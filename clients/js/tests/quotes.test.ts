/** Quotes and transactions from a vault's accounts, against what the compiled program quoted and what Rust builds. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { AccountRole, type Address, type Instruction } from '@solana/kit';

import { Book, findShareMintPda, Perpetua, Pool, Refused, Side, type Source } from '../src/index.js';
import { bytes, fixtures, plain, unwrapped, type Fixture } from './fixture.js';

const FILE = 'quotes.json';
const [given] = fixtures(FILE, 'source');
const source: Source = {
  vault: given.vault,
  shard: 0,
  slot: BigInt(given.slot),
  prices: given.prices.map((price: Fixture) => ({ feedId: bytes(price.feedId), account: price.account })),
  accounts: given.accounts.map((account: Fixture) => ({
    address: account.address,
    owner: account.owner,
    lamports: BigInt(account.lamports),
    data: bytes(account.data),
  })),
};
const account: Address = given.account;
const perpetua = await Perpetua.load();
const book = new Book(perpetua, source);

const tradeOf = ({ market, side, tick, size }: Fixture) => ({ market, side, tick, size: BigInt(size) });

/** What a quote gives, in the way of the files; null where it is refused. */
function orNull(quote: () => object, fields: readonly string[]): unknown {
  try {
    return plain(Object.fromEntries(Object.entries(quote()).filter(([name]) => fields.includes(name))));
  } catch (error) {
    assert.ok(error instanceof Refused && error.code !== null, String(error));
    return null;
  }
}

test('opening and closing are quoted as the program quotes them, to the last unit', () => {
  const records = fixtures(FILE, 'quote');
  for (const record of records) {
    const trade = tradeOf(record);
    const open = orNull(() => book.quoteOpen(trade), ['value', 'premium', 'fee', 'reserve']);
    const close = orNull(() => book.quoteClose(trade), ['value', 'payout', 'fee']);
    assert.deepEqual({ open, close }, { open: record.open, close: record.close });
  }
  const quoted = (market: number) => records.filter((record) => record.market === market && record.open).length;
  assert.ok(quoted(0) > 1 && quoted(1) > 1, 'a quanto and a dollar market');
  assert.ok(
    records.some(({ open, close }) => open === null && close === null),
    'one that is refused',
  );
});

test('an account stands as the program says, and its positions as in Rust', () => {
  const [{ name: _, ...expected }] = fixtures(FILE, 'account');
  const { equity, liquidatable, ...sums } = book.account(account);
  assert.deepEqual(unwrapped(plain(sums)), expected);
  assert.equal(equity, sums.collateral - sums.owed);
  assert.equal(liquidatable, false);
  assert.deepEqual(new Set(sums.positions.map(({ side }) => side)), new Set([Side.Call, Side.Put]));
});

test('every strike of both ladders is quoted as in Rust', () => {
  for (const market of [0, 1]) {
    const expected = fixtures(FILE, 'row').filter((record) => record.market === market);
    const rows = book.ladder(market);
    assert.equal(rows.length, 57);
    assert.deepEqual(
      unwrapped(plain(rows)),
      expected.map(({ row }) => row),
    );
  }
});

test('pools stand as in Rust and give the shares that the program gives', () => {
  for (const { pool, standing, sharesForOneToken, shares, worthOfShares } of fixtures(FILE, 'pool')) {
    assert.deepEqual(unwrapped(plain(book.pool(pool))), standing);
    assert.equal(book.sharesFor(pool, 10n ** BigInt(book.mint.decimals)), BigInt(sharesForOneToken));
    assert.equal(book.worthOf(pool, BigInt(shares)), BigInt(worthOfShares));
  }
});

test('the token is read with the multiplier of its mint', () => {
  assert.deepEqual([book.mint.decimals, book.mint.paused], [8, false]);
  const multiplier = new DataView(new ArrayBuffer(8));
  multiplier.setBigUint64(0, book.mint.multiplier);
  assert.equal(multiplier.getFloat64(0), 1.0039);
  assert.equal(perpetua.shown(1_000_000_000n, book.mint, 'down'), '10.039');
});

/** An instruction in the way of the files. */
function written({ programAddress, accounts, data }: Instruction): unknown {
  return {
    program: programAddress,
    accounts: accounts!.map(({ address, role }) => ({
      address,
      signer: role === AccountRole.READONLY_SIGNER || role === AccountRole.WRITABLE_SIGNER,
      writable: role === AccountRole.WRITABLE || role === AccountRole.WRITABLE_SIGNER,
    })),
    data: Buffer.from(data!).toString('base64'),
  };
}

test('transactions are built as in Rust, cranks in front', async () => {
  const { owner, wallet } = given as { owner: Address; wallet: Address };
  const series = { side: Side.Put, tick: -2, size: 12_345n };
  const expected = Object.fromEntries(
    fixtures(FILE, 'transaction').map(({ what, instructions }) => [what, instructions]),
  );
  // Any address will do.
  const [sharesDestination] = await findShareMintPda({ vault: source.vault, pool: Pool.Insurance });
  const built = {
    open: book.open(account, { market: 1, ...series }, 678_901n),
    close: book.close(account, { market: 0, ...series }, 678_901n),
    withdraw: book.withdraw(account, wallet, 678_901n),
    join: book.join(Pool.Insurance, { owner, from: wallet, sharesDestination, amount: 678_901n, minShares: 4_321n }),
    leave: book.leave(Pool.Insurance, { owner, sharesSource: wallet, shares: 98_765n }),
  };
  for (const [what, { instructions, computeUnits }] of Object.entries(built)) {
    assert.deepEqual(instructions.map(written), expected[what], what);
    assert.ok(computeUnits > 10_000 && computeUnits < 1_400_000, `${what}: ${computeUnits}`);
  }
});

test('what is refused says which error, why and what to do', () => {
  const trade = { market: 0, side: Side.Call, tick: 60, size: 10_000n };
  assert.throws(
    () => book.quoteOpen(trade),
    (error) => {
      assert.ok(error instanceof Refused);
      const { code, name, remedy } = perpetua.explain(error.code!);
      assert.deepEqual([error.code, error.name, error.remedy], [code, name, remedy]);
      return true;
    },
  );
  assert.throws(() => new Book(perpetua, { ...source, accounts: [] }), { name: 'AccountUnreadable' });
});

test('the module works on after a request that it could not read', () => {
  assert.throws(() => perpetua.ask('wanted', { source: new Uint8Array([1, 2, 3]) }), { name: 'UnknownRequest' });
  assert.equal(perpetua.explain(6_000).name, 'MathOverflow');
});
