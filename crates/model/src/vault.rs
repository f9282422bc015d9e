//! The ledgers of a vault: every stock token in it belongs to exactly one of them.

use bytemuck::Zeroable;
use perpetua_pricing::Rounding;

use crate::{
    account::MarginAccount,
    claims::ClaimFund,
    error::{ModelError, Result},
    impairment::{Loss, MARGIN_LOSSES, MarginLoss},
    insurance::PayoutWindow,
    pool::{Pool, PoolConfig},
    quantities::{BPS, Tokens, share},
};

/// Markets that a vault holds at most.
pub const MARKETS: usize = 4;

/// How funding that is collected is divided, in bps: insurance and protocol; the main pool gets the rest.
const FUNDING_SPLIT: [u16; 2] = [1_500, 500];
/// How trading fees are divided, in bps: insurance and protocol; the main pool gets the rest.
const FEE_SPLIT: [u16; 2] = [2_000, 3_000];

/// The parameters of a vault.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct VaultConfig {
    /// The main pool.
    pub main: PoolConfig,
    /// The insurance pool.
    pub insurance: PoolConfig,
    /// Largest share of main pool assets that may be reserved for payouts, in bps.
    pub max_utilisation_bps: u16,
    /// Zero.
    pub padding: [u8; 6],
}

impl VaultConfig {
    /// Checks the hard bounds.
    ///
    /// Errors: [`ModelError::ParameterOutOfRange`].
    pub fn validate(&self) -> Result<()> {
        self.main.validate()?;
        self.insurance.validate()?;
        let sane = (1_000..=BPS).contains(&u64::from(self.max_utilisation_bps)) && self.padding == [0; 6];
        if sane { Ok(()) } else { Err(ModelError::ParameterOutOfRange) }
    }
}

/// A vault's ledgers.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Vault {
    /// The parameters.
    pub config: VaultConfig,
    /// The sellers' pool.
    pub main: Pool,
    /// The pool that stands behind it.
    pub insurance: Pool,
    /// Sum of all margin accounts' collateral, raw units.
    pub margin: Tokens,
    /// Withdrawals executed and not claimed yet, raw units.
    pub payable: Tokens,
    /// Protocol fees not collected yet, raw units.
    pub protocol_fees: Tokens,
    /// Sum over the vault's markets of all positions' reserves, raw units.
    pub reserves: Tokens,
    /// What the insurance pool owes to traders.
    pub claims: ClaimFund,
    /// What the insurance pool may pay today.
    pub payout_window: PayoutWindow,
    /// Since when the vault is known to hold less than its ledgers, Unix seconds; 0 while it does not.
    pub short_since: i64,
    /// How much less it held when that was noted last, raw units.
    pub short: Tokens,
    /// What each layer lost and was not repaid, raw units.
    pub lost: Loss,
    /// How many losses reached margin.
    pub margin_loss_count: u8,
    /// Zero.
    pub padding: [u8; 7],
    /// Those losses, the first one first.
    pub margin_losses: [MarginLoss; MARGIN_LOSSES],
}

/// A ledger that tokens can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ledger {
    /// The main pool's assets.
    Main,
    /// The insurance pool's assets.
    Insurance,
    /// The protocol's fees.
    Protocol,
}

/// An amount divided between the two pools and the protocol.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Split {
    /// The main pool's part, raw units.
    pub main: Tokens,
    /// The insurance pool's part, raw units.
    pub insurance: Tokens,
    /// The protocol's part, raw units.
    pub protocol: Tokens,
}

impl Split {
    /// Divides collected funding; what rounding leaves goes to the main pool.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn of_funding(amount: Tokens) -> Result<Self> {
        Self::of(amount, FUNDING_SPLIT)
    }

    /// Divides a trading fee; what rounding leaves goes to the main pool.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn of_fee(amount: Tokens) -> Result<Self> {
        Self::of(amount, FEE_SPLIT)
    }

    /// The whole.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn total(&self) -> Result<Tokens> {
        self.main.plus(self.insurance)?.plus(self.protocol)
    }

    fn of(amount: Tokens, [insurance, protocol]: [u16; 2]) -> Result<Self> {
        let insurance = share(amount, insurance, Rounding::Down)?;
        let protocol = share(amount, protocol, Rounding::Down)?;
        Ok(Self { main: amount.minus(insurance)?.minus(protocol)?, insurance, protocol })
    }
}

impl Vault {
    /// A new, empty vault.
    ///
    /// Errors: [`ModelError::ParameterOutOfRange`].
    pub fn new(config: VaultConfig) -> Result<Self> {
        config.validate()?;
        Ok(Self { config, claims: ClaimFund::EMPTY, ..Self::zeroed() })
    }

    /// Sum of all ledgers: what the vault's token account must hold at least.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn total(&self) -> Result<Tokens> {
        let pools = self.main.assets.plus(self.insurance.assets)?.plus(self.claims.funded)?;
        pools.plus(self.margin)?.plus(self.payable)?.plus(self.protocol_fees)
    }

    /// Refuses to go on unless the token account's `balance` covers every ledger, and reserves are within main assets and
    /// what a loss of tokens took from those.
    ///
    /// Errors: [`ModelError::VaultShort`].
    pub fn check_conservation(&self, balance: Tokens) -> Result<()> {
        let solvent = self.total()? <= balance && self.reserves <= self.main.assets.plus(self.lost.main)?;
        if solvent { Ok(()) } else { Err(ModelError::VaultShort) }
    }

    /// The ledger.
    pub fn ledger(&mut self, ledger: Ledger) -> &mut Tokens {
        match ledger {
            Ledger::Main => &mut self.main.assets,
            Ledger::Insurance => &mut self.insurance.assets,
            Ledger::Protocol => &mut self.protocol_fees,
        }
    }

    /// Credits tokens to a ledger. What the insurance pool gets serves open claims first.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn credit(&mut self, to: Ledger, amount: Tokens) -> Result<()> {
        let served = if to == Ledger::Insurance { self.claims.serve(amount)? } else { Tokens::ZERO };
        let ledger = self.ledger(to);
        *ledger = ledger.plus(amount.minus(served)?)?;
        Ok(())
    }

    /// Credits tokens that came into the vault to an account, which is synced before.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn deposit(&mut self, account: &mut MarginAccount, amount: Tokens) -> Result<()> {
        self.sync(account)?;
        self.add_collateral(account, amount)
    }

    /// Credits tokens to an account that was synced.
    pub(crate) fn add_collateral(&mut self, account: &mut MarginAccount, amount: Tokens) -> Result<()> {
        account.collateral = account.collateral.plus(amount)?;
        self.margin = self.margin.plus(amount)?;
        Ok(())
    }

    /// Takes collateral from an account, which is synced before, for tokens that leave the vault.
    ///
    /// Errors: [`ModelError::InsufficientCollateral`].
    pub fn release(&mut self, account: &mut MarginAccount, amount: Tokens) -> Result<()> {
        self.sync(account)?;
        account.collateral = account.collateral.minus(amount).map_err(|_| ModelError::InsufficientCollateral)?;
        self.margin = self.margin.minus(amount)?;
        Ok(())
    }

    /// Moves collateral into a ledger.
    ///
    /// Errors: [`ModelError::InsufficientCollateral`].
    pub fn charge(&mut self, account: &mut MarginAccount, to: Ledger, amount: Tokens) -> Result<()> {
        self.release(account, amount)?;
        self.credit(to, amount)
    }

    /// Moves collateral into all three ledgers.
    ///
    /// Errors: [`ModelError::InsufficientCollateral`].
    pub fn charge_split(&mut self, account: &mut MarginAccount, split: Split) -> Result<()> {
        self.credit(Ledger::Main, split.main)?;
        self.credit(Ledger::Insurance, split.insurance)?;
        self.credit(Ledger::Protocol, split.protocol)?;
        // Last, so that the account collects at once what this served of its own claim.
        self.release(account, split.total()?)
    }

    /// Moves tokens from a ledger to an account.
    ///
    /// Errors: [`ModelError::MathOverflow`] where the ledger holds less, which reserves rule out for payouts.
    pub fn pay(&mut self, account: &mut MarginAccount, from: Ledger, amount: Tokens) -> Result<()> {
        let ledger = self.ledger(from);
        *ledger = ledger.minus(amount)?;
        self.deposit(account, amount)
    }

    /// Takes all protocol fees, which then leave the vault.
    ///
    /// Errors: [`ModelError::NothingToCollect`].
    pub fn collect_fees(&mut self) -> Result<Tokens> {
        if self.protocol_fees.is_zero() {
            return Err(ModelError::NothingToCollect);
        }
        Ok(core::mem::take(&mut self.protocol_fees))
    }
}
