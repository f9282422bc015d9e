/**
 * A trader's journey by `examples/trade.ts`, over JSON-RPC, and whether it did what it should.
 *
 * On a network with Perpetua: `--url http://127.0.0.1:8899 --keypair trader.json --stock-mint MINT`. Otherwise
 * `--server EXECUTABLE` is started with the trader's address and says where it is.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

import {
  createKeyPairSignerFromBytes,
  createSolanaRpc,
  fetchEncodedAccount,
  generateKeyPairSigner,
  getAddressEncoder,
  getProgramDerivedAddress,
  type Address,
  type Signature,
  type TransactionSigner,
} from '@solana/kit';

import { trade } from '../examples/trade.js';
import {
  Book,
  eventsOf,
  fetchVault,
  findVaultPda,
  Perpetua,
  programErrorCode,
  sendAndConfirm,
  type PerpetuaEvent,
} from '../src/index.js';

const ASSOCIATED_TOKEN = 'ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL' as Address;
/** Where the amount is in a token account. */
const AMOUNT = 64;

type Data<Name> = Extract<PerpetuaEvent, { name: Name }>['data'];
type Network = { rpc: string; stockMint: Address };

/** A server that runs until its input ends. */
async function serve(executable: string, trader: Address) {
  const child = spawn(executable, ['--trader', trader], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const line = Promise.race([once(createInterface(child.stdout), 'line'), ended]);
  const [greeting] = await line;
  assert.equal(typeof greeting, 'string', `${executable} ended before it said where it listens`);
  const stop = async () => {
    child.stdin.end();
    const [code] = await ended;
    assert.equal(code, 0, `${executable} ended with ${code}`);
  };
  return { network: JSON.parse(greeting) as Network, stop };
}

async function journey({ rpc: url, stockMint }: Network, trader: TransactionSigner) {
  const rpc = createSolanaRpc(url);
  const [vault] = await findVaultPda({ stockMint });
  const { tokenProgram } = (await fetchVault(rpc, vault)).data;
  const encode = getAddressEncoder().encode;
  const seeds = [encode(trader.address), encode(tokenProgram), encode(stockMint)];
  const [wallet] = await getProgramDerivedAddress({ programAddress: ASSOCIATED_TOKEN, seeds });

  async function balance(): Promise<bigint> {
    const account = await fetchEncodedAccount(rpc, wallet);
    assert.ok(account.exists, `${trader.address} has no tokens of ${stockMint}`);
    return Buffer.from(account.data).readBigUInt64LE(AMOUNT);
  }
  async function event<Name extends PerpetuaEvent['name']>(signature: Signature, name: Name): Promise<Data<Name>> {
    const config = { encoding: 'json', maxSupportedTransactionVersion: 0 } as const;
    const found = await rpc.getTransaction(signature, config).send();
    assert.ok(found, `the network forgot ${signature}`);
    const event = eventsOf(found).find((event) => event.name === name);
    assert.ok(event, `${name} in ${signature}`);
    return event.data as Data<Name>;
  }

  const before = await balance();
  const amount = before / 2n;
  const { account, option, quote, state, standing, signatures } = await trade(rpc, trader, stockMint, wallet, amount);

  assert.equal((await event(signatures.deposited, 'Deposited')).amount, amount);
  const opened = await event(signatures.opened, 'PositionOpened');
  const cost = opened.premium + opened.fee;
  assert.ok(cost <= ((quote.premium + quote.fee) * 101n) / 100n, `${cost}`);
  assert.equal(opened.strike, quote.strike);

  // Read by the generated code and by the program's own.
  const held = state.positions.filter(({ size }) => size > 0n);
  assert.deepEqual(
    held.map(({ size, tick, side, market }) => ({ market, side, tick, size })),
    [option],
  );
  assert.deepEqual(
    standing.positions.map(({ size, tick, side, market }) => ({ market, side, tick, size })),
    [option],
  );
  assert.equal(standing.collateral, state.collateral);

  const closed = await event(signatures.closed, 'PositionClosed');
  const proceeds = closed.payout - closed.fee - closed.funding;
  const withdrawn = await event(signatures.withdrawn, 'Withdrawn');
  assert.equal(withdrawn.collateral, 0n);
  assert.equal(await balance(), before - cost + proceeds, 'every token is accounted for');

  const perpetua = await Perpetua.load();
  const book = await Book.fetch(perpetua, rpc, vault, { accounts: [account] });
  await assert.rejects(sendAndConfirm(rpc, trader, book.open(account, option, 1n)), (error) => {
    const code = programErrorCode(error);
    assert.ok(code !== undefined, String(error));
    assert.equal(perpetua.explain(code).name, 'CostAboveLimit');
    return true;
  });
  const shown = (raw: bigint) => perpetua.shown(raw, book.mint, 'down');
  return { deposited: shown(amount), cost: shown(cost), proceeds: shown(proceeds), withdrawn: shown(withdrawn.amount) };
}

const { values } = parseArgs({
  options: {
    server: { type: 'string' },
    url: { type: 'string' },
    keypair: { type: 'string' },
    'stock-mint': { type: 'string' },
  },
});
const { server, url, keypair, 'stock-mint': stockMint } = values;
if (server) {
  const trader = await generateKeyPairSigner();
  const { network, stop } = await serve(server, trader.address);
  console.log(await journey(network, trader));
  await stop();
} else if (url && keypair && stockMint) {
  const trader = await createKeyPairSignerFromBytes(new Uint8Array(JSON.parse(readFileSync(keypair, 'utf8'))));
  console.log(await journey({ rpc: url, stockMint: stockMint as Address }, trader));
} else {
  console.error('give --url, --keypair and --stock-mint, or --server');
  process.exitCode = 2;
}
