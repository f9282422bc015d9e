//! What must hold after every step, whatever happened: docs/mechanism.md says it, and here it is computed from the model's
//! values without the functions that keep it.

mod fairness;
mod ledgers;
mod windows;

use perpetua_model::{MarginAccount, ModelError};

use super::{
    action::{ACTORS, Action, Holder, SUBS, VAULTS},
    mirror::{Mirror, Outcome, Refusal, VaultOf, refs},
};
use windows::Bought;

/// Whether something holds: what does not, in words.
type Holds = Result<(), String>;

/// Fails with words unless something is so.
macro_rules! require {
    ($condition:expr, $($words:tt)*) => {
        if !$condition {
            return Err(format!($($words)*));
        }
    };
}
use require;

/// What is remembered between steps.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// When each account had its initial margin last, by vault, owner and number.
    healthy: [[[Option<i64>; SUBS as usize]; ACTORS as usize]; VAULTS as usize],
    /// What each account was worth before it bought, by the same places.
    bought: Bought,
    steps: u64,
}

impl Watch {
    /// Checks a step: `before` is the vault that it was about, before it.
    pub(super) fn check(
        &mut self,
        action: &Action,
        outcome: &Outcome,
        before: Option<&(usize, VaultOf)>,
        after: &Mirror,
    ) -> Holds {
        self.steps += 1;
        if let Err(refusal) = outcome {
            require!(!is_defect(*refusal), "refused with {}, which nothing should lead to", refusal.name());
            self.note_refusal(action, *refusal, after);
            return Ok(());
        }
        let Some((number, before)) = before else { return Ok(()) };
        let vault = &after.vaults[*number];
        ledgers::check(action, before, vault)?;
        if vault.state.is_none() || before.state.is_none() {
            return Ok(());
        }
        self.bought.check(action, *number, before, after)?;
        fairness::check(action, before, vault, after, self.steps)?;
        self.check_equity(action, *number, before)?;
        self.note_success(action, *number, after);
        Ok(())
    }

    /// Equity is not negative within the margin horizon of a moment at which the account had its margin: where options pay
    /// funding in a token whose price cannot fall meanwhile.
    fn check_equity(&self, action: &Action, number: usize, before: &VaultOf) -> Holds {
        let (Action::Liquidate { holder, .. } | Action::SettleFunding { holder, .. }) = action else { return Ok(()) };
        let Ok(account) = before.account(*holder) else { return Ok(()) };
        let used =
            account.open_positions().filter_map(|(_, position)| before.markets.get(usize::from(position.market)));
        let used: Vec<_> = used.collect();
        let quanto = used.iter().all(|market| market.parameters.settlement == perpetua::Settlement::Quanto);
        let accrued = used.iter().map(|market| market.state.accrued_at).max();
        let horizon = used.iter().map(|market| i64::from(market.parameters.margin_horizon)).min();
        let since = self.healthy[number][usize::from(holder.owner)][usize::from(holder.sub)];
        let (Some(since), Some(horizon), Some(accrued)) = (since, horizon, accrued) else { return Ok(()) };
        if !quanto || accrued - since > horizon {
            return Ok(());
        }
        let equity = equity(before, account).ok_or("an account owes in a market that is not there")?;
        require!(equity >= 0, "an account that had its margin {} s ago has an equity of {equity}", accrued - since);
        Ok(())
    }

    fn note_refusal(&mut self, action: &Action, refusal: Refusal, world: &Mirror) {
        if let Action::Liquidate { vault, holder, .. } = action
            && refusal == Refusal::Model(ModelError::AccountHealthy)
            && all_accrued(&world.vaults[usize::from(*vault)], *holder, world.slot)
        {
            self.healthy_of(*vault, *holder).replace(world.now);
        }
    }

    fn note_success(&mut self, action: &Action, number: usize, world: &Mirror) {
        match action {
            Action::OpenPosition { vault, holder, .. } | Action::Withdraw { vault, holder, .. } => {
                self.healthy_of(*vault, *holder).replace(world.now);
            }
            Action::OpenAccount { vault, holder } => *self.healthy_of(*vault, *holder) = None,
            // What may raise what is owed, or take collateral.
            Action::ApplyChange { .. } | Action::Tighten { .. } | Action::RecogniseLoss { .. } => {
                self.healthy[number] = Default::default();
            }
            _ => {}
        }
    }

    fn healthy_of(&mut self, vault: u8, holder: Holder) -> &mut Option<i64> {
        &mut self.healthy[usize::from(vault)][usize::from(holder.owner)][usize::from(holder.sub)]
    }
}

/// Whether a refusal shows a defect rather than a wish that cannot be granted: a number that left its range, or ledgers that
/// changed by something else than tokens.
fn is_defect(refusal: Refusal) -> bool {
    [Refusal::Model(ModelError::MathOverflow), Refusal::Program("LedgerMismatch")].contains(&refusal)
}

/// Whether every market that an account is in was accrued in this slot.
fn all_accrued(vault: &VaultOf, holder: Holder, slot: u64) -> bool {
    let Ok(account) = vault.account(holder) else { return false };
    let mut used = account.open_positions().map(|(_, position)| vault.markets.get(usize::from(position.market)));
    used.all(|market| market.is_some_and(|market| market.state.accrued_slot == slot))
}

/// What an account owes by its markets' last accruals, raw units, rounded up; nothing where a market is missing.
fn owed(vault: &VaultOf, account: &MarginAccount) -> Option<i128> {
    let mut exact = 0u128;
    for (_, position) in account.open_positions() {
        let market = &vault.markets.get(usize::from(position.market))?.state;
        let key = position.key();
        let (_, series) = market.series(key.side, key.tick).ok()?;
        let advance = series.funding_index.get().checked_sub(position.entry.get())?;
        exact = exact.checked_add(advance.checked_mul(position.size.0.into())?)?;
    }
    Some(i128::try_from(exact.div_ceil(1 << 64)).ok()? + i128::from(account.debt.0))
}

/// An account once it learned of losses, repayments and what its claim was served.
fn synced(vault: &VaultOf, account: &MarginAccount) -> Option<MarginAccount> {
    let (mut ledgers, mut account) = (vault.state?, *account);
    ledgers.sync(&mut account).ok()?;
    Some(account)
}

/// Collateral less what is owed, raw units.
fn equity(vault: &VaultOf, account: &MarginAccount) -> Option<i128> {
    let account = synced(vault, account)?;
    Some(i128::from(account.collateral.0) - owed(vault, &account)?)
}

/// How an account stands by the margins of all markets.
fn health_of(vault: &VaultOf, account: &MarginAccount, now: i64) -> Option<perpetua_model::Health> {
    perpetua_model::health(&synced(vault, account)?, &refs(&vault.markets, u8::MAX), now).ok()
}
