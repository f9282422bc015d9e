//! Compares every account with what the mirror says is in it.

use std::mem::offset_of;

use bytemuck::{Pod, bytes_of};
use perpetua::state;
use perpetua_client::address;
use perpetua_model::PoolKind;
use solana_account::ReadableAccount;
use solana_pubkey::Pubkey;

use super::{Addresses, Elf, Mismatch};
use crate::{
    ledger::number,
    sequences::mirror::{Mirror, VaultOf},
};

/// Bytes of every account's discriminator.
const DISCRIMINATOR: usize = 8;
/// Where a token account holds its balance, and a mint its supply.
const AMOUNT: usize = 64;
const SUPPLY: usize = 36;

type Compared = Result<(), Mismatch>;

fn differs(what: &str) -> Mismatch {
    Mismatch::State(what.to_owned())
}

impl Elf {
    /// Compares every account that the mirror knows.
    ///
    /// Errors: the first that differs.
    pub fn compare(&self, mirror: &Mirror) -> Compared {
        self.compare_exchange(mirror)?;
        for (address, index) in self.indices.iter().zip(&mirror.indices) {
            let state = index.as_ref().map(|index| &index.state);
            self.same("index", address, offset_of!(state::Index, state), state)?;
        }
        for (addresses, vault) in self.vaults.iter().zip(&mirror.vaults) {
            self.compare_vault(addresses, vault)?;
        }
        for (target, proposal) in &mirror.proposals {
            let address = address::proposal(&self.target(mirror, *target));
            let body = |parameters: crate::sequences::mirror::Parameters| {
                parameters.body(|who| self.actors[usize::from(who)].to_bytes())
            };
            let (before, after) = (body(proposal.before), body(proposal.after));
            self.same_bytes("proposal before", &address, offset_of!(state::Proposal, before), &before)?;
            self.same_bytes("proposal after", &address, offset_of!(state::Proposal, after), &after)?;
            let at = proposal.proposed_at.to_le_bytes();
            self.same_bytes("proposal time", &address, offset_of!(state::Proposal, proposed_at), &at)?;
        }
        Ok(())
    }

    fn compare_exchange(&self, mirror: &Mirror) -> Compared {
        let address = address::exchange();
        let Some(exchange) = &mirror.exchange else {
            return self.require_absent("exchange", &address);
        };
        let who = |who: u8| self.actors[usize::from(who)].to_bytes();
        let same = |what, offset, expected: &[u8]| self.same_bytes(what, &address, offset, expected);
        same("administrator", offset_of!(state::Exchange, admin), &who(exchange.admin))?;
        same("guardian", offset_of!(state::Exchange, guardian), &who(exchange.guardian))?;
        same("fee recipient", offset_of!(state::Exchange, fee_recipient), &who(exchange.fee_recipient))?;
        let next = exchange.next_admin.map_or([0; 32], who);
        same("next administrator", offset_of!(state::Exchange, next_admin), &next)?;
        same("pause", offset_of!(state::Exchange, opening_paused), &[u8::from(exchange.paused)])
    }

    fn compare_vault(&self, addresses: &Addresses, vault: &VaultOf) -> Compared {
        let state = vault.state.as_ref();
        self.same("vault", &addresses.keys.vault, offset_of!(state::Vault, state), state)?;
        let stock = vault.stock.as_ref().map(|stock| &stock.state);
        self.same("stock", &addresses.stock, offset_of!(state::Stock, state), stock)?;
        for (number, market) in vault.markets.iter().enumerate() {
            let dollar = usize::from(market.parameters.settlement == perpetua::Settlement::Dollar);
            let address = &addresses.markets[usize::from(market.index)][dollar].market;
            self.same("market", address, offset_of!(state::Market, state), Some(&market.state))?;
            let number = u8::try_from(number).unwrap_or(u8::MAX);
            self.same_bytes("market number", address, offset_of!(state::Market, number), &[number])?;
        }
        for (account, address) in vault.accounts.iter().flatten().zip(addresses.accounts.iter().flatten()) {
            self.same("margin account", address, offset_of!(state::MarginAccount, state), account.as_ref())?;
        }
        if state.is_none() {
            return Ok(());
        }
        self.same_number("vault's tokens", &addresses.tokens, AMOUNT, vault.balance)?;
        for (wallet, [tokens, main, insurance]) in vault.wallets.iter().zip(&addresses.wallets) {
            self.same_number("tokens", tokens, AMOUNT, wallet.tokens)?;
            self.same_number("main pool shares", main, AMOUNT, wallet.shares[0])?;
            self.same_number("insurance pool shares", insurance, AMOUNT, wallet.shares[1])?;
        }
        for (kind, mint) in addresses.shares.iter().enumerate() {
            let supply = vault.wallets.iter().map(|wallet| wallet.shares[kind]).sum();
            self.same_number("supply of shares", mint, SUPPLY, supply)?;
        }
        self.compare_tickets(addresses, vault)
    }

    fn compare_tickets(&self, addresses: &Addresses, vault: &VaultOf) -> Compared {
        for (kind, tickets) in [PoolKind::Main, PoolKind::Insurance].into_iter().zip(&vault.tickets) {
            for (number, ticket) in tickets {
                let address = addresses.keys.ticket(kind, *number);
                let offset = offset_of!(state::WithdrawalTicket, state);
                self.same("withdrawal", &address, offset, Some(&ticket.state))?;
                let owner = self.actors[usize::from(ticket.owner)].to_bytes();
                let offset = offset_of!(state::WithdrawalTicket, owner);
                self.same_bytes("owner of a withdrawal", &address, offset, &owner)?;
            }
        }
        Ok(())
    }

    fn same<T: Pod>(&self, what: &str, address: &Pubkey, offset: usize, expected: Option<&T>) -> Compared {
        match expected {
            Some(expected) => self.same_bytes(what, address, offset, bytes_of(expected)),
            None => self.require_absent(what, address),
        }
    }

    fn same_bytes(&self, what: &str, address: &Pubkey, offset: usize, expected: &[u8]) -> Compared {
        let start = DISCRIMINATOR + offset;
        let data = self.data(address).and_then(|data| data.get(start..start + expected.len()));
        if data == Some(expected) { Ok(()) } else { Err(differs(what)) }
    }

    fn same_number(&self, what: &str, address: &Pubkey, offset: usize, expected: u64) -> Compared {
        let held = self.data(address).map(|data| number(data, offset));
        if held == Some(expected) { Ok(()) } else { Err(differs(what)) }
    }

    fn require_absent(&self, what: &str, address: &Pubkey) -> Compared {
        let empty = self.data(address).is_none_or(<[u8]>::is_empty);
        if empty { Ok(()) } else { Err(differs(what)) }
    }

    fn data(&self, address: &Pubkey) -> Option<&[u8]> {
        self.chain.svm.accounts_db().inner.get(address).map(ReadableAccount::data)
    }
}
