/** From instructions to a confirmed transaction, over JSON-RPC alone. */

import {
  addSignersToTransactionMessage,
  appendTransactionMessageInstructions,
  createTransactionMessage,
  getBase64EncodedWireTransaction,
  getSignatureFromTransaction,
  getSolanaErrorFromTransactionError,
  pipe,
  setTransactionMessageComputeUnitLimit,
  setTransactionMessageComputeUnitPrice,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
  type GetEpochInfoApi,
  type GetLatestBlockhashApi,
  type GetSignatureStatusesApi,
  type Instruction,
  type Rpc,
  type SendTransactionApi,
  type Signature,
  type TransactionSigner,
} from '@solana/kit';

/** What goes into one transaction: of a `Book`, or of your own instructions. */
export type Sendable = {
  instructions: readonly Instruction[];
  /** Compute units that they take at most; without it what the network allows by itself. */
  computeUnits?: number;
};

/** What is paid for priority, and who signs besides the fee payer. */
export type SendOptions = {
  /** Micro-lamports per compute unit. */
  priorityFee?: bigint;
  /** Signers that the instructions name by address only. */
  signers?: readonly TransactionSigner[];
};

/** A transaction that was not carried out and never will be: build it anew. */
export class Expired extends Error {
  override readonly name = 'Expired';

  constructor(readonly signature: Signature) {
    super(`${signature} was not carried out before its blockhash expired, and never will be. Build and send it anew`);
  }
}

type Lifetime = Parameters<typeof setTransactionMessageLifetimeUsingBlockhash>[0];
type Network = Rpc<GetLatestBlockhashApi & SendTransactionApi & GetSignatureStatusesApi & GetEpochInfoApi>;

/** Milliseconds between two questions for a transaction's state. */
const PAUSE = 500;
/** How often the state is asked for before the same bytes are sent again. */
const ASKED = 4;

/** The message of a transaction, for whoever signs it, such as a wallet. */
export function messageOf(
  { instructions, computeUnits }: Sendable,
  feePayer: TransactionSigner,
  lifetime: Lifetime,
  { priorityFee, signers = [] }: SendOptions = {},
) {
  return pipe(
    createTransactionMessage({ version: 'legacy' }),
    (message) => setTransactionMessageFeePayerSigner(feePayer, message),
    (message) => setTransactionMessageLifetimeUsingBlockhash(lifetime, message),
    (message) => setTransactionMessageComputeUnitLimit(computeUnits, message),
    (message) => setTransactionMessageComputeUnitPrice(priorityFee, message),
    (message) => appendTransactionMessageInstructions(instructions, message),
    (message) => addSignersToTransactionMessage([...signers], message),
  );
}

/**
 * Signs once, sends, and waits until the transaction is confirmed. The same bytes are sent again until then, which the
 * network carries out at most once.
 *
 * @throws {Expired} It never will be carried out.
 * @throws {SolanaError} It would fail, or failed; `programErrorCode` finds the program's number.
 */
export async function sendAndConfirm(
  rpc: Network,
  feePayer: TransactionSigner,
  sendable: Sendable,
  options: SendOptions = {},
): Promise<Signature> {
  const { value: lifetime } = await rpc.getLatestBlockhash().send();
  const signed = await signTransactionMessageWithSigners(messageOf(sendable, feePayer, lifetime, options));
  const signature = getSignatureFromTransaction(signed);
  const bytes = getBase64EncodedWireTransaction(signed);
  const config = { encoding: 'base64', maxRetries: 0n } as const;
  await rpc.sendTransaction(bytes, { ...config, preflightCommitment: 'confirmed' }).send();
  for (let asked = 1; ; asked++) {
    // Read before the state: what is unknown beyond its last block cannot come any more.
    const { blockHeight } = await rpc.getEpochInfo().send();
    const { value } = await rpc.getSignatureStatuses([signature]).send();
    const status = value[0];
    if (status?.err) throw getSolanaErrorFromTransactionError(status.err);
    if (status?.confirmationStatus === 'confirmed' || status?.confirmationStatus === 'finalized') return signature;
    if (!status && blockHeight > lifetime.lastValidBlockHeight) throw new Expired(signature);
    if (asked % ASKED === 0) await rpc.sendTransaction(bytes, { ...config, skipPreflight: true }).send();
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}
