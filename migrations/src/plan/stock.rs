//! The stock behind a vault's token, and its calendar.

use anchor_lang::{prelude::Clock, solana_program::sysvar::SysvarId};
use anyhow::{Context, Result, bail};
use perpetua_client::{
    instruction::{self, VaultKeys},
    model::{Calendar, new_york_day},
    perpetua::state,
};

use super::{DISCRIMINATOR, Planner, Step, check};
use crate::{
    compare::{self, Known},
    declaration::{StockDeclaration, VaultDeclaration},
};

impl Planner<'_> {
    pub(super) fn stock(&mut self, vault: &VaultDeclaration, stock: &StockDeclaration, keys: &VaultKeys) -> Result<()> {
        let (what, address) = (format!("stock of {}", vault.name), keys.stock());
        let now = self.now()?;
        let (calendar, create) = match self.read::<state::Stock>(&what, &address)? {
            Some(found) => {
                self.note(&what, &address, compare::stock(stock, &found));
                (found.state.calendar, None)
            }
            None => {
                check::stock(self.network, vault, stock, now)?;
                (Calendar::default(), Some(instruction::create_stock(self.wallet, keys, stock.parameters)))
            }
        };
        self.step(what, address, &[DISCRIMINATOR + size_of::<state::Stock>()], create);
        self.short_days(vault, stock, keys, calendar, now)
    }

    /// Declared days that are past or entered already need nothing; entered ones that are not declared are left alone.
    fn short_days(
        &mut self,
        vault: &VaultDeclaration,
        stock: &StockDeclaration,
        keys: &VaultKeys,
        mut calendar: Calendar,
        now: i64,
    ) -> Result<()> {
        if stock.short_days.is_empty() {
            return Ok(());
        }
        let (what, address) = (format!("short days of {}", vault.name), keys.stock());
        let today = new_york_day(now).with_context(|| format!("the cluster's clock stands at {now}; wait"))?;
        let mut missing = Vec::new();
        for day in stock.short_days.iter().filter(|day| day.entry().day >= today) {
            match compare::short_day(*day, &calendar) {
                Known::Same => {}
                Known::Earlier(line) => self.note(&what, &address, vec![line]),
                Known::Later => {
                    if let Err(error) = calendar.add(day.entry(), now) {
                        bail!("{what} ({address}): {}", day.refusal(error));
                    }
                    missing.push(*day);
                }
            }
        }
        let arguments = missing.iter().map(|day| day.argument()).collect();
        let create = (!missing.is_empty()).then(|| instruction::shorten_sessions(self.wallet, keys, arguments));
        let details = missing.iter().map(ToString::to_string).collect();
        self.steps.push(Step { what, address, create, rent: 0, details });
        Ok(())
    }

    /// The cluster's time, by which the program judges dates; Unix seconds.
    fn now(&self) -> Result<i64> {
        let account = self.network.account(&Clock::id())?.context("the cluster has no clock; check --url")?;
        let clock: Clock = bincode::deserialize(&account.data).context("the cluster's clock cannot be read")?;
        Ok(clock.unix_timestamp)
    }
}
