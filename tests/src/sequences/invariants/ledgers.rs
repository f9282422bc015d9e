//! Tokens and sums: nothing is made or lost, every sum kept is the sum of its parts, losses fall in their order.

use super::{Holds, require};
use crate::{
    ledger::Books,
    sequences::{
        action::{ACTORS, Action, Holder},
        mirror::{VaultOf, WEALTH},
    },
};

pub(super) fn check(action: &Action, before: &VaultOf, after: &VaultOf) -> Holds {
    check_existence(after)?;
    check_bystanders(action, before, after)?;
    let (Some(old), Some(new)) = (&before.state, &after.state) else { return Ok(()) };
    let books = books(after, new);
    books.check_sums().map_err(|error| error.to_string())?;
    let total = |vault: &perpetua_model::Vault| vault.total().map(|total| i128::from(total.0));
    let [old_total, new_total] = [old, new].map(total).map(|total| total.unwrap_or(i128::MAX));
    let (old_balance, new_balance) = (i128::from(before.balance), i128::from(after.balance));
    let by_issuer = matches!(action, Action::Seize { .. });
    require!(
        by_issuer || old_total > old_balance || new_total <= new_balance,
        "ledgers of {new_total} are covered by {new_balance} tokens"
    );
    match action {
        Action::RecogniseLoss { .. } => check_loss(old, new)?,
        Action::RepayLosses { .. } => check_repayment(old, new)?,
        // No ledger counts these.
        Action::Seize { .. } | Action::GiveBack { .. } | Action::Donate { .. } => {
            require!(new_total == old_total, "the world changed ledgers from {old_total} to {new_total}");
        }
        _ => {
            let (ledgers, tokens) = (new_total - old_total, new_balance - old_balance);
            require!(ledgers == tokens, "ledgers changed by {ledgers}, tokens by {tokens}");
        }
    }
    check_markets(action, before, after)
}

/// Tokens are in wallets, in the vault, or with the issuer who seized them.
fn check_existence(vault: &VaultOf) -> Holds {
    let held: u64 = vault.wallets.iter().map(|wallet| wallet.tokens).sum();
    let all = held + vault.balance + vault.seized;
    let issued = WEALTH * u64::from(ACTORS);
    require!(all == issued, "{all} tokens exist, {issued} were issued");
    Ok(())
}

/// Nobody's account or wallet changes but those that the action names.
fn check_bystanders(action: &Action, before: &VaultOf, after: &VaultOf) -> Holds {
    let (named, people) = named(action);
    for (owner, (old, new)) in (0..ACTORS).zip(before.accounts.iter().zip(&after.accounts)) {
        for (sub, (old, new)) in (0..).zip(old.iter().zip(new)) {
            let touched = named.contains(&Some(Holder { owner, sub }));
            require!(touched || old == new, "account {sub} of {owner} changed, which nobody named");
        }
    }
    for (who, (old, new)) in (0..ACTORS).zip(before.wallets.iter().zip(&after.wallets)) {
        require!(people.contains(&Some(who)) || old == new, "what {who} holds changed, whom nobody named");
    }
    Ok(())
}

fn named(action: &Action) -> ([Option<Holder>; 2], [Option<u8>; 2]) {
    match *action {
        Action::OpenAccount { holder, .. }
        | Action::CloseAccount { holder, .. }
        | Action::OpenPosition { holder, .. }
        | Action::ClosePosition { holder, .. }
        | Action::SettleCapped { holder, .. }
        | Action::RetireFar { holder, .. }
        | Action::SettleAbandoned { holder, .. }
        | Action::SettleFunding { holder, .. }
        | Action::SyncAccount { holder, .. } => ([Some(holder), None], [None; 2]),
        Action::Deposit { by, holder, .. } | Action::Withdraw { by, holder, .. } => {
            ([Some(holder), None], [Some(by), None])
        }
        Action::Liquidate { holder, keeper, .. } => ([Some(holder), Some(keeper)], [None; 2]),
        Action::JoinPool { by, .. }
        | Action::RequestWithdrawal { by, .. }
        | Action::CancelWithdrawal { by, .. }
        | Action::ClaimWithdrawal { by, .. }
        | Action::Donate { by, .. } => ([None; 2], [Some(by), None]),
        Action::SendShares { by, to, .. } => ([None; 2], [Some(by), Some(to)]),
        Action::CollectFees { to, .. } => ([None; 2], [Some(to), None]),
        _ => ([None; 2], [None; 2]),
    }
}

fn books<'a>(vault: &'a VaultOf, ledgers: &'a perpetua_model::Vault) -> Books<'a> {
    let tickets = (0..).zip(&vault.tickets);
    Books {
        vault: ledgers,
        balance: vault.balance,
        supplies: [0, 1].map(|kind| vault.wallets.iter().map(|wallet| wallet.shares[kind]).sum()),
        accounts: vault.accounts.iter().flatten().flatten().collect(),
        tickets: tickets.flat_map(|(pool, all)| all.values().map(move |ticket| (pool, &ticket.state))).collect(),
        markets: (0..).zip(vault.markets.iter().map(|market| &market.state)).collect(),
    }
}

/// Protocol fees bear a loss first, then insurance, the main pool, and margin last; withdrawals executed and claims served
/// are never cut.
fn check_loss(old: &perpetua_model::Vault, new: &perpetua_model::Vault) -> Holds {
    require!(new.payable == old.payable && new.claims == old.claims, "a loss cut withdrawals or claims");
    let layers = |vault: &perpetua_model::Vault| {
        [vault.protocol_fees, vault.insurance.assets, vault.main.assets, vault.margin].map(|layer| layer.0)
    };
    let (old, new) = (layers(old), layers(new));
    for later in 1..old.len() {
        let bore = new[later] < old[later];
        require!(!bore || new[later - 1] == 0, "a loss went from {old:?} to {new:?}");
    }
    require!(new.iter().zip(&old).all(|(new, old)| new <= old), "a loss went from {old:?} to {new:?}");
    Ok(())
}

/// Losses are repaid in reverse.
fn check_repayment(old: &perpetua_model::Vault, new: &perpetua_model::Vault) -> Holds {
    let margin: u64 = new.margin_losses.iter().map(|loss| loss.lost.0 - loss.repaid.0).sum();
    let (before, after) = (&old.lost, &new.lost);
    require!(after.main >= before.main || margin == 0, "main was repaid before margin");
    require!(after.insurance >= before.insurance || after.main.is_zero(), "insurance was repaid before main");
    require!(after.protocol >= before.protocol || after.insurance.is_zero(), "fees were repaid before insurance");
    Ok(())
}

/// Funding indices never fall, a second crank accrues nothing, and a mark does not outlive what it says.
fn check_markets(action: &Action, before: &VaultOf, after: &VaultOf) -> Holds {
    for (old, new) in before.markets.iter().zip(&after.markets) {
        let mut same = true;
        for (old, new) in old.state.slots.iter().zip(&new.state.slots) {
            for (old, new) in old.series.iter().zip(&new.series) {
                let (had, has) = (old.funding_index.get(), new.funding_index.get());
                require!(has >= had, "a funding index fell from {had} to {has}");
                same &= old.open_interest == new.open_interest && old.entry_sum == new.entry_sum;
            }
        }
        let (was, is) = (&old.state, &new.state);
        let accrued = |state: &perpetua_model::Market| (state.accrued_slot, state.accrued_publish_time);
        let again = matches!(action, Action::CrankFunding { .. }) && accrued(was) == accrued(is);
        let quanto = new.parameters.settlement == perpetua::Settlement::Quanto;
        // An older price may prove an outage, and so a state, but nothing accrues.
        let as_before = || perpetua_model::Market { conditions: is.conditions, ..*was } == *is;
        require!(!again || !quanto || as_before(), "a second crank without a newer price accrued something");
        let marked = is.mark.slot != 0;
        require!(same || !marked, "positions changed under a mark");
    }
    Ok(())
}
