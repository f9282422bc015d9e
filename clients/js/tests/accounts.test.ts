/** Accounts that the compiled program wrote, read and written here. */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import type { ReadonlyUint8Array } from '@solana/kit';

import * as perpetua from '../src/index.js';

const FOLDER = fileURLToPath(new URL('../../../../fuzz/seeds/accounts/', import.meta.url));

/** What every kind of account is read and written by, whatever is in it. */
type AccountCodec = {
  read: (data: ReadonlyUint8Array, offset: number) => [unknown, number];
  encode: (account: never) => ReadonlyUint8Array;
};

const CODECS: Record<string, () => AccountCodec> = {
  exchange: perpetua.getExchangeCodec,
  index: perpetua.getPriceIndexCodec,
  vault: perpetua.getVaultCodec,
  market: perpetua.getMarketCodec,
  margin_account: perpetua.getMarginAccountCodec,
  ticket: perpetua.getWithdrawalTicketCodec,
  stock: perpetua.getStockCodec,
  proposal: perpetua.getProposalCodec,
};

const files = readdirSync(FOLDER).map((name) => ({ kind: name.replace(/_\d+\.bin$/, ''), name }));

test('accounts of every kind are read to their last byte and written as they were', () => {
  assert.deepEqual([...new Set(files.map(({ kind }) => kind))].sort(), Object.keys(CODECS).sort());
  for (const { kind, name } of files) {
    const data = readFileSync(FOLDER + name);
    const codec = CODECS[kind]!();
    const [account, end] = codec.read(data, 0);
    assert.equal(end, data.length, name);
    assert.deepEqual(Buffer.from(codec.encode(account as never)), data, name);
  }
});

test('fields lie where the program has them', () => {
  for (const { kind, name } of files) {
    const data = readFileSync(FOLDER + name);
    if (kind === 'market') {
      // The offsets of tests/tests/layouts.rs.
      const { state, number } = perpetua.getMarketDecoder().decode(data);
      assert.equal(number, data[74]);
      assert.equal(state.config.unitsPerUsd, data.readBigUInt64LE(80));
      assert.equal(state.config.referenceStrike >> 64n, data.readBigUInt64LE(96));
      assert.equal(state.config.minSize, data.readBigUInt64LE(104));
      const slot = data.length - 128 - 64 * 136 + 136;
      assert.equal(state.slots.length, 64);
      assert.equal(state.slots[1]!.strike >> 64n, data.readBigUInt64LE(slot + 8));
      assert.equal(state.slots[1]!.series[1]!.openInterest, data.readBigUInt64LE(slot + 16 + 56));
      assert.equal(state.slots[1]!.tick, data.readInt16LE(slot + 128));
    }
    if (kind === 'margin_account') {
      const { state } = perpetua.getMarginAccountDecoder().decode(data);
      assert.equal(state.collateral, data.readBigUInt64LE(80));
      const position = state.positions[1]!;
      assert.equal(position.size, data.readBigUInt64LE(128));
      assert.equal(position.reserve, data.readBigUInt64LE(128 + 24));
      assert.deepEqual([position.tick, position.market, position.side], [data.readInt16LE(160), data[162], data[163]]);
    }
  }
});
