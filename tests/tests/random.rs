//! Long random lives: whatever traders, providers, keepers, prices and time do, the ledgers add up after every transaction
//! (the harness checks that), and nothing fails for a reason that should not exist.

use perpetua::{Pool, state};
use perpetua_client::instruction::{self, Series};
use perpetua_tests::{
    Trader, World,
    price::usd,
    token::{self, ONE},
    world::{Outcome, Provider, call, put},
};

/// Marsaglia's xorshift64: every run lives the same lives.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn signed(&mut self, bound: u64) -> i64 {
        self.below(2 * bound + 1).cast_signed() - bound.cast_signed()
    }

    /// A size or an amount of any magnitude.
    fn amount(&mut self) -> u64 {
        let bits = self.below(40);
        self.below(2 << bits)
    }
}

struct Life {
    world: World,
    traders: Vec<Trader>,
    provider: Provider,
    random: Random,
    done: usize,
}

impl Life {
    fn new(seed: u64) -> Self {
        Self::in_world(seed, World::with_markets(2))
    }

    fn in_world(seed: u64, mut world: World) -> Self {
        let traders = ["ann", "ben", "cat"].map(|name| world.trader(name, 300 * ONE)).to_vec();
        let provider = world.provider("second provider", world.vault, 5_000 * ONE);
        Self { world, traders, provider, random: Random(seed), done: 0 }
    }

    fn series(&mut self) -> Series {
        let tick = i16::try_from(self.random.signed(30)).unwrap();
        if self.random.below(2) == 0 { call(tick) } else { put(tick) }
    }

    fn pass_time(&mut self) {
        let seconds = [1, 10, 60, 300, 3_600, 40_000][usize::try_from(self.random.below(6)).unwrap()];
        for _ in 0..3 {
            self.world.chain.wait(seconds);
            for spot in &mut self.world.spot {
                *spot += *spot * self.random.signed(15) / 1_000;
                *spot = (*spot).max(50);
            }
            // The share moves by up to 10% and is always worth something.
            self.world.share =
                self.world.share.map(|price| (price + price * self.random.signed(100) / 1_000).max(usd(5)));
            for market in self.world.markets.clone() {
                self.world.crank(&market).unwrap();
            }
        }
    }

    fn step(&mut self) -> Outcome {
        let trader = self.traders[usize::try_from(self.random.below(3)).unwrap()];
        let other = self.traders[usize::try_from(self.random.below(3)).unwrap()];
        let market = usize::try_from(self.random.below(2)).unwrap();
        let (series, amount) = (self.series(), self.random.amount());
        let held: Vec<_> = self.world.margin(&trader).open_positions().map(|(_, position)| *position).collect();
        let (vault, markets) = (self.world.vault, self.world.markets.clone());
        match self.random.below(13) {
            0 | 1 => self.world.open_in(&trader, market, series, amount, u64::MAX),
            2 | 3 if !held.is_empty() => {
                let position = held[usize::try_from(self.random.below(16)).unwrap() % held.len()];
                let series = if position.side == 0 { call(position.tick) } else { put(position.tick) };
                let size = if self.random.below(2) == 0 { position.size.0 } else { amount };
                self.world.close_in(&trader, position.market.into(), series, size, 0)
            }
            4 => self.world.deposit(&trader, amount),
            5 => self.world.withdraw(&trader, amount),
            6 => self.world.chain.send(&[instruction::settle_funding(&vault, &trader.account, &markets)]),
            7 => {
                self.world.mark(&markets)?;
                self.world.chain.send(&[instruction::liquidate(
                    &other.owner,
                    &vault,
                    &trader.account,
                    &other.account,
                    &markets,
                )])
            }
            8 => {
                self.world.mark(&markets)?;
                let join = self.world.join(&self.provider, &markets, Pool::Main, amount, 0);
                self.world.chain.send(&[join])
            }
            9 => self.leave(amount),
            10 if !held.is_empty() => {
                let position = held[0];
                let series = if position.side == 0 { call(position.tick) } else { put(position.tick) };
                let keys = markets[usize::from(position.market)];
                self.world.crank(&keys)?;
                self.world.chain.send(&[instruction::settle_capped(&vault, &trader.account, &keys, series)])
            }
            11 => self.look_after(&trader),
            _ => {
                self.pass_time();
                self.execute()
            }
        }
    }

    /// What anyone may do for an account and for claims.
    fn look_after(&mut self, trader: &Trader) -> Outcome {
        let vault = self.world.vault;
        self.world.chain.send(&[instruction::sync_account(&vault, &trader.account)])?;
        self.world.chain.send(&[instruction::note_shortage(&vault)])?;
        self.world.chain.send(&[instruction::serve_claims(&vault)])
    }

    fn leave(&mut self, amount: u64) -> Outcome {
        let provider = self.provider;
        let held = token::balance(&self.world.chain, &provider.shares[0]);
        let shares = amount.saturating_mul(100_000).min(held);
        self.world.request(&provider, Pool::Main, shares)?;
        self.execute()
    }

    /// Executes the withdrawal at the front, and pays it out.
    fn execute(&mut self) -> Outcome {
        let (vault, markets, provider) = (self.world.vault, self.world.markets.clone(), self.provider);
        let head = self.world.read::<state::Vault>(&vault.vault).state.main.head_ticket;
        let ticket = vault.ticket(Pool::Main.into(), head);
        if self.world.chain.account(&ticket).data.is_empty() {
            return self.world.crank_first();
        }
        self.world.mark(&markets)?;
        self.world.chain.send(&[instruction::execute_withdrawal(&provider.owner, &vault, &ticket, &markets)])?;
        self.world.chain.send(&[instruction::claim_withdrawal(&provider.owner, &vault, &ticket, &provider.tokens)])
    }
}

/// Refusals that show a defect rather than a wish that cannot be granted.
const DEFECTS: [&str; 5] = ["MathOverflow", "LedgerMismatch", "VaultShort", "ProgramFailedToComplete", "MarketMissing"];

fn live(mut life: Life, steps: usize) {
    for step in 0..steps {
        match life.step() {
            Ok(_) => life.done += 1,
            Err(failure) => {
                let name = failure.name();
                assert!(!DEFECTS.iter().any(|defect| name.contains(defect)), "step {step}: {name} {:#?}", failure.logs);
            }
        }
    }
    assert!(life.done > steps / 4, "only {} of {steps} steps went through", life.done);
}

#[test]
fn ledgers_add_up_through_a_random_life() {
    live(Life::new(0x9e37_79b9_7f4a_7c15), 700);
}

#[test]
fn ledgers_add_up_through_another_random_life() {
    live(Life::new(0xd1b5_4a32_d192_ed03), 700);
}

#[test]
fn ledgers_add_up_through_a_random_life_with_a_dollar_market() {
    for seed in [0x94d0_49bb_1331_11eb, 0xbf58_476d_1ce4_e5b9] {
        live(Life::in_world(seed, World::with_dollar_market(1)), 700);
    }
}

#[test]
fn nobody_ends_with_less_than_nothing_and_no_token_is_made() {
    let mut life = Life::new(0x2545_f491_4f6c_dd1d);
    let total = |life: &Life| {
        let own: u64 = life.traders.iter().map(|trader| token::balance(&life.world.chain, &trader.tokens)).sum();
        own + token::balance(&life.world.chain, &life.provider.tokens)
            + token::balance(&life.world.chain, &life.world.vault.tokens())
    };
    let before = total(&life);
    for _ in 0..400 {
        let _ = life.step();
        assert_eq!(total(&life), before);
    }
}
