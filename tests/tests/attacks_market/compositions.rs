//! Any sequence of anybody's actions by one attacker who is three traders, a provider of both pools and a keeper, while no price
//! moves: whatever he ends with beyond what he had, he took from others. A known class: attacks made of steps that are each
//! harmless.

use perpetua::{Pool, state};
use perpetua_client::{event::Event, instruction};
use perpetua_tests::{
    Trader, World,
    attacker::{Attacker, Search, profit},
    token::{self, ONE},
    world::{Outcome, Provider, call, put},
};

use crate::desk::*;

/// Marsaglia's xorshift64: every run tries the same sequences.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    /// An amount of any magnitude.
    fn amount(&mut self, bits: u64) -> u64 {
        let bits = self.below(bits);
        100 + self.below(2 << bits)
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(u64::try_from(choices.len()).unwrap())).unwrap()]
    }
}

struct Attack<'a> {
    world: &'a mut World,
    random: Random,
    traders: [Trader; 3],
    provider: Provider,
}

impl Attack<'_> {
    /// One action; most are refused now and then.
    fn step(&mut self) -> Outcome {
        let (trader, other) = (self.random.one_of(&self.traders), self.random.one_of(&self.traders));
        let market = usize::try_from(self.random.below(2)).unwrap();
        let tick = self.random.one_of(&[-20, -7, -1, 0, 2, 9, 20]);
        let (series, size) = (self.random.one_of(&[call(tick), put(tick)]), self.random.amount(22));
        let (vault, markets) = (self.world.vault, self.world.markets.clone());
        match self.random.below(12) {
            0..3 => self.world.open_in(&trader, market, series, size, u64::MAX),
            3 | 4 => self.close_some(&trader),
            5 => self.world.chain.send(&[instruction::settle_funding(&vault, &trader.account, &markets)]),
            6 => self.world.withdraw(&trader, size),
            7 => {
                self.world.mark(&markets)?;
                let liquidate = instruction::liquidate(&other.owner, &vault, &trader.account, &other.account, &markets);
                self.world.chain.send_with_full_budget(&[liquidate])
            }
            8 => self.join(),
            9 => self.leave(),
            _ => self.wait(),
        }
    }

    fn close_some(&mut self, trader: &Trader) -> Outcome {
        let held: Vec<_> = self.world.margin(trader).open_positions().map(|(_, position)| *position).collect();
        if held.is_empty() {
            return self.wait();
        }
        let position = self.random.one_of(&held);
        let series = if position.side == 0 { call(position.tick) } else { put(position.tick) };
        let part = self.random.below(position.size.0) + 1;
        let size = self.random.one_of(&[position.size.0, part]);
        self.world.close_in(trader, position.market.into(), series, size, 0)
    }

    fn join(&mut self) -> Outcome {
        let (markets, amount) = (self.world.markets.clone(), self.random.amount(38));
        let pool = self.random.one_of(&[Pool::Main, Pool::Insurance]);
        self.world.mark(&markets)?;
        let join = self.world.join(&self.provider, &markets, pool, amount, 0);
        self.world.chain.send(&[join])
    }

    /// Asks to leave, and takes what may leave at the front.
    fn leave(&mut self) -> Outcome {
        let provider = self.provider;
        let held = token::balance(&self.world.chain, &provider.shares[0]);
        self.world.request(&provider, Pool::Main, held / 2)?;
        let (vault, markets) = (self.world.vault, self.world.markets.clone());
        let head = self.world.read::<state::Vault>(&vault.vault).state.main.head_ticket;
        let ticket = vault.ticket(Pool::Main.into(), head);
        self.world.mark(&markets)?;
        self.world.chain.send(&[instruction::execute_withdrawal(&provider.owner, &vault, &ticket, &markets)])?;
        self.world.chain.send(&[instruction::claim_withdrawal(&provider.owner, &vault, &ticket, &provider.tokens)])
    }

    /// Lets time pass, with cranks by others at the marks, within the session.
    fn wait(&mut self) -> Outcome {
        let seconds = self.random.one_of(&[1, 20, 300, 300, 900]);
        self.world.run(seconds, 300);
        self.world.crank_first()
    }
}

/// Whether money changed hands, rather than time passing.
fn is_trade(event: &Event) -> bool {
    matches!(event, Event::PositionOpened(_) | Event::PositionClosed(_) | Event::PoolJoined(_))
}

#[test]
fn no_sequence_of_actions_at_unmoved_prices_earns_anything() {
    let mut world = World::with_dollar_market(1);
    let traders = [0, 1, 2].map(|number| world.trader(&format!("attacker {number}"), STAKE));
    let provider = world.provider("attacker", world.vault, 100_000 * ONE);
    let attacker = Attacker::new(&traders, &[provider]);
    let (mut search, mut done, mut refused, mut traded) = (Search::default(), 0, 0, 0);
    for seed in 1..=120u64 {
        let earned = profit(&world, &attacker, |world| {
            let random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let mut attack = Attack { world, random, traders, provider };
            for _ in 0..30 {
                match attack.step() {
                    Ok(report) => {
                        done += 1;
                        traded += report.events.iter().filter(|event| is_trade(event)).count();
                    }
                    Err(_) => refused += 1,
                }
            }
            attack.world.run(60, 60);
            Ok(())
        });
        search.note(seed, earned);
    }
    assert!(done > refused, "{done} actions went through, {refused} were refused");
    assert!(traded > 500, "only {traded} actions traded, joined or left");
    search.assert_unprofitable(120);
}
