/** Decimals and fixed-point numbers. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatFixed, parseFixed, USD_BITS } from '../src/index.js';

test('decimals are read exactly and written back', () => {
  for (const text of ['0', '1', '-12.5', '60000', '16777215.75', '-0.0625']) {
    const bits = parseFixed(text, USD_BITS);
    const places = text.split('.')[1]?.length ?? 0;
    assert.equal(formatFixed(bits, USD_BITS, places), text);
  }
  assert.equal(parseFixed('1', USD_BITS), 1n << 64n);
});

test('what does not fit is rounded towards zero', () => {
  assert.equal(formatFixed(parseFixed('2', USD_BITS) / 3n, USD_BITS, 4), '0.6666');
  assert.equal(formatFixed(-parseFixed('2', USD_BITS) / 3n, USD_BITS, 4), '-0.6666');
  assert.equal(formatFixed(-1n, USD_BITS, 2), '0.00');
});

test('what is no decimal is refused', () => {
  for (const text of ['', '.5', '1.', '1e3', '1,5', '+1', ' 1', '0x1']) assert.throws(() => parseFixed(text, USD_BITS));
});
