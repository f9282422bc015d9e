//! What the world does by itself: time, prices, the issuer of the token, gifts.

use perpetua_client::price::PriceAccount;
use perpetua_model::ScaledUi;

use super::{Mint, Mirror, Outcome, Refusal, TOO_FEW, VaultOf, vault_of};
use crate::sequences::action::{Action, Published};

impl Mirror {
    pub(super) fn let_happen(&mut self, action: &Action) -> Outcome {
        if let Some(vault) = vault_of(action) {
            self.vaults[vault].ledgers()?;
        }
        match *action {
            Action::Wait { seconds, slots } => {
                self.now += i64::from(seconds);
                self.slot += u64::from(slots);
            }
            Action::Post { feed, at, update } => {
                self.posted[usize::from(feed)][usize::from(at)] = Some(price_account(update, self.now, self.slot));
            }
            Action::Donate { by, vault, amount } => {
                let vault = &mut self.vaults[usize::from(vault)];
                let held = &mut vault.wallets[usize::from(by)].tokens;
                *held = held.checked_sub(amount).ok_or(TOO_FEW)?;
                vault.balance += amount;
            }
            Action::SetMultiplier { vault, current, next, starts } => {
                let next_from = self.now + starts;
                self.xstock(vault)?.scaled_ui = ScaledUi { current, next, next_from };
            }
            Action::PauseMint { vault, paused } => self.xstock(vault)?.paused = paused,
            Action::FreezeTokens { vault, frozen } => self.vaults[usize::from(vault)].frozen = frozen,
            Action::ChangeMint { vault, authority, hook } => {
                let mint = self.xstock(vault)?;
                (mint.authority, mint.hook) = (authority, hook);
            }
            Action::Seize { vault, amount } => {
                let VaultOf { balance, seized, .. } = &mut self.vaults[usize::from(vault)];
                *balance = balance.checked_sub(amount).ok_or(TOO_FEW)?;
                *seized += amount;
            }
            Action::GiveBack { vault, amount } => {
                let VaultOf { balance, seized, .. } = &mut self.vaults[usize::from(vault)];
                *seized = seized.checked_sub(amount).ok_or(TOO_FEW)?;
                *balance += amount;
            }
            Action::SendShares { by, to, vault, insurance, amount } => {
                let wallets = &mut self.vaults[usize::from(vault)].wallets;
                let held = &mut wallets[usize::from(by)].shares[usize::from(insurance)];
                *held = held.checked_sub(amount).ok_or(TOO_FEW)?;
                wallets[usize::from(to)].shares[usize::from(insurance)] += amount;
            }
            _ => unreachable!("not what the world does"),
        }
        Ok(())
    }

    /// The mint that has extensions.
    fn xstock(&mut self, vault: u8) -> Outcome<&mut Mint> {
        if vault == 0 { Ok(&mut self.vaults[0].mint) } else { Err(Refusal::Program("NoSuchExtension")) }
    }
}

/// What a price account holds once an update is posted there at a moment.
pub(crate) fn price_account(update: Published, now: i64, slot: u64) -> PriceAccount {
    let Published { price, confidence, average, exponent, age, gap } = update;
    let publish_time = now - age;
    PriceAccount {
        price,
        confidence,
        exponent,
        publish_time,
        previous_publish_time: publish_time - gap,
        average,
        average_confidence: confidence,
        posted_slot: slot,
        ..PriceAccount::default()
    }
}
