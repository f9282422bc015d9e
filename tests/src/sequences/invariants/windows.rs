//! Nobody gains by buying and selling at prices that were accepted within one window or the next.

use std::collections::BTreeMap;

use perpetua_model::MarginAccount;

use super::{Holds, require, synced};
use crate::sequences::{
    action::{Action, Holder},
    mirror::{Mirror, VaultOf},
};

/// Accounts that had no position until they bought.
#[derive(Clone, Debug, Default)]
pub(super) struct Bought(BTreeMap<(usize, Holder), Purchase>);

/// What an account was worth before it bought.
#[derive(Clone, Copy, Debug)]
struct Purchase {
    worth: i128,
    /// The window in which the market's index, and its stock, had accepted their last price.
    windows: [i64; 2],
    market: u8,
}

impl Bought {
    /// Notes purchases, and checks accounts that sold all they had.
    pub(super) fn check(&mut self, action: &Action, number: usize, before: &VaultOf, world: &Mirror) -> Holds {
        let after = &world.vaults[number];
        match *action {
            Action::OpenPosition { holder, series, .. } => {
                let known = self.0.get(&(number, holder)).copied();
                let first = before.account(holder).is_ok_and(is_flat);
                let worth = worth(before, holder).filter(|_| first);
                // Trading in several markets has several windows.
                let kept = known.filter(|purchase| purchase.market == series.market);
                let windows = windows(after, world, series.market);
                let new = worth.zip(windows).map(|(worth, windows)| Purchase { worth, windows, market: series.market });
                self.set(number, holder, if first { new } else { kept });
            }
            Action::ClosePosition { holder, .. } => {
                let purchase = self.0.get(&(number, holder)).copied();
                let Some(purchase) = purchase.filter(|_| after.account(holder).is_ok_and(is_flat)) else {
                    return Ok(());
                };
                self.0.remove(&(number, holder));
                let (Some(now), Some(has)) = (windows(after, world, purchase.market), worth(after, holder)) else {
                    return Ok(());
                };
                let near = now.iter().zip(&purchase.windows).all(|(now, then)| now - then <= 1);
                let had = purchase.worth;
                // A claim is rounded up.
                require!(!near || has <= had + 1, "who was worth {had} bought and sold within a window, and has {has}");
            }
            // Nobody else's act adds to what a trader makes of prices, nor is it his gain.
            Action::RecogniseLoss { .. } | Action::RepayLosses { .. } => {
                self.0.retain(|(vault, _), _| *vault != number)
            }
            Action::Deposit { holder, .. }
            | Action::Withdraw { holder, .. }
            | Action::SettleCapped { holder, .. }
            | Action::RetireFar { holder, .. }
            | Action::SettleAbandoned { holder, .. }
            | Action::CloseAccount { holder, .. } => self.set(number, holder, None),
            Action::Liquidate { holder, keeper, .. } => {
                self.set(number, holder, None);
                self.set(number, keeper, None);
            }
            _ => {}
        }
        Ok(())
    }

    fn set(&mut self, vault: usize, holder: Holder, purchase: Option<Purchase>) {
        match purchase {
            Some(purchase) => drop(self.0.insert((vault, holder), purchase)),
            None => drop(self.0.remove(&(vault, holder))),
        }
    }
}

fn is_flat(account: &MarginAccount) -> bool {
    account.open_positions().next().is_none()
}

/// Collateral and claim, raw units.
fn worth(vault: &VaultOf, holder: Holder) -> Option<i128> {
    let account = synced(vault, vault.account(holder).ok()?)?;
    let claim = account.claim.left(vault.state?.claims.scale).ok()?;
    Some(i128::from(account.collateral.0) + i128::from(claim.0))
}

/// The windows in which the market's index and its stock accepted a price last.
fn windows(vault: &VaultOf, world: &Mirror, market: u8) -> Option<[i64; 2]> {
    let market = vault.markets.get(usize::from(market))?;
    let index = world.indices[usize::from(market.index)].as_ref()?;
    let stock = vault.stock.as_ref().map_or(0, |stock| stock.state.share.current.number);
    Some([index.state.feed.current.number, stock])
}
