/** What the documents show is what the journey runs. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

test('the documents show the example that is run', () => {
  const example = read('examples/trade.ts').trim();
  for (const document of ['README.md', '../../docs/integrating.md']) {
    assert.ok(read(document).includes('```ts\n' + example + '\n```'), `${document} shows something else`);
  }
});
