/** Options by themselves, amounts and errors, against what Rust says of them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Perpetua, Refused, type Rounding } from '../src/index.js';
import { fixtures, plain } from './fixture.js';

const FILE = 'values.json';
const perpetua = await Perpetua.load();

test('options have the values and sensitivities that Rust gives them, to the last bit', () => {
  for (const record of fixtures(FILE, 'option')) {
    const { name: _, side, spot, strike, volatility, period, fundingPerDayAbout, ...expected } = record;
    const { fundingPerDay, ...price } = perpetua.price({
      side,
      spot: BigInt(spot),
      strike: BigInt(strike),
      volatility: BigInt(volatility),
      period,
      capBps: 5_000,
      carryBps: 400,
      rentBps: 150,
    });
    assert.deepEqual(plain(price), expected);
    // The formula of docs/mechanism.md with other roundings.
    const about = BigInt(fundingPerDayAbout);
    const apart = fundingPerDay > about ? fundingPerDay - about : about - fundingPerDay;
    assert.ok(fundingPerDay > 0n && apart <= about >> 32n, `${fundingPerDay} and ${about}`);
  }
});

test('terms that no market can have are refused', () => {
  const terms = { side: 0, spot: 0n, strike: 1n << 64n, volatility: 1n << 47n, period: 86_400 };
  assert.throws(
    () => perpetua.price({ ...terms, capBps: 5_000, carryBps: 0, rentBps: 0 }),
    (error) => error instanceof Refused && error.name === 'PriceOutOfRange',
  );
});

test('amounts are shown and read as in Rust', () => {
  for (const { multiplier, raw, down, up, rawOfDown, rawOfDownUp } of fixtures(FILE, 'amount')) {
    const scale = { decimals: 8, multiplier: BigInt(multiplier) };
    assert.deepEqual(
      [perpetua.shown(BigInt(raw), scale, 'down'), perpetua.shown(BigInt(raw), scale, 'up')],
      [down, up],
    );
    const back = (rounding: Rounding) => () => perpetua.parse(down, scale, rounding);
    for (const [rounding, expected] of [['down', rawOfDown] as const, ['up', rawOfDownUp] as const]) {
      if (typeof expected === 'string') assert.equal(back(rounding)(), BigInt(expected));
      else assert.throws(back(rounding), { name: 'NotAnAmount' });
    }
  }
  assert.throws(() => perpetua.parse('1,5', { decimals: 8, multiplier: 0x3ff0n << 48n }, 'down'), {
    name: 'NotAnAmount',
  });
});

test('every error is explained as in Rust', () => {
  const records = fixtures(FILE, 'error');
  assert.ok(records.length > 50);
  for (const { code, title, message, remedy } of records) {
    const explained = perpetua.explain(code);
    assert.deepEqual([explained.name, explained.message, explained.remedy], [title, message, remedy]);
  }
});
