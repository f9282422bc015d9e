/** Addresses, against those that accounts of the compiled program hold: of each other, and the bumps of their own. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { AccountRole, createNoopSigner } from '@solana/kit';

import * as perpetua from '../src/index.js';

const FOLDER = fileURLToPath(new URL('../../../../fuzz/seeds/accounts/', import.meta.url));
const read = (name: string) => readFileSync(`${FOLDER}${name}.bin`);

/** A market whose vault is among the accounts. */
async function found() {
  const vaults = [0, 1, 2].map((number) => perpetua.getVaultDecoder().decode(read(`vault_${number}`)));
  const markets = [0, 1, 2].map((number) => perpetua.getMarketDecoder().decode(read(`market_${number}`)));
  for (const vault of vaults) {
    const [address] = await perpetua.findVaultPda({ stockMint: vault.stockMint });
    const market = markets.find((market) => market.vault === address);
    if (market) return { address, vault, market };
  }
  throw new Error('no market belongs to one of the vaults');
}

test('a vault, what belongs to it, and its markets are where the program put them', async () => {
  const { address, vault, market } = await found();
  assert.equal((await perpetua.findExchangePda())[0], vault.exchange);
  assert.equal((await perpetua.findVaultTokensPda({ vault: address }))[0], vault.tokens);
  for (const pool of [perpetua.Pool.Main, perpetua.Pool.Insurance]) {
    assert.equal((await perpetua.findShareMintPda({ vault: address, pool }))[0], vault.shareMints[pool]);
  }
  const { settlement } = market.state.config;
  const [marketAddress, bump] = await perpetua.findMarketPda({ vault: address, index: market.index, settlement });
  assert.equal(marketAddress, vault.markets[market.number]);
  assert.equal(bump, market.bump);
});

test('accounts have the bumps of the addresses that their fields give', async () => {
  const exchange = perpetua.getExchangeDecoder().decode(read('exchange_0'));
  assert.equal((await perpetua.findExchangePda())[1], exchange.bump);
  for (const number of [0, 1, 2]) {
    const index = perpetua.getPriceIndexDecoder().decode(read(`index_${number}`));
    assert.equal((await perpetua.findPriceIndexPda(index))[1], index.bump);
    const stock = perpetua.getStockDecoder().decode(read(`stock_${number}`));
    assert.equal((await perpetua.findStockPda(stock))[1], stock.bump);
    const account = perpetua.getMarginAccountDecoder().decode(read(`margin_account_${number}`));
    assert.equal((await perpetua.findMarginAccountPda(account))[1], account.bump);
    const ticket = perpetua.getWithdrawalTicketDecoder().decode(read(`ticket_${number}`));
    assert.equal((await perpetua.findTicketPda({ ...ticket, number: ticket.state.number }))[1], ticket.bump);
  }
  const proposal = perpetua.getProposalDecoder().decode(read('proposal_0'));
  assert.equal((await perpetua.findProposalPda(proposal))[1], proposal.bump);
});

test('what follows from a mint need not be given', async () => {
  const { address, vault, market } = await found();
  const owner = createNoopSigner(perpetua.getMarginAccountDecoder().decode(read('margin_account_0')).owner);
  const [account] = await perpetua.findMarginAccountPda({ vault: address, owner: owner.address, subAccount: 0 });
  const marketAddress = vault.markets[market.number]!;
  const { accounts, data, programAddress } = await perpetua.getOpenPositionInstructionAsync({
    owner,
    account,
    index: market.index,
    market: marketAddress,
    stockMint: vault.stockMint,
    side: perpetua.Side.Put,
    tick: -3,
    size: 10_000n,
    maxCost: 123_456_789n,
  });
  const [eventAuthority] = await perpetua.findEventAuthorityPda();
  const program = perpetua.PERPETUA_PROGRAM_ADDRESS;
  assert.equal(programAddress, program);
  assert.deepEqual(
    accounts.map(({ address, role }) => [address, role]),
    [
      [owner.address, AccountRole.READONLY_SIGNER],
      [vault.exchange, AccountRole.READONLY],
      [address, AccountRole.WRITABLE],
      [account, AccountRole.WRITABLE],
      [market.index, AccountRole.READONLY],
      [marketAddress, AccountRole.WRITABLE],
      [vault.stockMint, AccountRole.READONLY],
      [vault.tokens, AccountRole.READONLY],
      [eventAuthority, AccountRole.READONLY],
      [program, AccountRole.READONLY],
    ],
  );
  const expected = Buffer.alloc(8 + 1 + 2 + 8 + 8);
  expected.set(perpetua.OPEN_POSITION_DISCRIMINATOR);
  expected[8] = 1;
  expected.writeInt16LE(-3, 9);
  expected.writeBigUInt64LE(10_000n, 11);
  expected.writeBigUInt64LE(123_456_789n, 19);
  assert.deepEqual(Buffer.from(data), expected);
});
