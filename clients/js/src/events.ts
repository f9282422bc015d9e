/** The events that the program logs by calling itself, which, unlike log lines, are never truncated. */

import { containsBytes, getBase58Encoder, type Address, type ReadonlyUint8Array } from '@solana/kit';

import { EVENTS, type PerpetuaEvent } from './generated/events.js';
import { PERPETUA_PROGRAM_ADDRESS } from './generated/index.js';

export { EVENTS, type PerpetuaEvent };

/** Begins the data of every call by which an Anchor program logs an event. */
const TAG = new Uint8Array([228, 69, 165, 46, 81, 203, 154, 29]);

/** The event in the data of an inner instruction; nothing if it is none. */
export function decodeEvent(data: ReadonlyUint8Array): PerpetuaEvent | undefined {
  if (!containsBytes(data, TAG, 0)) return undefined;
  const kind = EVENTS.find(({ discriminator }) => containsBytes(data, discriminator, TAG.length));
  if (!kind) return undefined;
  const { name, decoder, discriminator } = kind;
  return { name, data: decoder.decode(data, TAG.length + discriminator.length) } as PerpetuaEvent;
}

/** What is looked at of a transaction, as `getTransaction` with the encoding `json` returns it. */
export type ReadTransaction = {
  transaction: { message: { accountKeys: readonly Address[] } };
  meta: {
    /** Null where the transaction succeeded. */
    err: unknown;
    loadedAddresses?: { writable: readonly Address[]; readonly: readonly Address[] };
    innerInstructions?: readonly { instructions: readonly { programIdIndex: number; data: string }[] }[] | null;
  } | null;
};

/** The program's events in a transaction, in order; none where it failed, since what it logged until then was undone. */
export function eventsOf({ transaction, meta }: ReadTransaction): PerpetuaEvent[] {
  if (!meta || meta.err !== null) return [];
  const { writable = [], readonly = [] } = meta.loadedAddresses ?? {};
  const addresses = [...transaction.message.accountKeys, ...writable, ...readonly];
  const inner = (meta.innerInstructions ?? []).flatMap(({ instructions }) => instructions);
  return inner.flatMap(({ programIdIndex, data }) => {
    if (addresses[programIdIndex] !== PERPETUA_PROGRAM_ADDRESS) return [];
    return decodeEvent(getBase58Encoder().encode(data)) ?? [];
  });
}
