/** The module that quotes, from where the page's bundler puts it. */
export async function compile(): Promise<WebAssembly.Module> {
  const response = await fetch(new URL('../../../wasm/perpetua.wasm', import.meta.url));
  if (!response.ok) throw new Error(`perpetua.wasm could not be fetched: ${response.status} ${response.statusText}`);
  return await WebAssembly.compile(await response.arrayBuffer());
}
