//! Claims on the insurance pool: who pays a payout, the daily limit, and service pro rata to the last unit.

mod common;

use bytemuck::Zeroable;
use common::*;
use num_bigint::BigInt;
use num_rational::BigRational;
use perpetua_model::*;
use proptest::prelude::*;

const CLAIMANTS: usize = 4;
/// Pays what the insurance pool earns.
const PAYER: usize = CLAIMANTS;
const RESERVES: u64 = 1 << 50;

fn exact(amount: u64) -> BigRational {
    BigRational::from(BigInt::from(amount))
}

#[derive(Clone, Debug)]
enum Step {
    /// An option above its reserve is paid to a claimant.
    Payout {
        account: usize,
        covered: u64,
        excess: u64,
    },
    /// The insurance pool earns something.
    Income(u64),
    /// It earns all that it owes but for this.
    IncomeBut(u64),
    /// Anyone asks for service.
    Serve,
    /// Anyone touches an account.
    Collect(usize),
    Wait(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let amount = || prop_oneof![0..10u64, 0..1u64 << 20, 0..1u64 << 40];
    let account = || 0..CLAIMANTS;
    let step = prop_oneof![
        (account(), amount(), amount()).prop_map(|(account, covered, excess)| Step::Payout {
            account,
            covered,
            excess
        }),
        amount().prop_map(Step::Income),
        (1..1000u64).prop_map(Step::IncomeBut),
        Just(Step::Serve),
        account().prop_map(Step::Collect),
        (0..50_000i64).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..40)
}

/// What the rules say, in exact fractions.
struct Reference {
    owed: [BigRational; CLAIMANTS],
    served: [BigRational; CLAIMANTS],
    recorded: [u32; CLAIMANTS],
    insurance: u64,
    window_start: i64,
    /// 25% of the insurance pool when the window started, and what it paid since.
    window: (u64, u64),
}

impl Reference {
    fn outstanding(&self) -> u64 {
        let sum: BigRational = self.owed.iter().sum();
        assert!(sum.is_integer());
        sum.to_integer().try_into().unwrap()
    }

    fn serve(&mut self, offered: u64) -> u64 {
        let outstanding = self.outstanding();
        let served = offered.min(outstanding);
        if served > 0 {
            for (owed, got) in self.owed.iter_mut().zip(&mut self.served) {
                let part = &*owed * exact(served) / exact(outstanding);
                *got += &part;
                *owed -= part;
            }
        }
        served
    }

    fn limit(&self, now: i64) -> u64 {
        let (most, paid) = if now - self.window_start >= 86_400 { (self.insurance / 4, 0) } else { self.window };
        (most - paid).min(self.insurance)
    }

    fn spend(&mut self, amount: u64, now: i64) {
        if amount == 0 {
            return;
        }
        if now - self.window_start >= 86_400 {
            (self.window_start, self.window) = (now, (self.insurance / 4, 0));
        }
        self.window.1 += amount;
        assert!(self.window.1 <= self.window.0, "the daily limit");
        self.insurance -= amount;
    }

    fn serve_from_assets(&mut self, now: i64) -> u64 {
        let served = self.serve(self.limit(now));
        self.spend(served, now);
        served
    }

    fn earn(&mut self, amount: u64) {
        self.insurance += amount - self.serve(amount);
    }
}

struct Sim {
    vault: Vault,
    accounts: Vec<MarginAccount>,
    /// What was paid out at once to each account.
    paid: [u64; CLAIMANTS],
    balance: u64,
    now: i64,
    reference: Reference,
}

impl Sim {
    fn new(insurance: u64) -> Self {
        let mut vault = Vault::new(vault_config()).unwrap();
        let mut accounts = vec![MarginAccount::zeroed(); CLAIMANTS + 1];
        vault.main.assets = Tokens(RESERVES);
        vault.reserves = Tokens(RESERVES);
        vault.insurance.assets = Tokens(insurance);
        vault.deposit(&mut accounts[PAYER], Tokens(1 << 50)).unwrap();
        let reference = Reference {
            owed: core::array::from_fn(|_| exact(0)),
            served: core::array::from_fn(|_| exact(0)),
            recorded: [0; CLAIMANTS],
            insurance,
            window_start: 0,
            window: (0, 0),
        };
        let balance = vault.total().unwrap().0;
        Self { vault, accounts, paid: [0; CLAIMANTS], balance, now: START, reference }
    }

    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Payout { account, covered, excess } => self.pay_out(account, covered, excess),
            Step::Income(amount) => self.earn(amount),
            Step::IncomeBut(rest) => self.earn(self.vault.claims.outstanding.0.saturating_sub(rest)),
            Step::Serve => {
                let served = self.vault.serve_claims(self.now).unwrap();
                assert_eq!(served.0, self.reference.serve_from_assets(self.now));
            }
            Step::Collect(account) => self.vault.sync(&mut self.accounts[account]).unwrap(),
            Step::Wait(seconds) => self.now += seconds,
        }
        self.check();
    }

    fn pay_out(&mut self, account: usize, covered: u64, excess: u64) {
        let (payout, released) = (Tokens(covered + excess), Tokens(covered));
        let paid = self.vault.pay_out(&mut self.accounts[account], payout, released, self.now).unwrap();
        let reference = &mut self.reference;
        if excess > 0 {
            reference.serve_from_assets(self.now);
        }
        let insurance = excess.min(reference.limit(self.now));
        reference.spend(insurance, self.now);
        let claimed = excess - insurance;
        reference.owed[account] += exact(claimed);
        reference.recorded[account] += u32::from(claimed > 0);
        let expected = Payout { main: released, insurance: Tokens(insurance), claimed: Tokens(claimed) };
        assert_eq!(paid, expected);
        self.paid[account] += covered + insurance;
        self.vault.reserves = self.vault.reserves.minus(released).unwrap();
    }

    fn earn(&mut self, amount: u64) {
        self.vault.charge(&mut self.accounts[PAYER], Ledger::Insurance, Tokens(amount)).unwrap();
        self.reference.earn(amount);
    }

    /// What the account got of its claims until now, the part that it did not collect included.
    fn got(&self, account: usize) -> u64 {
        let mut account_now = self.accounts[account];
        self.vault.clone().sync(&mut account_now).unwrap();
        account_now.collateral.0 - self.paid[account]
    }

    fn check(&self) {
        assert_eq!(self.vault.total().unwrap().0, self.balance, "nothing is created or destroyed");
        self.vault.check_conservation(Tokens(self.balance)).unwrap();
        assert_eq!(self.vault.claims.outstanding.0, self.reference.outstanding());
        assert_eq!(self.vault.insurance.assets.0, self.reference.insurance);
        let collateral: u64 = self.accounts.iter().map(|account| account.collateral.0).sum();
        assert_eq!(self.vault.margin.0, collateral, "margin and collateral");
        for account in 0..CLAIMANTS {
            let (fair, got) = (&self.reference.served[account], exact(self.got(account)));
            assert!(got <= *fair, "a claimant got more than his part");
            // A thousandth for the scale's last places.
            let rounding =
                exact(u64::from(self.reference.recorded[account])) * BigRational::new(1001.into(), 1000.into());
            assert!(fair - got <= rounding, "a claimant got more than a unit per claim less than his part");
            let open = self.reference.owed[account] > exact(0);
            assert!(!open || !self.accounts[account].is_empty(), "a claim would be forgotten");
        }
    }
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn claimants_are_served_pro_rata_and_in_the_end_whole(
        steps in steps(), insurance in prop_oneof![0..1_000u64, 0..1u64 << 42],
    ) {
        let mut sim = Sim::new(insurance);
        for step in &steps {
            sim.apply(step);
        }
        sim.apply(&Step::IncomeBut(0));
        for account in 0..CLAIMANTS {
            sim.apply(&Step::Collect(account));
            let whole = &sim.reference.served[account];
            prop_assert_eq!(&exact(sim.got(account)), whole);
            prop_assert_eq!(sim.accounts[account].claim, Claim::default());
        }
        prop_assert_eq!(sim.vault.claims.funded, Tokens::ZERO);
        prop_assert_eq!(sim.vault.claims.outstanding, Tokens::ZERO);
    }

    #[test]
    fn collecting_often_or_seldom_ends_the_same(steps in steps(), insurance in 0..1u64 << 30) {
        let (mut often, mut seldom) = (Sim::new(insurance), Sim::new(insurance));
        for step in &steps {
            often.apply(step);
            (0..CLAIMANTS).for_each(|account| often.apply(&Step::Collect(account)));
            if !matches!(step, Step::Collect(_)) {
                seldom.apply(step);
            }
        }
        (0..CLAIMANTS).for_each(|account| seldom.apply(&Step::Collect(account)));
        prop_assert_eq!(often.accounts, seldom.accounts);
        prop_assert_eq!(often.vault, seldom.vault);
    }

    #[test]
    fn a_payout_never_takes_more_from_the_main_pool_than_its_part_of_the_reserves(
        assets in 0..1u64 << 50, reserves in 1..1u64 << 50, released in 0..1u64 << 50, payout in 0..1u64 << 51,
    ) {
        let mut vault = Vault::new(vault_config()).unwrap();
        let mut account = MarginAccount::zeroed();
        let released = released % reserves + 1;
        (vault.main.assets, vault.reserves) = (Tokens(assets), Tokens(reserves));
        vault.lost.main = Tokens(reserves.saturating_sub(assets));
        let paid = vault.pay_out(&mut account, Tokens(payout), Tokens(released), START).unwrap();
        let covered = payout.min(released);
        let part = exact(covered) * exact(assets.min(reserves)) / exact(reserves);
        prop_assert_eq!(exact(paid.main.0), part.floor());
        prop_assert_eq!(paid.claimed.0, payout - covered);
        prop_assert_eq!(account.collateral, paid.main);
        vault.reserves = vault.reserves.minus(Tokens(released)).unwrap();
        // What is left backs the other reserves no worse than before.
        prop_assert!(
            u128::from(vault.main.assets.0) * u128::from(reserves) >= u128::from(assets.min(reserves)) * u128::from(vault.reserves.0)
        );
        vault.check_conservation(vault.total().unwrap()).unwrap();
    }
}

#[test]
fn claims_of_any_age_keep_their_order_of_magnitude_however_far_the_scale_falls() {
    let (mut fair, mut vault) = (exact(1 << 56), Vault::new(vault_config()).unwrap());
    let mut old = MarginAccount::zeroed();
    vault.pay_out(&mut old, Tokens(1 << 56), Tokens(0), START).unwrap();
    for _ in 0..20 {
        // All but a thousandth is served, and as much is claimed anew by others.
        let owed = vault.claims.outstanding.0;
        let served = owed / 1_000 * 999;
        vault.credit(Ledger::Insurance, Tokens(served)).unwrap();
        let mut other = MarginAccount::zeroed();
        vault.pay_out(&mut other, Tokens(served), Tokens(0), START).unwrap();
        fair = fair * exact(owed - served) / exact(owed);
        let left = exact(old.claim.left(vault.claims.scale).unwrap().0);
        assert!(left >= fair && left <= &fair + exact(2), "{left} instead of {fair}");
    }
    assert!(fair < exact(1));
    assert!(vault.claims.scale.halvings > 128);
}

#[test]
fn older_claims_come_before_a_new_payout() {
    let mut sim = Sim::new(1_000);
    sim.apply(&Step::Payout { account: 0, covered: 0, excess: 500 });
    assert_eq!(sim.vault.claims.outstanding, Tokens(250));
    sim.apply(&Step::Wait(86_399));
    sim.apply(&Step::Payout { account: 1, covered: 0, excess: 10 });
    assert_eq!(sim.vault.claims.outstanding, Tokens(260));
    sim.apply(&Step::Wait(1));
    // A new day allows 187 of 750.
    sim.apply(&Step::Payout { account: 1, covered: 0, excess: 10 });
    assert_eq!(sim.vault.claims.outstanding, Tokens(83));
    assert_eq!(sim.paid, [250, 0, 0, 0]);
    assert_eq!(sim.got(0), 250 * 187 / 260);
    assert_eq!(sim.got(1), 10 * 187 / 260);
}

/// A world whose insurance pool owes claims, and a withdrawal from it that is ready.
fn owing(excess: u64) -> (World, usize) {
    let mut world = World::new(1, 2);
    let shares = world.vault.insurance.shares.0 / 2;
    let ticket = world.request(PoolKind::Insurance, shares).unwrap();
    world.step(14 * 86_400);
    world.vault.pay_out(&mut world.accounts[0], Tokens(excess), Tokens(0), world.now).unwrap();
    (world, ticket)
}

#[test]
fn nobody_joins_or_leaves_the_insurance_pool_before_claims() {
    let assets = 100_000_000_000;
    let (mut world, ticket) = owing(assets / 2);
    assert_eq!(world.vault.claims.outstanding, Tokens(assets / 4));
    let before = world.vault;
    assert_eq!(before.insurance.assets, Tokens(assets / 4 * 3));
    assert_eq!(world.value(PoolKind::Insurance).unwrap().low, Tokens(assets / 2));
    assert_eq!(world.value(PoolKind::Insurance).unwrap().high, Tokens(assets / 4 * 3));
    assert_eq!(world.join(PoolKind::Insurance, 1_000), Err(ModelError::ClaimsOpen));
    world.join(PoolKind::Main, 1_000).unwrap();
    let mut later = world.clone();
    assert_eq!(world.execute(ticket), Err(ModelError::ClaimsOpen));
    // A day later an attempt serves 18.75 of the 25 that are owed, the next day the rest.
    later.step(86_400);
    later.vault.serve_claims(later.now).unwrap();
    assert_eq!(later.vault.claims.outstanding, Tokens(assets / 16));
    assert_eq!(later.execute(ticket), Err(ModelError::ClaimsOpen));
    later.step(86_400);
    assert!(matches!(later.execute(ticket), Ok(Execution::Paid { .. })));
    assert_eq!(later.vault.claims.outstanding, Tokens::ZERO);
    later.vault.sync(&mut later.accounts[0]).unwrap();
    later.check();
}

#[test]
fn a_withdrawal_that_claims_held_up_does_not_expire() {
    let (mut world, ticket) = owing(100_000_000_000);
    world.step(3 * 86_400);
    world.vault.credit(Ledger::Insurance, world.vault.claims.outstanding).unwrap();
    assert!(matches!(world.clone().execute(ticket), Ok(Execution::Paid { .. })));
    // From then on it has its day like every other one.
    let next = world.request(PoolKind::Insurance, 1).unwrap();
    world.execute(ticket).unwrap();
    world.step(14 * 86_400);
    world.step(86_401);
    assert_eq!(world.execute(next), Ok(Execution::Returned));
}

#[test]
fn what_the_empty_main_pool_leaves_serves_claims_first() {
    let mut world = World::new(1, 1);
    let shares = world.vault.main.shares.0;
    let ticket = world.request(PoolKind::Main, shares).unwrap();
    world.step(3 * 86_400);
    world.vault.pay_out(&mut world.accounts[0], Tokens(1 << 56), Tokens(0), world.now).unwrap();
    let (assets, owed) = (world.vault.insurance.assets, world.vault.claims.outstanding);
    world.execute(ticket).unwrap();
    let left = owed.minus(world.vault.claims.outstanding).unwrap();
    assert!(left > Tokens(10_000_000_000));
    assert_eq!(world.vault.claims.funded, left);
    assert_eq!(world.vault.insurance.assets, assets);
    assert_eq!(world.vault.main.assets, Tokens::ZERO);
}
