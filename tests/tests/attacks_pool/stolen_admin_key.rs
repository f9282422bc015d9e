//! The administrator's key is in a thief's hands: what can he take, how soon, and who is out by then?
//!
//! Raydium, December 2022; Drift, April 2026 (an administrator's rights in a thief's hands). Drift's thieves listed a token of their own
//! as collateral and lifted every limit within twelve minutes. Here no instruction moves tokens, what loosens waits 48 hours, and a
//! market opens only when all LPs who asked to leave within 48 hours are out.

use perpetua::{GuardParameters, MarketParameters, NewParameters, PerSide, Pool, PoolParameters, VaultParameters};
use perpetua_client::{
    address,
    instruction::{self, Changed, MarketKeys},
};
use perpetua_tests::{
    World,
    attacker::Attacker,
    parameters::{guards, market_parameters, vault_parameters},
    price::FEEDS,
    token::{self, ONE},
    world::{MAIN_POOL, PRICES, call},
};

use super::lp::{DAY, claim, execute, gained, join, pass, shares, ticket};

const DELAY: i64 = 48 * 3_600;

/// What a thief would set in a market: cheap options without a limit.
fn hostile(reference: i64) -> MarketParameters {
    MarketParameters {
        cap_bps: PerSide { call: 9_000, put: 9_000 },
        markup_bps: PerSide { call: 5_000, put: 5_000 },
        spread_bps: 20,
        utilisation_spread_bps: 0,
        slew_bps: 10,
        fee_notional_bps: 0,
        fee_value_bps: 0,
        carry_bps: 0,
        rent_bps: 0,
        series_limit_bps: 10_000,
        side_limit_bps: 10_000,
        ..market_parameters(reference)
    }
}

fn list_hostile(world: &mut World) -> MarketKeys {
    let keys = world.vault.market(address::index(&FEEDS[1]));
    let create = instruction::create_market(&world.admin, &world.vault, &keys, hostile(PRICES[1]));
    world.chain.send(&[create]).unwrap();
    world.markets.push(keys);
    keys
}

/// Everything that a thief can do in his first minute, in one chain of transactions; what was refused does not matter.
fn first_minute(world: &mut World) -> usize {
    let (admin, thief) = (world.admin, perpetua_tests::actor("thief"));
    let vault = world.vault;
    world.chain.fund(&thief);
    let wide =
        GuardParameters { max_age_trade: 60, max_age_crank: 300, max_confidence_bps: 500, average_band_bps: 2_000 };
    let loose = VaultParameters { max_utilisation_bps: 10_000, ..vault_parameters() };
    let locked = PoolParameters { wait: 60 * 86_400, exit_bps: 500, ..vault_parameters().main };
    let changes = [
        (Changed::Index(address::index(&FEEDS[0])), NewParameters::Index(wide)),
        (Changed::Vault(vault.vault), NewParameters::Vault(VaultParameters { main: locked, ..loose })),
        (
            Changed::Market(world.markets[0].market),
            NewParameters::Market(MarketParameters { cap_bps: market_parameters(1).cap_bps, ..hostile(PRICES[0]) }),
        ),
        (Changed::Exchange, NewParameters::Exchange { guardian: thief, fee_recipient: thief }),
    ];
    let mut done = 0;
    for (changed, new) in changes {
        for at_once in [instruction::tighten(&admin, &changed, new), instruction::apply_change(&admin, &changed)] {
            world.chain.send(&[at_once]).unwrap_err();
        }
        done += usize::from(world.chain.send(&[instruction::propose_change(&admin, &changed, new)]).is_ok());
        world.chain.send(&[instruction::apply_change(&admin, &changed)]).unwrap_err();
    }
    let others = [
        instruction::create_index(&admin, [9; 32], wide, Some(1 << 40)),
        instruction::set_opening_paused(&admin, false),
        instruction::acknowledge_mint(&admin, &vault),
        instruction::name_admin(&admin, &thief),
        instruction::accept_admin(&thief),
    ];
    for other in others {
        world.chain.send(&[other]).unwrap();
    }
    world.admin = thief;
    done
}

#[test]
fn within_48_hours_a_thief_takes_nothing_from_anybody() {
    let mut world = World::new();
    let (victim, lp) = (world.trader("victim", 100 * ONE), world.provider("lp", world.vault, 500 * ONE));
    join(&mut world, &lp, Pool::Main, 500 * ONE).unwrap();
    world.open(&victim, call(0), 1_000_000).unwrap();
    let honest = world.clone();
    assert_eq!(first_minute(&mut world), 4);
    list_hostile(&mut world);
    let thief = world.trader("thief", 500 * ONE);
    let attacker = Attacker::trading(&[thief]);
    let before = attacker.wealth(&world);
    for _ in 0..2 {
        world.run(DELAY / 2 - 600, 3_600);
        let refused = world.open_in(&thief, 1, call(0), 1_000_000, u64::MAX).unwrap_err();
        assert_eq!(refused.name(), "MarketNotOpen");
    }
    assert!(attacker.cash_out(&mut world) <= before);
    // The same time without a thief: the same ledgers, but for the thief's own deposit and the victim's unchanged account.
    let mut control = honest;
    for _ in 0..2 {
        control.run(DELAY / 2 - 600, 3_600);
    }
    assert_eq!(world.ledgers().main.assets, control.ledgers().main.assets);
    assert_eq!(world.ledgers().protocol_fees, control.ledgers().protocol_fees);
    assert_eq!(world.margin(&victim), control.margin(&victim));
    // The victim closes and takes everything out.
    world.close(&victim, call(0), 1_000_000).unwrap();
    let left = world.margin(&victim).collateral.0;
    world.withdraw(&victim, left).unwrap();
}

#[test]
fn an_lp_who_asks_to_leave_within_48_hours_is_out_before_a_thiefs_market_opens() {
    let mut world = World::new();
    let lp = world.provider("lp", world.vault, 1_000 * ONE);
    join(&mut world, &lp, Pool::Main, 1_000 * ONE).unwrap();
    list_hostile(&mut world);
    pass(&mut world, DELAY - 300);
    let all = shares(&world, &lp, Pool::Main);
    let place = world.request(&lp, Pool::Main, all).unwrap();
    pass(&mut world, 3 * DAY);
    let thief = world.trader("thief", 3_000 * ONE);
    let refused = world.open_in(&thief, 1, call(0), 1_000_000, u64::MAX).unwrap_err();
    assert_eq!(refused.name(), "MarketNotOpen");
    execute(&mut world, &lp.owner, &place).unwrap();
    claim(&mut world, &lp, &place).unwrap();
    // The exit fee and rounding, nothing else.
    assert!(gained(&world, &lp, 1_000 * ONE) >= -i128::from(1_000 * ONE * 31 / 10_000));
}

/// What is left to a thief: after 48 hours changed terms of an old market count, and who asked to leave at once is out a day
/// later. Those who asked cannot be used as backing any more.
#[test]
fn a_thief_who_loosened_everything_opens_nothing_against_those_who_asked_to_leave() {
    for everybody in [true, false] {
        let mut world = World::new();
        let (first, lp) = (world.first_provider(), world.provider("lp", world.vault, MAIN_POOL));
        join(&mut world, &lp, Pool::Main, MAIN_POOL).unwrap();
        first_minute(&mut world);
        let all = shares(&world, &lp, Pool::Main);
        let place = world.request(&lp, Pool::Main, all).unwrap();
        if everybody {
            let rest = shares(&world, &first, Pool::Main);
            world.request(&first, Pool::Main, rest).unwrap();
        }
        world.run(DELAY, 3_600);
        let market = world.markets[0];
        for changed in [Changed::Index(market.index), Changed::Vault(world.vault.vault), Changed::Market(market.market)]
        {
            world.crank(&market).unwrap();
            world.chain.send(&[instruction::apply_change(&world.guardian, &changed)]).unwrap_err();
            world.chain.send(&[instruction::apply_change(&world.admin, &changed)]).unwrap();
        }
        world.run(3_600, 300);
        let thief = world.trader("thief", 10_000 * ONE);
        let opened = world.open(&thief, call(0), 8_000_000);
        if everybody {
            assert_eq!(opened.unwrap_err().name(), "UtilisationTooHigh");
        } else {
            opened.unwrap();
            while world.open(&thief, call(0), 8_000_000).is_ok() {}
            let most = world.ledgers().reserves.0;
            assert!(most <= MAIN_POOL * 101 / 100, "only those who stay back it");
        }
        pass(&mut world, DAY - 3_600);
        execute(&mut world, &lp.owner, &place).unwrap();
        // The wait and the exit fee of before the change.
        let got = ticket(&world, &place).payable.0;
        assert!(everybody && got >= MAIN_POOL * 996 / 1_000 || !everybody && got > 0, "{got}");
    }
}

#[test]
fn the_guardian_throws_a_thiefs_proposals_out_and_a_tightening_makes_them_void() {
    let mut world = World::new();
    let (admin, guardian) = (world.admin, world.guardian);
    let changed = Changed::Index(address::index(&FEEDS[0]));
    let looser = NewParameters::Index(GuardParameters { max_confidence_bps: 500, ..guards() });
    world.chain.send(&[instruction::propose_change(&admin, &changed, looser)]).unwrap();
    world.chain.send(&[instruction::cancel_change(&guardian, &admin, &changed)]).unwrap();
    world.chain.send(&[instruction::propose_change(&admin, &changed, looser)]).unwrap();
    let tighter = NewParameters::Index(GuardParameters { max_confidence_bps: 20, ..guards() });
    world.chain.send(&[instruction::tighten(&guardian, &changed, tighter)]).unwrap();
    world.chain.wait(DELAY);
    let void = world.chain.send(&[instruction::apply_change(&admin, &changed)]).unwrap_err();
    assert_eq!(void.name(), "ChangeOutdated");
    assert_eq!(world.index(0).guards.max_confidence_bps, 20);
}

#[test]
fn a_change_expires_a_week_after_it_was_due() {
    let mut world = World::new();
    let changed = Changed::Index(address::index(&FEEDS[0]));
    let looser = NewParameters::Index(GuardParameters { max_confidence_bps: 500, ..guards() });
    world.chain.send(&[instruction::propose_change(&world.admin, &changed, looser)]).unwrap();
    world.chain.wait(DELAY - 1);
    let apply = instruction::apply_change(&world.admin, &changed);
    assert_eq!(world.chain.send(std::slice::from_ref(&apply)).unwrap_err().name(), "ChangeNotReady");
    let mut late = world.clone();
    world.chain.wait(1 + 7 * DAY);
    world.chain.send(std::slice::from_ref(&apply)).unwrap();
    late.chain.wait(2 + 7 * DAY);
    assert_eq!(late.chain.send(&[apply]).unwrap_err().name(), "ChangeExpired");
}

#[test]
fn a_vault_with_hostile_parameters_holds_nothing_of_anybody() {
    let mut world = World::new();
    let mint = perpetua_tests::actor("thief's mint");
    token::create_xstock(&mut world.chain, &mint);
    let thiefs = instruction::VaultKeys::new(mint, token::TOKEN_2022);
    let worst = PoolParameters { virtual_shares: 1, wait: 3_600, exit_bps: 500, receivable_bps: 10_000 };
    let parameters = VaultParameters { main: worst, insurance: worst, max_utilisation_bps: 10_000 };
    let before = world.chain.account(&world.vault.vault).data;
    world.chain.send(&[instruction::create_vault(&world.admin, &thiefs, parameters)]).unwrap();
    assert_eq!(world.chain.account(&world.vault.vault).data, before);
    let beyond = PoolParameters { exit_bps: 501, ..worst };
    let other = perpetua_tests::actor("thief's other mint");
    token::create_xstock(&mut world.chain, &other);
    let keys = instruction::VaultKeys::new(other, token::TOKEN_2022);
    let create = instruction::create_vault(&world.admin, &keys, VaultParameters { main: beyond, ..parameters });
    assert_eq!(world.chain.send(&[create]).unwrap_err().name(), "ParameterOutOfRange");
}
