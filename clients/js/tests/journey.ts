/**
 * A trader's journey by `examples/trade.ts`, over JSON-RPC, and whether it did what it should.
 *
 * On a network with Perpetua: `--url http://127.0.0.1:8899 --keypair trader.json --stock-mint MINT`, and
 * `--provider lp.json` for a pool that is empty. Otherwise
 * `--server EXECUTABLE` is started with the trader's address and says where it is.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

import {
  AccountRole,
  createKeyPairSignerFromBytes,
  createSolanaRpc,
  fetchEncodedAccount,
  generateKeyPairSigner,
  getAddressEncoder,
  getProgramDerivedAddress,
  type Address,
  type Instruction,
  type Rpc,
  type Signature,
  type SolanaRpcApi,
  type TransactionSigner,
} from '@solana/kit';

import { trade } from '../examples/trade.js';
import {
  Book,
  eventsOf,
  Expired,
  fetchVault,
  findShareMintPda,
  findVaultPda,
  getCloseAccountInstructionAsync,
  getOpenAccountInstructionAsync,
  Perpetua,
  Pool,
  programErrorCode,
  sendAndConfirm,
  type PerpetuaEvent,
} from '../src/index.js';

const ASSOCIATED_TOKEN = 'ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL' as Address;
const SPL_TOKEN = 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA' as Address;
const SYSTEM = '11111111111111111111111111111111' as Address;
/** Where the amount is in a token account. */
const AMOUNT = 64;

type Network = { rpc: string; stockMint: Address };
type Connection = Rpc<SolanaRpcApi>;
type Data<Name> = Extract<PerpetuaEvent, { name: Name }>['data'];

/** Does something on a server that runs until its input ends. */
async function serving<T>(
  [executable, ...more]: [string, ...string[]],
  trader: Address,
  visit: (network: Network) => Promise<T>,
): Promise<T> {
  const child = spawn(executable, ['--trader', trader, ...more], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const [greeting] = await Promise.race([once(createInterface(child.stdout), 'line'), ended]);
  assert.equal(typeof greeting, 'string', `${executable} ended before it said where it listens`);
  try {
    return await visit(JSON.parse(greeting) as Network);
  } finally {
    child.stdin.end();
    const [code] = await ended;
    assert.equal(code, 0, `${executable} ended with ${code}`);
  }
}

/** Where somebody's tokens are. */
async function associated(owner: Address, mint: Address, tokenProgram: Address): Promise<Address> {
  const seeds = [owner, tokenProgram, mint].map((address) => getAddressEncoder().encode(address));
  return (await getProgramDerivedAddress({ programAddress: ASSOCIATED_TOKEN, seeds }))[0];
}

/** Creates the token account unless it exists. */
function createAssociated(payer: Address, account: Address, mint: Address, tokenProgram: Address): Instruction {
  const accounts = [
    { address: payer, role: AccountRole.WRITABLE_SIGNER },
    { address: account, role: AccountRole.WRITABLE },
    { address: payer, role: AccountRole.READONLY },
    { address: mint, role: AccountRole.READONLY },
    { address: SYSTEM, role: AccountRole.READONLY },
    { address: tokenProgram, role: AccountRole.READONLY },
  ];
  return { programAddress: ASSOCIATED_TOKEN, accounts, data: new Uint8Array([1]) };
}

async function balance(rpc: Connection, wallet: Address): Promise<bigint> {
  const account = await fetchEncodedAccount(rpc, wallet);
  assert.ok(account.exists, `there is no token account ${wallet}`);
  return Buffer.from(account.data).readBigUInt64LE(AMOUNT);
}

/** The event of this name in a transaction. */
async function event<Name extends PerpetuaEvent['name']>(
  rpc: Connection,
  signature: Signature,
  name: Name,
): Promise<Data<Name>> {
  const config = { encoding: 'json', maxSupportedTransactionVersion: 0 } as const;
  const found = await rpc.getTransaction(signature, config).send();
  assert.ok(found, `the network forgot ${signature}`);
  const event = eventsOf(found).find((event) => event.name === name);
  assert.ok(event, `${name} in ${signature}`);
  return event.data as Data<Name>;
}

/** Puts half of somebody's tokens into the main pool. */
async function provide({ rpc: url, stockMint }: Network, provider: TransactionSigner) {
  const rpc = createSolanaRpc(url);
  const owner = provider.address;
  const perpetua = await Perpetua.load();
  const [vault] = await findVaultPda({ stockMint });
  const book = await Book.fetch(perpetua, rpc, vault);
  const from = await associated(owner, stockMint, book.mint.tokenProgram);
  const [shareMint] = await findShareMintPda({ vault, pool: Pool.Main });
  const sharesDestination = await associated(owner, shareMint, SPL_TOKEN);
  const account = createAssociated(owner, sharesDestination, shareMint, SPL_TOKEN);
  await sendAndConfirm(rpc, provider, { instructions: [account] });

  const amount = (await balance(rpc, from)) / 2n;
  const minShares = (book.sharesFor(Pool.Main, amount) * 99n) / 100n;
  const join = book.join(Pool.Main, { owner, from, sharesDestination, amount, minShares });
  const joined = await event(rpc, await sendAndConfirm(rpc, provider, join), 'PoolJoined');
  assert.equal(joined.amount, amount);
  assert.ok(joined.shares >= minShares && (await balance(rpc, sharesDestination)) >= joined.shares);
  return { pool: joined.shares };
}

async function journey({ rpc: url, stockMint }: Network, trader: TransactionSigner) {
  const rpc = createSolanaRpc(url);
  const [vault] = await findVaultPda({ stockMint });
  const { tokenProgram } = (await fetchVault(rpc, vault)).data;
  const wallet = await associated(trader.address, stockMint, tokenProgram);
  const before = await balance(rpc, wallet);
  const amount = before / 2n;
  const traded = await trade(rpc, trader, stockMint, wallet, amount);
  const { account, option, quote, state, standing, signatures } = traded;

  const deposited = await event(rpc, signatures.deposited, 'Deposited');
  assert.equal(deposited.amount, amount);
  const opened = await event(rpc, signatures.opened, 'PositionOpened');
  const cost = opened.premium + opened.fee;
  assert.ok(cost <= ((quote.premium + quote.fee) * 101n) / 100n, `${cost}`);
  assert.equal(opened.strike, quote.strike);

  // Read by the generated code and by the program's own.
  for (const positions of [state.positions, standing.positions]) {
    const held = positions.filter(({ size }) => size > 0n);
    const options = held.map(({ size, tick, side, market }) => ({ market, side, tick, size }));
    assert.deepEqual(options, [option]);
  }
  assert.deepEqual([standing.collateral, state.collateral], [opened.collateral, deposited.collateral - cost]);

  const closed = await event(rpc, signatures.closed, 'PositionClosed');
  const proceeds = closed.payout - closed.fee - closed.funding;
  const withdrawn = await event(rpc, signatures.withdrawn, 'Withdrawn');
  assert.deepEqual([withdrawn.amount, withdrawn.collateral], [opened.collateral + proceeds, 0n]);
  assert.equal(await balance(rpc, wallet), before - amount + withdrawn.amount, 'every token is accounted for');
  await refusedAndClosed(rpc, trader, traded, vault);
  return { account, cost, proceeds };
}

/** What fails names the program's error. In the end the account goes, so that the journey can be taken again. */
async function refusedAndClosed(
  rpc: Connection,
  trader: TransactionSigner,
  { account, option }: Awaited<ReturnType<typeof trade>>,
  vault: Address,
) {
  const perpetua = await Perpetua.load();
  const book = await Book.fetch(perpetua, rpc, vault, { accounts: [account] });
  await assert.rejects(sendAndConfirm(rpc, trader, book.open(account, option, 1n)), (error) => {
    const code = programErrorCode(error);
    assert.ok(code !== undefined, String(error));
    assert.equal(perpetua.explain(code).name, 'CostAboveLimit');
    return true;
  });
  await sendAndConfirm(rpc, trader, {
    instructions: [await getCloseAccountInstructionAsync({ owner: trader, account })],
  });
  assert.equal((await fetchEncodedAccount(rpc, account)).exists, false);
}

/** What a network takes and never carries out ends when its blockhash does. */
async function expiry({ rpc: url, stockMint }: Network, trader: TransactionSigner) {
  const rpc = createSolanaRpc(url);
  const [vault] = await findVaultPda({ stockMint });
  const open = await getOpenAccountInstructionAsync({ owner: trader, payer: trader, vault, subAccount: 0 });
  await assert.rejects(sendAndConfirm(rpc, trader, { instructions: [open] }), Expired);
}

const signerIn = async (file: string) =>
  createKeyPairSignerFromBytes(new Uint8Array(JSON.parse(readFileSync(file, 'utf8'))));

const { values } = parseArgs({
  options: {
    server: { type: 'string' },
    url: { type: 'string' },
    keypair: { type: 'string' },
    provider: { type: 'string' },
    'stock-mint': { type: 'string' },
  },
});
const { server, url, keypair, provider, 'stock-mint': stockMint } = values;
if (server) {
  const trader = await generateKeyPairSigner();
  // What is lost is sent again.
  await serving([server, '--drop', '1'], trader.address, async (network) => {
    console.log(await journey(network, trader));
    console.log(await provide(network, trader));
  });
  await serving([server, '--drop', '1000', '--speed', '100'], trader.address, (network) => expiry(network, trader));
} else if (url && keypair && stockMint) {
  const network = { rpc: url, stockMint: stockMint as Address };
  if (provider) console.log(await provide(network, await signerIn(provider)));
  console.log(await journey(network, await signerIn(keypair)));
} else {
  console.error('give --url, --keypair, --stock-mint and, to fill the pool before, --provider; or --server');
  process.exitCode = 2;
}
