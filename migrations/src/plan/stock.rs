//! The stock behind a vault's token, and its calendar.

use anyhow::{Context, Result, bail};
use perpetua_client::{
    instruction::{self, VaultKeys},
    model::{Calendar, new_york_day},
    perpetua::state,
};

use super::{Action, DISCRIMINATOR, Planner, Step, change::Wanted, check};
use crate::{
    compare::{self, Known},
    declaration::{StockDeclaration, VaultDeclaration},
};

impl Planner<'_> {
    pub(super) fn stock(&mut self, vault: &VaultDeclaration, stock: &StockDeclaration, keys: &VaultKeys) -> Result<()> {
        let (what, address) = (format!("stock of {}", vault.name), keys.stock());
        let now = self.now()?;
        let calendar = match self.read::<state::Stock>(&what, &address)? {
            Some(found) => {
                let wanted = Wanted::stock(address, stock, &found);
                self.change(what, compare::stock(stock, &found), wanted)?;
                found.state.calendar
            }
            None => {
                check::stock(self.client, vault, stock, now)?;
                let create = instruction::create_stock(self.wallet, keys, stock.parameters);
                self.create(what, address, &[DISCRIMINATOR + size_of::<state::Stock>()], create);
                Calendar::default()
            }
        };
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
        let arguments: Vec<_> = missing.iter().map(|day| day.argument()).collect();
        let details = missing.iter().map(ToString::to_string).collect();
        let (action, instructions) = match arguments.is_empty() {
            true => (Action::Keep, Vec::new()),
            false => (Action::Create, vec![instruction::shorten_sessions(self.wallet, keys, arguments)]),
        };
        self.steps.push(Step { what, address, action, instructions, rent: 0, details });
        Ok(())
    }

    /// The cluster's time, by which the program judges dates; Unix seconds.
    pub(super) fn now(&self) -> Result<i64> {
        Ok(self.client.clock().context("the cluster's clock")?.unix_timestamp)
    }
}
