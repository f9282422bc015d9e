//! Who may gain at whose cost: limits, liquidation, shares, round trips and what the pool is worth.

use perpetua_model::{BPS, Conditions, Position, Size, Tokens, Vault, close_position};

use super::{Holds, equity, health_of, require, synced};
use crate::sequences::{
    action::{Action, Holder, Series},
    mirror::{Mirror, VaultOf, key},
};

/// Every how many steps a check that takes long is made.
const SELDOM: u64 = 4;
/// Raw units by which roundings in several sums may differ.
const ROUNDING: i128 = 3;

pub(super) fn check(action: &Action, before: &VaultOf, after: &VaultOf, world: &Mirror, step: u64) -> Holds {
    match *action {
        Action::OpenPosition { holder, series, size, .. } => {
            check_limits(after, series)?;
            if step.is_multiple_of(SELDOM) {
                check_round_trip(before, after, world, holder, series, size)?;
            }
        }
        Action::Liquidate { holder, keeper, .. } => check_liquidation(before, after, world, holder, keeper)?,
        Action::SettleCapped { holder, .. } | Action::RetireFar { holder, .. } => check_unasked(before, after, holder)?,
        Action::SettleFunding { holder, .. } => check_collection(before, after, holder)?,
        Action::JoinPool { insurance, given, .. } => check_shares(before, after, insurance, given, world.slot)?,
        Action::ExecuteWithdrawal { ticket, given, .. } => {
            check_shares(before, after, ticket.insurance, given, world.slot)?;
            check_exit(before, after)?;
        }
        _ => {}
    }
    let traded = match *action {
        Action::OpenPosition { series, .. }
        | Action::ClosePosition { series, .. }
        | Action::SettleCapped { series, .. }
        | Action::RetireFar { series, .. } => series.market,
        _ => return Ok(()),
    };
    // What is retired pays the value in the middle, more than it was worth at the better end.
    let ends = if matches!(action, Action::RetireFar { .. }) { 1 } else { 0 };
    if step.is_multiple_of(SELDOM) { check_pool_value(before, after, world, traded, ends) } else { Ok(()) }
}

/// After an opening reserves are within every limit.
fn check_limits(vault: &VaultOf, series: Series) -> Holds {
    let Some(state) = &vault.state else { return Ok(()) };
    let market = &vault.markets[usize::from(series.market)];
    let (main, reserves) = (u128::from(state.main.assets.0), u128::from(state.reserves.0));
    let bps = u128::from(BPS);
    let most = main * u128::from(vault.parameters.max_utilisation_bps);
    require!(reserves * bps <= most, "{reserves} of {main} are reserved after an opening");
    let side = market.state.reserves[usize::from(series.put)].0;
    let most = main * u128::from(market.parameters.side_limit_bps);
    require!(u128::from(side) * bps <= most, "{side} of {main} are reserved for a side");
    let slot = &market.state.slots[perpetua_model::slot_of(series.tick)];
    let of_series = slot.series[usize::from(series.put)].reserve.0;
    let most = main * u128::from(market.parameters.series_limit_bps);
    require!(u128::from(of_series) * bps <= most, "{of_series} of {main} are reserved for a series");
    Ok(())
}

/// Selling at once what was bought never gains.
fn check_round_trip(
    before: &VaultOf,
    after: &VaultOf,
    world: &Mirror,
    holder: Holder,
    series: Series,
    size: u64,
) -> Holds {
    let (Some(mut vault), Ok(old), Ok(new)) = (after.state, before.account(holder), after.account(holder)) else {
        return Ok(());
    };
    let market = &after.markets[usize::from(series.market)];
    let Some(index) = &world.indices[usize::from(market.index)] else { return Ok(()) };
    let (mut account, mut traded) = (*new, market.state);
    let order = (key(series), Size(size));
    let least = Tokens(0);
    let (normal, moment) = (Conditions::NORMAL, world.moment());
    let sold = close_position(&mut vault, &mut account, &mut traded, &index.state, order, least, normal, moment);
    if sold.is_err() {
        return Ok(());
    }
    let has = |account: &perpetua_model::MarginAccount, vault: &Vault| {
        let claim = account.claim.left(vault.claims.scale).unwrap_or(Tokens(u64::MAX));
        u128::from(account.collateral.0) + u128::from(claim.0)
    };
    let (Some(old), Some(ledgers)) = (synced(before, old), &before.state) else { return Ok(()) };
    let (old, new) = (has(&old, ledgers), has(&account, &vault));
    // A claim is rounded up.
    require!(new <= old + 1, "buying {size} and selling them at once turned {old} into {new}");
    Ok(())
}

/// Only an account below its maintenance margin is liquidated; then it has its initial margin or nothing to close; what was
/// there and came in is what is there and was paid.
fn check_liquidation(before: &VaultOf, after: &VaultOf, world: &Mirror, holder: Holder, keeper: Holder) -> Holds {
    let (Ok(old), Ok(new)) = (before.account(holder), after.account(holder)) else { return Ok(()) };
    let had = equity(before, old).ok_or("the account's markets are there")?;
    let stood = health_of(before, old, world.now).ok_or("the account's health is known")?;
    let maintenance = i128::from(stood.maintenance.0);
    require!(had < maintenance, "an account with an equity of {had} was liquidated at a margin of {maintenance}");
    let has = equity(after, new).ok_or("the account's markets are there")?;
    let stands = health_of(after, new, world.now).ok_or("the account's health is known")?;
    let initial = i128::from(stands.initial().0);
    let closable = new.open_positions().any(|(_, position)| can_close(after, world, position));
    require!(has >= initial || !closable, "a liquidation left an equity of {has}, below {initial}, and a position");
    let (Ok(paid), Ok(unpaid)) = (after.account(keeper), before.account(keeper)) else { return Ok(()) };
    let unpaid = synced(before, unpaid).ok_or("the keeper's account is there")?;
    require!(paid.collateral >= unpaid.collateral, "a keeper paid for a liquidation");
    Ok(())
}

/// Whether a position's market may close positions for a liquidation now.
fn can_close(vault: &VaultOf, world: &Mirror, position: &Position) -> bool {
    let Some(market) = vault.markets.get(usize::from(position.market)) else { return false };
    let Some(index) = &world.indices[usize::from(market.index)] else { return false };
    let guards = index.state.guards;
    let Ok(reading) = index.state.read(world.now, guards.max_age_trade) else { return false };
    let states = reading.conditions.and(market.state.conditions);
    states.allow(perpetua_model::Action::Liquidate).is_ok()
}

/// What anyone may do to an account, but for a liquidation, does not lower its equity; rounding takes a unit at most.
fn check_unasked(before: &VaultOf, after: &VaultOf, holder: Holder) -> Holds {
    let (Ok(old), Ok(new)) = (before.account(holder), after.account(holder)) else { return Ok(()) };
    let (Some(had), Some(has)) = (equity(before, old), equity(after, new)) else { return Ok(()) };
    require!(has >= had - 1, "an account's equity fell from {had} to {has} by what anyone may do");
    Ok(())
}

/// What is collected was owed: an account's equity and claim are what they were, to the unit that a claim is rounded up by.
/// The payment may serve the account's own claim.
fn check_collection(before: &VaultOf, after: &VaultOf, holder: Holder) -> Holds {
    let wealth = |vault: &VaultOf| {
        let account = synced(vault, vault.account(holder).ok()?)?;
        let claim = account.claim.left(vault.state?.claims.scale).ok()?;
        Some(equity(vault, &account)? + i128::from(claim.0))
    };
    let (Some(had), Some(has)) = (wealth(before), wealth(after)) else { return Ok(()) };
    require!(had.abs_diff(has) <= 1, "collecting funding turned a wealth of {had} into {has}");
    Ok(())
}

/// Nobody's coming or going lowers what a share is worth, by the same marks.
fn check_shares(before: &VaultOf, after: &VaultOf, insurance: bool, given: u8, slot: u64) -> Holds {
    let (Some(old), Some(new)) = (&before.state, &after.state) else { return Ok(()) };
    let pool = crate::sequences::mirror::kind(insurance);
    // The last share takes along what belongs to nobody; claims are served before insurance is left.
    let swept = new.pool(pool).shares.is_zero() || insurance && !old.claims.outstanding.is_zero();
    let values = (before.value(insurance, given, slot), after.value(insurance, given, slot));
    let (Ok(was), Ok(is)) = values else { return Ok(()) };
    if swept {
        return Ok(());
    }
    let shares =
        |vault: &Vault| u128::from(vault.pool(pool).shares.0) + u128::from(vault.pool_config(pool).virtual_shares.0);
    for (was, is) in [(was.low, is.low), (was.high, is.high)] {
        // Below zero counts as zero, where what came in does not show.
        if is.is_zero() {
            continue;
        }
        let fell = (u128::from(is.0) + 1) * shares(old) < (u128::from(was.0) + 1) * shares(new);
        require!(!fell, "value {} over {} shares became {} over {}", was.0, shares(old), is.0, shares(new));
    }
    Ok(())
}

/// Whoever leaves leaves what reserves need within the maximum utilisation.
fn check_exit(before: &VaultOf, after: &VaultOf) -> Holds {
    let (Some(old), Some(new)) = (&before.state, &after.state) else { return Ok(()) };
    if new.main.assets >= old.main.assets {
        return Ok(());
    }
    let (main, reserves) = (u128::from(new.main.assets.0), u128::from(new.reserves.0));
    let most = main * u128::from(after.parameters.max_utilisation_bps);
    require!(reserves * u128::from(BPS) <= most, "{reserves} of {main} are reserved after an exit");
    Ok(())
}

/// No trade lowers what the main pool is worth at the better and at the worse end of prices: nobody takes out more than
/// prices gave. Of quanto markets, where nothing else moves, and of the ends from the `first` on.
fn check_pool_value(before: &VaultOf, after: &VaultOf, world: &Mirror, number: u8, first: usize) -> Holds {
    let market = &after.markets[usize::from(number)];
    if market.parameters.settlement == perpetua::Settlement::Dollar {
        return Ok(());
    }
    let Some(index) = &world.indices[usize::from(market.index)] else { return Ok(()) };
    let worth = |vault: &VaultOf| {
        let mut marked = vault.markets.get(usize::from(number))?.state;
        let mark = marked.mark(&index.state, world.moment()).ok().filter(|mark| mark.at_bounds == 0)?;
        // In tenths of units: the main pool gets 80% of what is receivable.
        let owned = 10 * i128::from(vault.state?.main.assets.0) + 8 * i128::from(mark.receivable.0);
        let worst = |liability: Tokens| owned - 10 * i128::from(liability.0);
        Some([mark.liability_low, mark.liability_high].map(worst))
    };
    let (Some(was), Some(is)) = (worth(before), worth(after)) else { return Ok(()) };
    let fell = was.iter().zip(&is).skip(first).any(|(was, is)| *is < was - 10 * ROUNDING);
    require!(!fell, "a trade made a pool worth {was:?} tenths worth {is:?}");
    Ok(())
}
