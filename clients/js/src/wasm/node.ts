import { readFile } from 'node:fs/promises';

/** The module that quotes, from the package's folder. */
export async function compile(): Promise<WebAssembly.Module> {
  return await WebAssembly.compile(await readFile(new URL('../../../wasm/perpetua.wasm', import.meta.url)));
}
