/** Events in transactions as `getTransaction` returns them. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { getBase58Decoder, type Address } from '@solana/kit';

import * as perpetua from '../src/index.js';

const [VAULT, OTHER] = [
  'So11111111111111111111111111111111111111112' as Address,
  'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA' as Address,
];
const PROGRAM = perpetua.PERPETUA_PROGRAM_ADDRESS;

/** The first eight bytes of a hash, as Anchor names things. */
const named = (text: string) => createHash('sha256').update(text).digest().subarray(0, 8);

/** The data of the call by which an event is logged, as Anchor's programs write it. */
function logged(name: string, fields: Uint8Array): Uint8Array {
  return Buffer.concat([named('anchor:event').reverse(), named(`event:${name}`), fields]);
}

const withdrawn = { vault: VAULT, account: OTHER, amount: 123n, collateral: 456n };
const data = logged('Withdrawn', Uint8Array.from(perpetua.getWithdrawnEncoder().encode(withdrawn)));

test('every event is known by the bytes that Anchor derives from its name', () => {
  assert.ok(perpetua.EVENTS.length > 30);
  for (const { name, discriminator } of perpetua.EVENTS) {
    assert.deepEqual(Buffer.from(discriminator), named(`event:${name}`), name);
  }
});

test('an event is read and other data is none', () => {
  assert.deepEqual(perpetua.decodeEvent(data), { name: 'Withdrawn', data: withdrawn });
  assert.equal(perpetua.decodeEvent(data.subarray(8)), undefined);
  assert.equal(perpetua.decodeEvent(logged('Unheard', new Uint8Array(80))), undefined);
  assert.equal(perpetua.decodeEvent(new Uint8Array()), undefined);
});

test('only what the program itself logged counts, from tables as well', () => {
  const encoded = getBase58Decoder().decode(data);
  const transaction = {
    transaction: { message: { accountKeys: [VAULT, OTHER] } },
    meta: {
      err: null,
      loadedAddresses: { writable: [VAULT], readonly: [PROGRAM] },
      innerInstructions: [
        { instructions: [{ programIdIndex: 1, data: encoded }] },
        { instructions: [{ programIdIndex: 3, data: encoded }] },
      ],
    },
  };
  assert.deepEqual(perpetua.eventsOf(transaction), [{ name: 'Withdrawn', data: withdrawn }]);
  assert.deepEqual(perpetua.eventsOf({ ...transaction, meta: null }), []);
  const failed = { ...transaction, meta: { ...transaction.meta, err: { InstructionError: [1, 'Custom'] } } };
  assert.deepEqual(perpetua.eventsOf(failed), [], 'what a failed transaction logged did not happen');
});
