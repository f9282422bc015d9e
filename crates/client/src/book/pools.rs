//! What pools are worth and earn, once the markets were cranked and marked with the book's prices.

use perpetua_model::{
    BPS, Market, NetAssetValue, PoolKind, Result, Shares, Split, Tokens, pricing::Rounding, share, token_value,
};

use super::{Book, quotes::per_day};

/// How a pool stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolStatus {
    /// Tokens in its ledger, raw units.
    pub assets: Tokens,
    /// Shares outstanding, those waiting to leave included.
    pub shares: Shares,
    /// Shares waiting to leave.
    pub queued: Shares,
    /// What it is worth, or why nobody can join or leave now.
    pub value: Result<NetAssetValue>,
    /// Tokens that may leave it now, raw units.
    pub exit_capacity: Tokens,
    /// Its part of what holders pay for a day at the rates of now, raw units.
    pub income_per_day: Tokens,
}

impl PoolStatus {
    /// A year's income at the rates of now, in bps of the pool's assets; nothing for an empty pool. Payouts and premiums
    /// are not in it: it is what the pool is paid for bearing them.
    pub fn funding_yield_bps(&self) -> Option<u64> {
        let year = u128::from(self.income_per_day.0) * 365 * u128::from(BPS);
        u64::try_from(year.checked_div(u128::from(self.assets.0))?).ok()
    }
}

impl Book {
    /// All markets once they were cranked and marked.
    ///
    /// Errors: those of the cranks and of [`Market::mark`].
    fn marked(&self) -> Result<Vec<Market>> {
        let mark = |number| {
            let cranked = self.cranked(number, self.moment)?;
            let mut market = *cranked.market();
            market.mark(cranked.index(), self.moment)?;
            Ok(market)
        };
        (0..self.vault.market_count).map(mark).collect()
    }

    /// How a pool stands.
    ///
    /// Errors: [`perpetua_model::ModelError::MathOverflow`].
    pub fn pool(&self, kind: PoolKind) -> Result<PoolStatus> {
        let vault = &self.vault.state;
        let pool = vault.pool(kind);
        let value = self.marked().and_then(|markets| vault.net_asset_value(kind, markets.iter(), self.moment.slot));
        let earnings = self.earnings_per_day()?;
        Ok(PoolStatus {
            assets: pool.assets,
            shares: pool.shares,
            queued: pool.queued_shares,
            value,
            exit_capacity: vault.exit_capacity(kind)?,
            income_per_day: match kind {
                PoolKind::Main => earnings.main,
                PoolKind::Insurance => earnings.insurance,
            },
        })
    }

    /// What holders of all of the vault's options pay for a day at the rates of the last crank, by who receives it, raw
    /// units, rounded down.
    ///
    /// Errors: [`perpetua_model::ModelError::MathOverflow`].
    pub fn earnings_per_day(&self) -> Result<Split> {
        let mut total = Tokens::ZERO;
        for listed in &self.markets {
            let market = &listed.market.state;
            for series in market.slots.iter().flat_map(|slot| slot.series) {
                let (size, rate) = (series.open_interest, per_day(series.rate));
                total = total.plus(token_value(size, market.units.last, rate, Rounding::Down)?)?;
            }
        }
        Split::of_funding(total)
    }

    /// What `shares` are worth now after the exit fee, raw units, rounded down.
    ///
    /// Errors: those of the pool's value.
    pub fn worth_of(&self, kind: PoolKind, shares: Shares) -> Result<Tokens> {
        let value = self.pool(kind)?.value?;
        let tokens = self.vault.state.tokens_for(kind, value, shares)?;
        tokens.minus(share(tokens, self.vault.state.pool_config(kind).exit_bps, Rounding::Up)?)
    }

    /// Shares that raw tokens buy now.
    ///
    /// Errors: those of the pool's value and of [`perpetua_model::Vault::shares_for`].
    pub fn shares_for(&self, kind: PoolKind, amount: Tokens) -> Result<Shares> {
        self.vault.state.shares_for(kind, self.pool(kind)?.value?, amount)
    }

    /// The part of the main pool's assets that is reserved, in bps.
    pub fn utilisation_bps(&self) -> Option<u64> {
        let used = u128::from(self.vault.state.reserves.0) * u128::from(BPS);
        u64::try_from(used.checked_div(u128::from(self.vault.state.main.assets.0))?).ok()
    }

    /// Whether opening and joining are paused.
    pub fn is_paused(&self) -> bool {
        self.exchange.opening_paused != 0
    }

    /// Whether the vault holds less than its ledgers.
    ///
    /// Errors: [`perpetua_model::ModelError::MathOverflow`].
    pub fn is_short(&self) -> Result<bool> {
        Ok(self.vault.state.total()? > self.balance)
    }
}
