//! What an attacker has: his whole wealth over any number of accounts, in raw stock tokens, so that an attack can be judged
//! by what it earned.
//!
//! Positions count as what closing them pays now: they are closed, on a copy of the world. Where the measure cannot be exact
//! it errs in the attacker's favour, so that it hides no profit.

use std::{collections::BTreeMap, fmt};

use perpetua::{Side, state};
use perpetua_client::{instruction::Series, quote};
use perpetua_model::{PoolKind, Position, Shares};
use solana_pubkey::Pubkey;

use crate::{Trader, World, ledger, token, world::Provider};

/// Everybody that one attacker is.
#[derive(Clone, Debug, Default)]
pub struct Attacker {
    /// His margin accounts.
    pub traders: Vec<Trader>,
    /// His pool shares.
    pub providers: Vec<Provider>,
}

impl Attacker {
    /// An attacker who only trades.
    pub fn trading(traders: &[Trader]) -> Self {
        Self { traders: traders.to_vec(), providers: Vec::new() }
    }

    /// An attacker who trades and provides.
    pub fn new(traders: &[Trader], providers: &[Provider]) -> Self {
        Self { traders: traders.to_vec(), providers: providers.to_vec() }
    }

    /// Stock tokens in all his wallets, each counted once.
    pub fn tokens(&self, world: &World) -> i128 {
        let of_traders = self.traders.iter().map(|trader| trader.tokens);
        let wallets = of_traders.chain(self.providers.iter().map(|provider| provider.tokens));
        let wallets: BTreeMap<Pubkey, u64> =
            wallets.map(|wallet| (wallet, token::balance(&world.chain, &wallet))).collect();
        wallets.values().map(|tokens| i128::from(*tokens)).sum()
    }

    /// What he would have if he closed every position now: tokens in wallets, collateral less debts, claims in full, pool
    /// shares and tickets at the pools' lower value before the exit fee.
    ///
    /// Panics if a position cannot be closed now, for then it cannot be measured.
    pub fn wealth(&self, world: &World) -> i128 {
        let mut world = world.clone();
        self.close_all(&mut world);
        self.tokens(&world) + self.margin(&world) + self.shares(&mut world)
    }

    /// Closes all positions and takes all collateral out; returns the tokens that he has then in his wallets, with shares as
    /// in [`Attacker::wealth`].
    ///
    /// Panics if anything stays behind, for then it was no attack that paid out.
    pub fn cash_out(&self, world: &mut World) -> i128 {
        self.close_all(world);
        for trader in &self.traders {
            let left = world.margin(trader).collateral.0;
            if left > 0 {
                world.withdraw(trader, left).expect("an account without positions can be emptied");
            }
        }
        assert_eq!(self.margin(world), 0, "all is in wallets");
        self.tokens(world) + self.shares(&mut world.clone())
    }

    /// Closes every position that is worth more than it owes. One that is not is left: its owner walks away.
    pub fn close_all(&self, world: &mut World) {
        for trader in &self.traders {
            let positions: Vec<Position> = world.margin(trader).open_positions().map(|(_, held)| *held).collect();
            for held in positions {
                let side = if held.side == Side::Put as u8 { Side::Put } else { Side::Call };
                let series = Series { side, tick: held.tick };
                match world.close_in(trader, held.market.into(), series, held.size.0, 0) {
                    Ok(_) => (),
                    Err(refusal) if refusal.name() == "InsufficientCollateral" => (),
                    Err(refusal) => panic!("a position that cannot be closed cannot be measured: {}", refusal.name()),
                }
            }
        }
    }

    /// Collateral less debts, and claims in full; an account that owes more than it has is worth nothing.
    fn margin(&self, world: &World) -> i128 {
        let accounts: BTreeMap<Pubkey, Trader> = self.traders.iter().map(|trader| (trader.account, *trader)).collect();
        accounts.values().map(|trader| account_worth(world, trader)).sum()
    }

    fn shares(&self, world: &mut World) -> i128 {
        let owners: BTreeMap<Pubkey, Provider> =
            self.providers.iter().map(|provider| (provider.owner, *provider)).collect();
        let tickets = ledger::all::<state::WithdrawalTicket>(&world.chain.snapshot());
        let of_attacker = tickets.values().filter(|ticket| owners.contains_key(&ticket.owner)).collect::<Vec<_>>();
        let payable: i128 = of_attacker.iter().map(|ticket| i128::from(ticket.state.payable.0)).sum();
        let in_pool = |number: usize| -> u64 {
            let held: u64 = owners.values().map(|owner| token::balance(&world.chain, &owner.shares[number])).sum();
            let queued = of_attacker.iter().filter(|ticket| usize::from(ticket.pool) == number);
            held + queued.map(|ticket| ticket.state.shares.0).sum::<u64>()
        };
        let pools = [(PoolKind::Main, in_pool(0)), (PoolKind::Insurance, in_pool(1))];
        payable + pools.into_iter().map(|(pool, shares)| shares_worth(world, pool, shares)).sum::<i128>()
    }
}

fn account_worth(world: &World, trader: &Trader) -> i128 {
    let (vault, mut account) = (world.read::<state::Vault>(&trader.vault.vault).state, world.margin(trader));
    let left = account.claim.left(vault.claims.scale).expect("a claim belongs to its fund");
    let mut books = vault;
    books.sync(&mut account).expect("an account can learn of losses");
    let own = i128::from(account.collateral.0) - i128::from(account.debt.0);
    own.max(0) + i128::from(left.0)
}

/// What shares are worth at the lower value, before the exit fee.
fn shares_worth(world: &mut World, pool: PoolKind, shares: u64) -> i128 {
    if shares == 0 {
        return 0;
    }
    let keys = world.markets.clone();
    world.mark(&keys).expect("a pool that cannot be valued cannot be measured");
    let markets: Vec<Box<state::Market>> = keys.iter().map(|keys| Box::new(world.read(&keys.market))).collect();
    let vault: state::Vault = world.read(&world.vault.vault);
    let marked = markets.iter().map(|market| &**market);
    let value = quote::pool_value(&vault, pool, marked, world.chain.slot()).expect("the marks are fresh");
    quote::tokens_for(&vault, pool, value, Shares(shares)).expect("shares of the pool").0.into()
}

/// The best of many variants of an attack. A variant that was refused earns nothing.
#[derive(Debug, Default)]
pub struct Search {
    done: usize,
    refused: BTreeMap<String, usize>,
    best: Option<(i128, String)>,
}

impl Search {
    /// Notes what a variant earned, or the name of the refusal that ended it.
    pub fn note(&mut self, variant: impl fmt::Debug, earned: Result<i128, String>) {
        match earned {
            Ok(earned) => {
                self.done += 1;
                if self.best.as_ref().is_none_or(|(best, _)| earned > *best) {
                    self.best = Some((earned, format!("{variant:?}")));
                }
            }
            Err(reason) => *self.refused.entry(reason).or_default() += 1,
        }
    }

    /// Asserts that at least `least` variants went through and that not even the best of them earned anything.
    pub fn assert_unprofitable(self, least: usize) {
        assert!(self.done >= least, "only {} variants went through: {:?}", self.done, self.refused);
        if let Some((best, variant)) = self.best {
            assert!(best <= 0, "{variant} earns {best} raw units");
        }
    }

    /// The most that a variant earned, raw units.
    pub fn best(&self) -> Option<i128> {
        self.best.as_ref().map(|(best, _)| *best)
    }

    /// How often variants were refused, by the reason.
    pub fn refused(&self) -> &BTreeMap<String, usize> {
        &self.refused
    }
}

/// What an attack earns in a copy of the world: the attacker's tokens once he closed and took out everything, less all that
/// he had before.
///
/// Errors: the name of the refusal that ended the attack.
pub fn profit(
    world: &World,
    attacker: &Attacker,
    attack: impl FnOnce(&mut World) -> Result<(), crate::Failure>,
) -> Result<i128, String> {
    let before = attacker.wealth(world);
    let mut world = world.clone();
    attack(&mut world).map_err(|refusal| refusal.name())?;
    Ok(attacker.cash_out(&mut world) - before)
}

/// What an attack earns beyond what the same prices gave to one who did not attack: both run in copies of one world.
///
/// Errors: the name of the refusal that ended either.
pub fn advantage(
    world: &World,
    attacker: &Attacker,
    attack: impl FnOnce(&mut World) -> Result<(), crate::Failure>,
    control: impl FnOnce(&mut World) -> Result<(), crate::Failure>,
) -> Result<i128, String> {
    Ok(profit(world, attacker, attack)? - profit(world, attacker, control)?)
}
