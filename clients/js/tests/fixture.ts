/** What `tests/tests/js_client` wrote: accounts of the compiled program, and what it and Rust say of them. */

import { readFileSync } from 'node:fs';

import { getBase64Encoder, type ReadonlyUint8Array } from '@solana/kit';

/** A record of a file, by its name; numbers beyond JavaScript's are text. */
export type Fixture = any;

/** The records of a file that have a name. */
export function fixtures(file: string, name: string): Fixture[] {
  const all: Fixture[] = JSON.parse(readFileSync(new URL(`../../tests/fixtures/${file}`, import.meta.url), 'utf8'));
  const found = all.filter((record) => record.name === name);
  if (found.length === 0) throw new Error(`${file} has no ${name}`);
  return found;
}

/** The bytes that a text in base64 stands for. */
export const bytes = (text: string): ReadonlyUint8Array => getBase64Encoder().encode(text);

/** A value with its whole numbers as text, in the way of the files. */
export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]));
}

/** As the files have what may be refused: the value itself, or the number of the error. */
export function unwrapped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrapped);
  if (value === null || typeof value !== 'object') return value;
  const fields = Object.entries(value);
  if (fields.length === 1 && 'value' in value) return unwrapped(value.value);
  return Object.fromEntries(fields.map(([name, field]) => [name, unwrapped(field)]));
}
