import type { Address, Instruction, Rpc, SolanaRpcApi, TransactionSigner } from '@solana/kit';
import {
  Book,
  fetchMarginAccount,
  fetchMaybeMarginAccount,
  fetchVault,
  findMarginAccountPda,
  findVaultPda,
  getDepositInstructionAsync,
  getOpenAccountInstructionAsync,
  Perpetua,
  sendAndConfirm,
  Side,
} from '@perpetua-options/client';

/** Deposits stock tokens, buys 0.01 BTC of a call, sells it again, and takes the tokens back. */
export async function trade(
  rpc: Rpc<SolanaRpcApi>,
  trader: TransactionSigner,
  stockMint: Address,
  wallet: Address, // the trader's account of stock tokens
  amount: bigint, // raw units of collateral
) {
  const perpetua = await Perpetua.load();
  const [vault] = await findVaultPda({ stockMint });
  const { tokenProgram } = (await fetchVault(rpc, vault)).data;
  const [account] = await findMarginAccountPda({ vault, owner: trader.address, subAccount: 0 });
  const read = () => Book.fetch(perpetua, rpc, vault, { accounts: [account] });

  const instructions: Instruction[] = [
    await getDepositInstructionAsync({ owner: trader, account, stockMint, source: wallet, tokenProgram, amount }),
  ];
  if (!(await fetchMaybeMarginAccount(rpc, account)).exists) {
    instructions.unshift(await getOpenAccountInstructionAsync({ owner: trader, payer: trader, vault, subAccount: 0 }));
  }
  const deposited = await sendAndConfirm(rpc, trader, { instructions });

  // The strike nearest to the money stands in the middle of the ladder.
  let book = await read();
  const ladder = book.ladder(0);
  const option = { market: 0, side: Side.Call, tick: ladder[ladder.length >> 1]!.tick, size: 10_000n };
  const quote = book.quoteOpen(option);
  const maxCost = ((quote.premium + quote.fee) * 101n) / 100n;
  const opened = await sendAndConfirm(rpc, trader, book.open(account, option, maxCost));

  const { state } = (await fetchMarginAccount(rpc, account)).data;
  book = await read();
  const standing = book.account(account);

  const { payout, fee } = book.quoteClose(option);
  const minProceeds = ((payout - fee) * 99n) / 100n;
  const closed = await sendAndConfirm(rpc, trader, book.close(account, option, minProceeds));

  book = await read();
  const { equity } = book.account(account);
  const withdrawn = await sendAndConfirm(rpc, trader, book.withdraw(account, wallet, equity));
  return { account, option, quote, state, standing, signatures: { deposited, opened, closed, withdrawn } };
}
