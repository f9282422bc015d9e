/** Every event of the program, from its IDL by scripts/generate.mjs. */

import {
  getAccountClosedDecoder,
  type AccountClosed,
  getAccountLiquidatedDecoder,
  type AccountLiquidated,
  getAccountOpenedDecoder,
  type AccountOpened,
  getAccountSyncedDecoder,
  type AccountSynced,
  getAdminAcceptedDecoder,
  type AdminAccepted,
  getAdminNamedDecoder,
  type AdminNamed,
  getChangeAppliedDecoder,
  type ChangeApplied,
  getChangeCancelledDecoder,
  type ChangeCancelled,
  getChangeProposedDecoder,
  type ChangeProposed,
  getClaimsServedDecoder,
  type ClaimsServed,
  getDepositedDecoder,
  type Deposited,
  getFeesCollectedDecoder,
  type FeesCollected,
  getFundingCrankedDecoder,
  type FundingCranked,
  getFundingSettledDecoder,
  type FundingSettled,
  getIndexCreatedDecoder,
  type IndexCreated,
  getLossRecognisedDecoder,
  type LossRecognised,
  getLossesRepaidDecoder,
  type LossesRepaid,
  getMarketCreatedDecoder,
  type MarketCreated,
  getMarketMarkedDecoder,
  type MarketMarked,
  getMintAcknowledgedDecoder,
  type MintAcknowledged,
  getMultiplierAcknowledgedDecoder,
  type MultiplierAcknowledged,
  getOpeningPausedSetDecoder,
  type OpeningPausedSet,
  getPoolJoinedDecoder,
  type PoolJoined,
  getPositionClosedDecoder,
  type PositionClosed,
  getPositionOpenedDecoder,
  type PositionOpened,
  getSessionShortenedDecoder,
  type SessionShortened,
  getShortageNotedDecoder,
  type ShortageNoted,
  getStockCrankedDecoder,
  type StockCranked,
  getStockCreatedDecoder,
  type StockCreated,
  getTightenedDecoder,
  type Tightened,
  getVaultCreatedDecoder,
  type VaultCreated,
  getWithdrawalCancelledDecoder,
  type WithdrawalCancelled,
  getWithdrawalClaimedDecoder,
  type WithdrawalClaimed,
  getWithdrawalExecutedDecoder,
  type WithdrawalExecuted,
  getWithdrawalRequestedDecoder,
  type WithdrawalRequested,
  getWithdrawnDecoder,
  type Withdrawn,
} from './types/index.js';

/** The name of each, the first bytes of its data, and what reads the rest. */
export const EVENTS = [
  {
    name: 'AccountClosed',
    discriminator: new Uint8Array([19, 250, 79, 236, 91, 80, 148, 48]),
    decoder: getAccountClosedDecoder(),
  },
  {
    name: 'AccountLiquidated',
    discriminator: new Uint8Array([87, 101, 34, 236, 150, 254, 234, 209]),
    decoder: getAccountLiquidatedDecoder(),
  },
  {
    name: 'AccountOpened',
    discriminator: new Uint8Array([250, 89, 39, 67, 35, 119, 126, 63]),
    decoder: getAccountOpenedDecoder(),
  },
  {
    name: 'AccountSynced',
    discriminator: new Uint8Array([61, 146, 95, 121, 142, 18, 212, 166]),
    decoder: getAccountSyncedDecoder(),
  },
  {
    name: 'AdminAccepted',
    discriminator: new Uint8Array([174, 12, 76, 139, 158, 99, 110, 254]),
    decoder: getAdminAcceptedDecoder(),
  },
  {
    name: 'AdminNamed',
    discriminator: new Uint8Array([183, 12, 97, 217, 142, 173, 32, 34]),
    decoder: getAdminNamedDecoder(),
  },
  {
    name: 'ChangeApplied',
    discriminator: new Uint8Array([226, 1, 224, 100, 192, 110, 58, 24]),
    decoder: getChangeAppliedDecoder(),
  },
  {
    name: 'ChangeCancelled',
    discriminator: new Uint8Array([139, 179, 97, 81, 214, 21, 119, 93]),
    decoder: getChangeCancelledDecoder(),
  },
  {
    name: 'ChangeProposed',
    discriminator: new Uint8Array([170, 10, 10, 8, 244, 196, 146, 151]),
    decoder: getChangeProposedDecoder(),
  },
  {
    name: 'ClaimsServed',
    discriminator: new Uint8Array([155, 80, 187, 68, 246, 79, 230, 23]),
    decoder: getClaimsServedDecoder(),
  },
  {
    name: 'Deposited',
    discriminator: new Uint8Array([111, 141, 26, 45, 161, 35, 100, 57]),
    decoder: getDepositedDecoder(),
  },
  {
    name: 'FeesCollected',
    discriminator: new Uint8Array([233, 23, 117, 225, 107, 178, 254, 8]),
    decoder: getFeesCollectedDecoder(),
  },
  {
    name: 'FundingCranked',
    discriminator: new Uint8Array([121, 240, 240, 213, 178, 226, 113, 140]),
    decoder: getFundingCrankedDecoder(),
  },
  {
    name: 'FundingSettled',
    discriminator: new Uint8Array([250, 241, 161, 50, 159, 70, 172, 196]),
    decoder: getFundingSettledDecoder(),
  },
  {
    name: 'IndexCreated',
    discriminator: new Uint8Array([172, 84, 43, 253, 171, 30, 254, 244]),
    decoder: getIndexCreatedDecoder(),
  },
  {
    name: 'LossRecognised',
    discriminator: new Uint8Array([31, 164, 255, 209, 9, 178, 26, 125]),
    decoder: getLossRecognisedDecoder(),
  },
  {
    name: 'LossesRepaid',
    discriminator: new Uint8Array([32, 253, 156, 53, 210, 215, 91, 62]),
    decoder: getLossesRepaidDecoder(),
  },
  {
    name: 'MarketCreated',
    discriminator: new Uint8Array([88, 184, 130, 231, 226, 84, 6, 58]),
    decoder: getMarketCreatedDecoder(),
  },
  {
    name: 'MarketMarked',
    discriminator: new Uint8Array([174, 227, 163, 233, 42, 77, 37, 188]),
    decoder: getMarketMarkedDecoder(),
  },
  {
    name: 'MintAcknowledged',
    discriminator: new Uint8Array([235, 204, 221, 169, 83, 110, 77, 84]),
    decoder: getMintAcknowledgedDecoder(),
  },
  {
    name: 'MultiplierAcknowledged',
    discriminator: new Uint8Array([76, 31, 212, 210, 30, 10, 1, 159]),
    decoder: getMultiplierAcknowledgedDecoder(),
  },
  {
    name: 'OpeningPausedSet',
    discriminator: new Uint8Array([230, 106, 167, 227, 123, 50, 69, 252]),
    decoder: getOpeningPausedSetDecoder(),
  },
  {
    name: 'PoolJoined',
    discriminator: new Uint8Array([79, 207, 125, 205, 4, 167, 178, 115]),
    decoder: getPoolJoinedDecoder(),
  },
  {
    name: 'PositionClosed',
    discriminator: new Uint8Array([157, 163, 227, 228, 13, 97, 138, 121]),
    decoder: getPositionClosedDecoder(),
  },
  {
    name: 'PositionOpened',
    discriminator: new Uint8Array([237, 175, 243, 230, 147, 117, 101, 121]),
    decoder: getPositionOpenedDecoder(),
  },
  {
    name: 'SessionShortened',
    discriminator: new Uint8Array([174, 224, 20, 193, 169, 117, 105, 171]),
    decoder: getSessionShortenedDecoder(),
  },
  {
    name: 'ShortageNoted',
    discriminator: new Uint8Array([224, 22, 42, 78, 83, 73, 53, 89]),
    decoder: getShortageNotedDecoder(),
  },
  {
    name: 'StockCranked',
    discriminator: new Uint8Array([214, 44, 237, 166, 8, 52, 116, 177]),
    decoder: getStockCrankedDecoder(),
  },
  {
    name: 'StockCreated',
    discriminator: new Uint8Array([38, 25, 191, 71, 190, 154, 182, 180]),
    decoder: getStockCreatedDecoder(),
  },
  {
    name: 'Tightened',
    discriminator: new Uint8Array([213, 247, 155, 195, 151, 246, 150, 146]),
    decoder: getTightenedDecoder(),
  },
  {
    name: 'VaultCreated',
    discriminator: new Uint8Array([117, 25, 120, 254, 75, 236, 78, 115]),
    decoder: getVaultCreatedDecoder(),
  },
  {
    name: 'WithdrawalCancelled',
    discriminator: new Uint8Array([119, 175, 207, 80, 186, 237, 229, 9]),
    decoder: getWithdrawalCancelledDecoder(),
  },
  {
    name: 'WithdrawalClaimed',
    discriminator: new Uint8Array([9, 131, 99, 68, 7, 105, 180, 36]),
    decoder: getWithdrawalClaimedDecoder(),
  },
  {
    name: 'WithdrawalExecuted',
    discriminator: new Uint8Array([37, 78, 199, 192, 51, 68, 173, 162]),
    decoder: getWithdrawalExecutedDecoder(),
  },
  {
    name: 'WithdrawalRequested',
    discriminator: new Uint8Array([75, 207, 21, 12, 160, 102, 150, 55]),
    decoder: getWithdrawalRequestedDecoder(),
  },
  {
    name: 'Withdrawn',
    discriminator: new Uint8Array([20, 89, 223, 198, 194, 124, 219, 13]),
    decoder: getWithdrawnDecoder(),
  },
] as const;

/** Something that happened. */
export type PerpetuaEvent =
  | { name: 'AccountClosed'; data: AccountClosed }
  | { name: 'AccountLiquidated'; data: AccountLiquidated }
  | { name: 'AccountOpened'; data: AccountOpened }
  | { name: 'AccountSynced'; data: AccountSynced }
  | { name: 'AdminAccepted'; data: AdminAccepted }
  | { name: 'AdminNamed'; data: AdminNamed }
  | { name: 'ChangeApplied'; data: ChangeApplied }
  | { name: 'ChangeCancelled'; data: ChangeCancelled }
  | { name: 'ChangeProposed'; data: ChangeProposed }
  | { name: 'ClaimsServed'; data: ClaimsServed }
  | { name: 'Deposited'; data: Deposited }
  | { name: 'FeesCollected'; data: FeesCollected }
  | { name: 'FundingCranked'; data: FundingCranked }
  | { name: 'FundingSettled'; data: FundingSettled }
  | { name: 'IndexCreated'; data: IndexCreated }
  | { name: 'LossRecognised'; data: LossRecognised }
  | { name: 'LossesRepaid'; data: LossesRepaid }
  | { name: 'MarketCreated'; data: MarketCreated }
  | { name: 'MarketMarked'; data: MarketMarked }
  | { name: 'MintAcknowledged'; data: MintAcknowledged }
  | { name: 'MultiplierAcknowledged'; data: MultiplierAcknowledged }
  | { name: 'OpeningPausedSet'; data: OpeningPausedSet }
  | { name: 'PoolJoined'; data: PoolJoined }
  | { name: 'PositionClosed'; data: PositionClosed }
  | { name: 'PositionOpened'; data: PositionOpened }
  | { name: 'SessionShortened'; data: SessionShortened }
  | { name: 'ShortageNoted'; data: ShortageNoted }
  | { name: 'StockCranked'; data: StockCranked }
  | { name: 'StockCreated'; data: StockCreated }
  | { name: 'Tightened'; data: Tightened }
  | { name: 'VaultCreated'; data: VaultCreated }
  | { name: 'WithdrawalCancelled'; data: WithdrawalCancelled }
  | { name: 'WithdrawalClaimed'; data: WithdrawalClaimed }
  | { name: 'WithdrawalExecuted'; data: WithdrawalExecuted }
  | { name: 'WithdrawalRequested'; data: WithdrawalRequested }
  | { name: 'Withdrawn'; data: Withdrawn };
