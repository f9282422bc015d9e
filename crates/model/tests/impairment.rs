//! Loss of tokens: the order of losses, one fraction for every account, and repayment in reverse.

mod common;

use bytemuck::Zeroable;
use common::*;
use num_bigint::BigInt;
use num_rational::BigRational;
use perpetua_model::*;
use proptest::prelude::*;

const ACCOUNTS: usize = 3;
const DELAY: i64 = 48 * 3_600;

fn exact(amount: u64) -> BigRational {
    BigRational::from(BigInt::from(amount))
}

#[derive(Clone, Debug)]
enum Step {
    Deposit(usize, u64),
    Withdraw(usize, u64),
    /// Main pool, insurance pool or protocol earns from an account.
    Charge(usize, usize, u64),
    /// The main pool pays an account.
    PayOut(usize, u64),
    /// The issuer takes a part of the vault's tokens, in thousandths.
    Seize(u64),
    /// Tokens come to the vault.
    Return(u64),
    /// Two days pass and the loss is recognised.
    Recognise,
    Repay,
    /// Anyone touches an account.
    Sync(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let amount = || prop_oneof![0..20u64, 0..100_000u64];
    let account = || 0..ACCOUNTS;
    let step = prop_oneof![
        2 => (account(), amount()).prop_map(|(account, amount)| Step::Deposit(account, amount)),
        1 => (account(), amount()).prop_map(|(account, amount)| Step::Withdraw(account, amount)),
        1 => (account(), 0..3usize, amount()).prop_map(|(account, to, amount)| Step::Charge(account, to, amount)),
        1 => (account(), amount()).prop_map(|(account, amount)| Step::PayOut(account, amount)),
        2 => (0..1_001u64).prop_map(Step::Seize),
        2 => prop_oneof![0..20u64, 0..400_000u64].prop_map(Step::Return),
        3 => Just(Step::Recognise),
        3 => Just(Step::Repay),
        1 => account().prop_map(Step::Sync),
    ];
    prop::collection::vec(step, 1..40)
}

/// What the rules say, in exact fractions: each account's collateral, and what it lost in each loss of margin.
struct Reference {
    collateral: [BigRational; ACCOUNTS],
    lost: Vec<[BigRational; ACCOUNTS]>,
    /// What was lost and not repaid yet in each of those.
    open: Vec<u64>,
}

impl Reference {
    fn lose(&mut self, margin: u64, loss: u64) {
        if loss == 0 {
            return;
        }
        let part = exact(loss) / exact(margin);
        let lost = core::array::from_fn(|account| &self.collateral[account] * &part);
        self.collateral.iter_mut().zip(&lost).for_each(|(collateral, lost)| *collateral -= lost);
        self.lost.push(lost);
        self.open.push(loss);
    }

    /// Repays the last loss first and returns what is left.
    fn repay(&mut self, mut surplus: u64) -> u64 {
        for (open, lost) in self.open.iter_mut().zip(&mut self.lost).rev() {
            let part = surplus.min(*open);
            if part > 0 {
                let fraction = exact(part) / exact(*open);
                for (lost, collateral) in lost.iter_mut().zip(&mut self.collateral) {
                    let back = &*lost * &fraction;
                    *collateral += &back;
                    *lost -= back;
                }
            }
            *open -= part;
            surplus -= part;
        }
        surplus
    }
}

struct Sim {
    vault: Vault,
    accounts: [MarginAccount; ACCOUNTS],
    balance: u64,
    now: i64,
    /// Whether every account is touched after every step.
    eager: bool,
    reference: Reference,
}

impl Sim {
    fn new(eager: bool) -> Self {
        let mut vault = Vault::new(vault_config()).unwrap();
        vault.main.assets = Tokens(50_000);
        vault.main.shares = Shares(1);
        vault.insurance.assets = Tokens(5_000);
        vault.insurance.shares = Shares(1);
        vault.protocol_fees = Tokens(500);
        vault.payable = Tokens(50);
        vault.claims.funded = Tokens(5);
        let none = core::array::from_fn(|_| exact(0));
        let reference = Reference { collateral: none, lost: vec![], open: vec![] };
        let balance = vault.total().unwrap().0;
        Self { vault, accounts: [MarginAccount::zeroed(); ACCOUNTS], balance, now: START, eager, reference }
    }

    fn synced(&self, account: usize) -> MarginAccount {
        let mut copy = self.accounts[account];
        self.vault.clone().sync(&mut copy).unwrap();
        copy
    }

    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Deposit(account, amount) => {
                self.vault.deposit(&mut self.accounts[account], Tokens(amount)).unwrap();
                self.balance += amount;
                self.reference.collateral[account] += exact(amount);
            }
            Step::Withdraw(account, amount) => {
                let amount = amount.min(self.synced(account).collateral.0).min(self.balance);
                self.vault.release(&mut self.accounts[account], Tokens(amount)).unwrap();
                self.balance -= amount;
                self.reference.collateral[account] -= exact(amount);
            }
            Step::Charge(account, to, amount) => {
                let amount = amount.min(self.synced(account).collateral.0);
                let to = [Ledger::Main, Ledger::Insurance, Ledger::Protocol][to];
                self.vault.charge(&mut self.accounts[account], to, Tokens(amount)).unwrap();
                self.reference.collateral[account] -= exact(amount);
            }
            Step::PayOut(account, amount) => {
                let amount = Tokens(amount).min(self.vault.main.assets);
                self.vault.pay_out(&mut self.accounts[account], amount, amount, self.now).unwrap();
                self.reference.collateral[account] += exact(amount.0);
            }
            Step::Seize(thousandths) => self.balance -= self.balance * thousandths / 1_000,
            Step::Return(amount) => self.balance += amount,
            Step::Recognise => self.recognise(),
            Step::Repay => self.repay(),
            Step::Sync(account) => self.vault.sync(&mut self.accounts[account]).unwrap(),
        }
        if self.eager {
            self.accounts.iter_mut().for_each(|account| self.vault.sync(account).unwrap());
        }
        self.check();
    }

    fn recognise(&mut self) {
        self.vault.observe_balance(Tokens(self.balance), self.now).unwrap();
        self.now += DELAY;
        let before = self.vault;
        // On a copy, since a refused action may leave anything behind.
        let mut vault = before;
        let result = vault.recognise_loss(Tokens(self.balance), self.now);
        let mut short = before.total().unwrap().0.saturating_sub(self.balance);
        if short == 0 {
            assert_eq!(result, Err(ModelError::NotShort));
            return;
        }
        let layers = [before.protocol_fees, before.insurance.assets, before.main.assets, before.margin];
        let parts = layers.map(|layer| {
            let part = short.min(layer.0);
            short -= part;
            Tokens(part)
        });
        if parts[3] > Tokens(0) && self.reference.lost.len() == MARGIN_LOSSES {
            assert_eq!(result, Err(ModelError::TooManyLosses));
            return;
        }
        let [protocol, insurance, main, margin] = parts;
        assert_eq!(result, Ok(Loss { protocol, insurance, main, margin }));
        self.vault = vault;
        self.reference.lose(before.margin.0, margin.0);
        assert_eq!(self.vault.total().unwrap().0, self.balance + short, "only what is senior stays short");
        assert!(short == 0 || self.vault.total().unwrap() == Tokens(55), "nothing junior is left before the senior");
        let after = [self.vault.protocol_fees, self.vault.insurance.assets, self.vault.main.assets, self.vault.margin];
        assert_eq!(after, core::array::from_fn(|layer| layers[layer].minus(parts[layer]).unwrap()));
    }

    fn repay(&mut self) {
        let before = self.vault;
        let mut vault = before;
        let result = vault.repay_losses(Tokens(self.balance));
        let surplus = self.balance.saturating_sub(before.total().unwrap().0);
        if surplus == 0 || before.lost == Loss::default() {
            assert_eq!(result, Err(ModelError::NothingToRepay));
            return;
        }
        let mut left = self.reference.repay(surplus);
        let margin = Tokens(surplus - left);
        let [main, insurance, protocol] = [before.lost.main, before.lost.insurance, before.lost.protocol].map(|lost| {
            let part = left.min(lost.0);
            left -= part;
            Tokens(part)
        });
        assert_eq!(result, Ok(Loss { protocol, insurance, main, margin }));
        self.vault = vault;
        assert_eq!(vault.main.assets, before.main.assets.plus(main).unwrap());
        assert_eq!(vault.insurance.assets, before.insurance.assets.plus(insurance).unwrap());
        assert_eq!(vault.protocol_fees, before.protocol_fees.plus(protocol).unwrap());
        assert_eq!(vault.margin, before.margin.plus(margin).unwrap());
        assert_eq!(vault.total().unwrap().0 + left, self.balance);
    }

    fn check(&self) {
        assert_eq!(
            (self.vault.payable, self.vault.claims.funded),
            (Tokens(50), Tokens(5)),
            "what is senior is not cut"
        );
        assert_eq!(self.vault.lost.margin.0, self.reference.open.iter().sum::<u64>());
        let fair: BigRational = self.reference.collateral.iter().sum();
        assert_eq!(exact(self.vault.margin.0), fair, "the reference is complete");
        let roundings = exact(2 * u64::try_from(self.reference.lost.len()).unwrap());
        let mut sum = Tokens(0);
        for account in 0..ACCOUNTS {
            let collateral = self.synced(account).collateral;
            let (fair, got) = (&self.reference.collateral[account], exact(collateral.0));
            // One unit for each cut, one for each repayment that is not whole.
            assert!(got <= *fair && fair - &got <= roundings, "{got} instead of {fair}");
            sum = sum.plus(collateral).unwrap();
        }
        assert!(sum <= self.vault.margin, "accounts hold more than margin");
    }
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn losses_and_repayments_keep_their_order_and_every_account_its_part(steps in steps()) {
        let (mut seldom, mut often) = (Sim::new(false), Sim::new(true));
        for step in &steps {
            seldom.apply(step);
            often.apply(step);
            prop_assert_eq!(seldom.vault, often.vault, "being touched often or seldom changes nothing");
            for account in 0..ACCOUNTS {
                prop_assert_eq!(seldom.synced(account), often.accounts[account]);
            }
        }
    }

    #[test]
    fn whoever_joins_a_pool_that_lost_tokens_never_profits_from_the_repayment(
        main: bool, assets in 1..1u64 << 45, lost in 1..1u64 << 45, shares in 0..1u64 << 45, amount in 1..1u64 << 45,
        part in 1..=1_000u64,
    ) {
        let kind = KINDS[usize::from(!main)];
        let mut vault = Vault::new(vault_config()).unwrap();
        let pool = if main { &mut vault.main } else { &mut vault.insurance };
        (pool.assets, pool.shares) = (Tokens(assets), Shares(shares + 1));
        *(if main { &mut vault.lost.main } else { &mut vault.lost.insurance }) = Tokens(lost);
        let value = vault.net_asset_value(kind, [].into_iter(), 0).unwrap();
        prop_assert_eq!((value.low, value.high), (Tokens(assets), Tokens(assets)), "burned without the loss");
        let joined = vault.join_pool(kind, value, Tokens(amount), Shares(0), Conditions::NORMAL);
        prop_assume!(joined.is_ok());
        let back = lost * part / 1_000;
        prop_assume!(back > 0);
        vault.repay_losses(vault.total().unwrap().plus(Tokens(back)).unwrap()).unwrap();
        let value = vault.net_asset_value(kind, [].into_iter(), 0).unwrap();
        prop_assert!(vault.tokens_for(kind, value, joined.unwrap()).unwrap() <= Tokens(amount));
    }

    #[test]
    fn one_loss_costs_every_account_its_fraction_to_the_unit(
        collateral in prop::array::uniform3(0..u64::MAX / 4), seized in 0..=1_000u64,
    ) {
        let mut vault = Vault::new(vault_config()).unwrap();
        let mut accounts = [MarginAccount::zeroed(); 3];
        for (account, amount) in accounts.iter_mut().zip(collateral) {
            vault.deposit(account, Tokens(amount)).unwrap();
        }
        let before = vault.margin.0;
        let lost = u64::try_from(u128::from(before) * u128::from(seized) / 1_000).unwrap();
        let recognised = recognise(&mut vault, before - lost, START);
        prop_assert!(recognised.is_ok() || lost == 0);
        for (account, amount) in accounts.iter_mut().zip(collateral) {
            vault.sync(account).unwrap();
            let kept = if before == 0 { exact(0) } else { exact(amount) * exact(before - lost) / exact(before) };
            prop_assert_eq!(exact(account.collateral.0), kept.floor());
        }
    }
}

fn recognise(vault: &mut Vault, balance: u64, now: i64) -> Result<Loss> {
    vault.observe_balance(Tokens(balance), now)?;
    vault.recognise_loss(Tokens(balance), now + DELAY)
}

/// A vault with nothing but one account's margin.
fn margin_only(amount: u64) -> (Vault, MarginAccount) {
    let (mut vault, mut account) = (Vault::new(vault_config()).unwrap(), MarginAccount::zeroed());
    vault.deposit(&mut account, Tokens(amount)).unwrap();
    (vault, account)
}

#[test]
fn a_loss_is_recognised_after_two_days_without_a_break() {
    let (mut vault, _) = margin_only(100);
    let balances = [Tokens(99), Tokens(100)];
    assert_eq!(vault.observe_balance(balances[0], START), Ok(true));
    assert_eq!(vault.observe_balance(balances[0], START + 10), Ok(true));
    assert_eq!(vault.short_since, START);
    assert_eq!(vault.clone().recognise_loss(balances[0], START + DELAY - 1), Err(ModelError::LossNotDue));
    assert_eq!(vault.clone().recognise_loss(balances[0], START + DELAY).unwrap().margin, Tokens(1));
    // Once it is covered for a moment, the two days start again.
    assert_eq!(vault.observe_balance(balances[1], START + 20), Ok(false));
    assert_eq!(vault.clone().recognise_loss(balances[1], START + DELAY), Err(ModelError::NotShort));
    assert_eq!(vault.observe_balance(balances[0], START + 30), Ok(true));
    assert_eq!(vault.clone().recognise_loss(balances[0], START + DELAY), Err(ModelError::LossNotDue));
    assert_eq!(vault.recognise_loss(balances[0], START + DELAY + 30).unwrap().margin, Tokens(1));
    assert_eq!(vault.short_since, 0);
}

#[test]
fn who_deposits_after_a_loss_has_no_part_in_it_or_in_its_repayment() {
    let (mut vault, mut loser) = margin_only(1_000);
    recognise(&mut vault, 400, START).unwrap();
    let mut late = MarginAccount::zeroed();
    vault.deposit(&mut late, Tokens(400)).unwrap();
    assert_eq!(late.collateral, Tokens(400));
    // The loser's new tokens have no part in it either.
    vault.deposit(&mut loser, Tokens(200)).unwrap();
    assert_eq!(loser.collateral, Tokens(600));
    vault.repay_losses(Tokens(1_300)).unwrap();
    vault.sync(&mut late).unwrap();
    vault.sync(&mut loser).unwrap();
    assert_eq!((late.collateral, loser.collateral), (Tokens(400), Tokens(900)));
    vault.repay_losses(Tokens(5_000)).unwrap();
    vault.sync(&mut late).unwrap();
    vault.sync(&mut loser).unwrap();
    assert_eq!((late.collateral, loser.collateral), (Tokens(400), Tokens(1_200)));
    assert_eq!(vault.total(), Ok(Tokens(1_600)), "what nobody lost stays nobody's");
    assert_eq!(vault.repay_losses(Tokens(5_000)), Err(ModelError::NothingToRepay));
}

#[test]
fn what_was_repaid_before_the_next_loss_is_cut_by_it_whoever_was_away() {
    let (mut vault, mut away) = margin_only(100);
    recognise(&mut vault, 50, START).unwrap();
    vault.repay_losses(Tokens(100)).unwrap();
    recognise(&mut vault, 50, START + DELAY).unwrap();
    vault.sync(&mut away).unwrap();
    assert_eq!((away.collateral, vault.margin), (Tokens(50), Tokens(50)));
}

#[test]
fn without_a_recorded_loss_surplus_tokens_change_nothing() {
    let (mut vault, _) = margin_only(100);
    let before = vault;
    assert_eq!(vault.repay_losses(Tokens(1_000)), Err(ModelError::NothingToRepay));
    assert_eq!(vault.observe_balance(Tokens(1_000), START), Ok(false));
    assert_eq!(vault, before);
}

#[test]
fn the_day_s_limit_does_not_pay_what_the_insurance_pool_lost_since() {
    let (mut vault, mut account) = margin_only(100);
    vault.insurance = Pool { assets: Tokens(1_000), shares: Shares(1), ..Pool::zeroed() };
    let first = vault.pay_out(&mut account, Tokens(10), Tokens(0), START + DELAY).unwrap();
    assert_eq!((first.insurance, vault.payout_window.left), (Tokens(10), Tokens(240)));
    let balance = vault.total().unwrap().0 - 900;
    recognise(&mut vault, balance, START).unwrap();
    let second = vault.pay_out(&mut account, Tokens(200), Tokens(0), START + DELAY + 1).unwrap();
    assert_eq!((second.insurance, second.claimed), (Tokens(90), Tokens(110)));
}

#[test]
fn tokens_that_repay_a_loss_end_the_shortage_too() {
    let (mut vault, _) = margin_only(100);
    recognise(&mut vault, 50, START).unwrap();
    vault.observe_balance(Tokens(40), START + DELAY).unwrap();
    assert_eq!(vault.short_since, START + DELAY);
    vault.repay_losses(Tokens(60)).unwrap();
    assert_eq!(vault.short_since, 0);
}

#[test]
fn an_account_with_an_open_claim_is_paid_it_through_a_loss() {
    let (mut vault, mut account) = margin_only(100);
    vault.pay_out(&mut account, Tokens(40), Tokens(0), START).unwrap();
    vault.credit(Ledger::Insurance, Tokens(10)).unwrap();
    recognise(&mut vault, 60, START).unwrap();
    vault.sync(&mut account).unwrap();
    // Half of the margin is gone; what was set aside for the claim is not.
    assert_eq!((account.collateral, vault.margin, vault.claims.outstanding), (Tokens(60), Tokens(60), Tokens(30)));
    assert!(!account.is_empty());
}

/// A world with open interest whose main pool lost most of its assets.
fn impaired() -> World {
    let mut world = World::new(1, 2);
    world.step(30);
    world.open(0, key(0, pricing::Side::Call, 0), 1_000_000).unwrap();
    let vault = &mut world.vault;
    let kept = vault.reserves.0 / 2;
    let lost = vault.main.assets.0 - kept + vault.insurance.assets.0 + vault.protocol_fees.0;
    world.balance -= lost;
    recognise(vault, world.balance, START).unwrap();
    world.check();
    world
}

#[test]
fn a_main_pool_that_lost_tokens_pays_its_part_and_lets_nobody_out() {
    let mut world = impaired();
    assert!(world.vault.main.assets < world.vault.reserves);
    assert_eq!(world.vault.exit_capacity(PoolKind::Main), Ok(Tokens::ZERO));
    assert_eq!(world.vault.reservable().unwrap().0, world.vault.main.assets.0 / 100 * 85);
    let (assets, reserves) = (world.vault.main.assets, world.vault.reserves);
    let paid = world.vault.pay_out(&mut world.accounts[0], reserves, reserves, world.now).unwrap();
    assert_eq!((paid.main, paid.claimed), (assets, Tokens::ZERO));
    let mut world = impaired();
    // Reserves above assets are no leak while the loss is on record, and are one without it.
    world.vault.lost.main = Tokens::ZERO;
    assert_eq!(world.vault.check_conservation(Tokens(world.balance)), Err(ModelError::VaultShort));
}

#[test]
fn repaid_in_full_the_main_pool_covers_its_reserves_again() {
    let mut world = impaired();
    let reserves = world.vault.reserves;
    let half = Tokens(reserves.0 / 2);
    world.vault.pay_out(&mut world.accounts[0], half, half, world.now).unwrap();
    world.vault.reserves = reserves.minus(half).unwrap();
    world.vault.check_conservation(Tokens(world.balance)).unwrap();
    let lost = world.vault.lost.total().unwrap();
    world.vault.repay_losses(Tokens(world.balance).plus(lost).unwrap()).unwrap();
    assert_eq!(world.vault.lost, Loss::default());
    assert!(world.vault.reserves <= world.vault.main.assets);
}

#[test]
fn what_a_pool_lost_that_everybody_left_is_repaid_to_the_next() {
    let (mut vault, _) = margin_only(100);
    vault.insurance = Pool { assets: Tokens(60), shares: Shares(1), ..Pool::zeroed() };
    vault.main.assets = Tokens(50);
    recognise(&mut vault, 105, START).unwrap();
    assert_eq!(vault.lost, Loss { insurance: Tokens(105), ..Loss::default() });
    vault.insurance.shares = Shares::ZERO;
    vault.protocol_fees = Tokens(7);
    recognise(&mut vault, 105, START + DELAY).unwrap();
    assert_eq!(vault.lost, Loss { protocol: Tokens(112), ..Loss::default() });
    vault.repay_losses(Tokens(1_000)).unwrap();
    assert_eq!(vault.protocol_fees, Tokens(112));
}

#[test]
fn a_fifth_loss_of_margin_is_refused_and_the_vault_stays_short() {
    let (mut vault, mut account) = margin_only(100);
    for loss in 1..=4 {
        recognise(&mut vault, 100 - loss, START).unwrap();
    }
    assert_eq!(recognise(&mut vault.clone(), 95, START), Err(ModelError::TooManyLosses));
    vault.sync(&mut account).unwrap();
    // An account that was away bears all four.
    assert_eq!(account.collateral, Tokens(96));
    assert_eq!(vault.check_conservation(Tokens(95)), Err(ModelError::VaultShort));
}
