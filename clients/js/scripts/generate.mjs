// Writes src/generated from the program's IDL.
//
// Codama renders accounts, instructions, types, addresses and errors. It renders no events, so this adds a table of them.
// What the IDL does not say stands in interface.mjs.

import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { rootNodeFromAnchor } from '@codama/nodes-from-anchor';
import { renderVisitor } from '@codama/renderers-js';
import { visit } from 'codama';
import { format } from 'prettier';

import { complete, named } from './interface.mjs';

const PACKAGE = join(import.meta.dirname, '..');
const IDL = join(PACKAGE, '../../idl/perpetua.json');
const GENERATED = 'src/generated';
const STYLE = JSON.parse(readFileSync(join(PACKAGE, '.prettierrc.json'), 'utf8'));

/** The module that knows every event by the first bytes of its data. */
function eventsModule(events) {
  const imports = events.map(({ name }) => `get${name}Decoder, type ${name}`);
  const entries = events.map(
    ({ name, discriminator }) =>
      `{ name: '${name}', discriminator: new Uint8Array([${discriminator}]), decoder: get${name}Decoder() },`,
  );
  return `
    /** Every event of the program, from its IDL by scripts/generate.mjs. */

    import { ${imports} } from './types';

    /** The name of each, the first bytes of its data, and what reads the rest. */
    export const EVENTS = [${entries.join('\n')}] as const;

    /** Something that happened. */
    export type PerpetuaEvent = ${events.map(({ name }) => `| { name: '${name}'; data: ${name} }`).join('\n')};
  `;
}

/** Lets the compiler infer what kit's client becomes: Codama writes the type of an earlier kit, which this one refuses. */
function inferClient(file) {
  const earlier = ": Omit<T, 'perpetua'> & { perpetua: PerpetuaPlugin } =>";
  const rendered = readFileSync(file, 'utf8');
  if (!rendered.includes(earlier)) throw new Error(`${file} changed: see whether inferClient is still needed`);
  writeFileSync(file, rendered.replace(earlier, ' =>'));
}

/** Names files as Node and browsers need them: Codama leaves the end of a path to a bundler. */
function completePaths(folder) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())) {
    const file = join(entry.parentPath, entry.name);
    const completed = readFileSync(file, 'utf8').replaceAll(/from '(\.[^']*)'/g, (_whole, path) => {
      const isFile = existsSync(`${join(dirname(file), path)}.ts`);
      return `from '${isFile ? path : path.replace(/\/?$/, '/index')}.js'`;
    });
    writeFileSync(file, completed);
  }
}

/** Renders into a package's folder. */
async function generate(idl, folder) {
  const { interfaceOfAccounts, events } = named(idl);
  const root = complete(rootNodeFromAnchor(interfaceOfAccounts));
  const options = { kitImportStrategy: 'rootOnly', prettierOptions: STYLE, syncPackageJson: false };
  await visit(root, renderVisitor(folder, { ...options, generatedFolder: GENERATED }));
  const module = await format(eventsModule(events), { ...STYLE, parser: 'typescript' });
  writeFileSync(join(folder, GENERATED, 'events.ts'), module);
  inferClient(join(folder, GENERATED, 'programs/perpetua.ts'));
  completePaths(join(folder, GENERATED));
}

await generate(JSON.parse(readFileSync(IDL, 'utf8')), process.argv[2] ?? PACKAGE);
