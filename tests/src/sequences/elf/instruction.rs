//! The instruction that an action sends.

use perpetua::{NewParameters, Pool, ShortDay, Side};
use perpetua_client::instruction::{self, Changed, MarketKeys, Series as SeriesKeys};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

use super::{Elf, feed_id};
use crate::{
    actor,
    parameters::{guards, vault_parameters},
    sequences::{
        action::{ADMIN, Action, GUARDIAN, SHARE, Series, TOKEN, TREASURY, Target, TicketKey},
        mirror::{Mirror, Parameters, kind, market_with, stock_with, with_knob},
    },
    world::DECLARED_VARIANCE,
};

fn pool(insurance: bool) -> Pool {
    if insurance { Pool::Insurance } else { Pool::Main }
}

fn keys(series: Series) -> SeriesKeys {
    SeriesKeys { side: if series.put { Side::Put } else { Side::Call }, tick: series.tick }
}

impl Elf {
    /// The action's instruction, with the accounts that the mirror before it says; none for what the world does.
    pub fn instruction(&self, action: &Action, mirror: &Mirror) -> Option<Instruction> {
        self.of_admin(action, mirror)
            .or_else(|| self.of_governance(action, mirror))
            .or_else(|| self.of_owner(action, mirror))
            .or_else(|| self.of_keeper(action, mirror))
            .or_else(|| self.of_losses(action))
            .or_else(|| self.of_provider(action, mirror))
    }

    fn who(&self, actor: u8) -> &Pubkey {
        &self.actors[usize::from(actor)]
    }

    fn of_admin(&self, action: &Action, mirror: &Mirror) -> Option<Instruction> {
        Some(match *action {
            Action::InitializeExchange { by } => {
                instruction::initialize_exchange(self.who(by), self.who(GUARDIAN), self.who(TREASURY))
            }
            Action::CreateIndex { by, index, declared } => {
                let variance = declared.then_some(DECLARED_VARIANCE);
                instruction::create_index(self.who(by), feed_id(index), guards(), variance)
            }
            Action::CreateVault { by, vault } => {
                instruction::create_vault(self.who(by), &self.vaults[usize::from(vault)].keys, vault_parameters())
            }
            Action::CreateStock { by, vault, token_feed } => {
                let parameters = stock_with(token_feed);
                instruction::create_stock(self.who(by), &self.vaults[usize::from(vault)].keys, parameters)
            }
            Action::CreateMarket { by, vault, index, dollar } => {
                let vault = &self.vaults[usize::from(vault)];
                let market = &vault.markets[usize::from(index)][usize::from(dollar)];
                instruction::create_market(self.who(by), &vault.keys, market, market_with(index, dollar))
            }
            Action::ShortenSessions { by, vault, day, close_minute } => {
                let days = vec![ShortDay { day, close_minute }];
                instruction::shorten_sessions(self.who(by), &self.vaults[usize::from(vault)].keys, days)
            }
            Action::AcknowledgeMultiplier { by, vault, multiplier } => {
                instruction::acknowledge_multiplier(self.who(by), &self.vaults[usize::from(vault)].keys, multiplier)
            }
            Action::SetOpeningPaused { by, paused } => instruction::set_opening_paused(self.who(by), paused),
            Action::AcknowledgeMint { by, vault } => {
                instruction::acknowledge_mint(self.who(by), &self.vaults[usize::from(vault)].keys)
            }
            Action::CollectFees { vault, to } => {
                let vault = &self.vaults[usize::from(vault)];
                instruction::collect_fees(&vault.keys, &vault.wallets[usize::from(to)][0])
            }
            _ => return self.of_hand_over(action, mirror),
        })
    }

    fn of_hand_over(&self, action: &Action, mirror: &Mirror) -> Option<Instruction> {
        let admin = mirror.exchange.as_ref().map_or(ADMIN, |exchange| exchange.admin);
        Some(match *action {
            Action::NameAdmin { by, next } => instruction::name_admin(self.who(by), self.who(next)),
            Action::AcceptAdmin { by } => instruction::accept_admin(self.who(by)),
            Action::ApplyChange { target } => instruction::apply_change(self.who(admin), &self.changed(mirror, target)),
            Action::CancelChange { by, target } => {
                instruction::cancel_change(self.who(by), self.who(admin), &self.changed(mirror, target))
            }
            _ => return None,
        })
    }

    fn of_governance(&self, action: &Action, mirror: &Mirror) -> Option<Instruction> {
        let (Action::ProposeChange { by, target, knob, value } | Action::Tighten { by, target, knob, value }) = *action
        else {
            return None;
        };
        // Of what does not exist nothing can be changed, whatever the parameters.
        let before = mirror.parameters(target).unwrap_or(Parameters::Exchange(0, 0));
        let new = match with_knob(before, knob, value) {
            Parameters::Exchange(guardian, recipient) => {
                NewParameters::Exchange { guardian: *self.who(guardian), fee_recipient: *self.who(recipient) }
            }
            Parameters::Index(parameters) => NewParameters::Index(parameters),
            Parameters::Vault(parameters) => NewParameters::Vault(parameters),
            Parameters::Market(parameters) => NewParameters::Market(parameters),
            Parameters::Stock(parameters) => NewParameters::Stock(parameters),
        };
        let changed = self.changed(mirror, target);
        Some(if matches!(action, Action::Tighten { .. }) {
            instruction::tighten(self.who(by), &changed, new)
        } else {
            instruction::propose_change(self.who(by), &changed, new)
        })
    }

    fn changed(&self, mirror: &Mirror, target: Target) -> Changed {
        let address = self.target(mirror, target);
        match target {
            Target::Exchange => Changed::Exchange,
            Target::Index(_) => Changed::Index(address),
            Target::Vault(_) => Changed::Vault(address),
            Target::Market(..) => Changed::Market(address),
            Target::Stock(_) => Changed::Stock(address),
        }
    }

    fn of_owner(&self, action: &Action, mirror: &Mirror) -> Option<Instruction> {
        Some(match *action {
            Action::OpenAccount { vault, holder } => {
                let (owner, vault) = (self.who(holder.owner), &self.vaults[usize::from(vault)].keys);
                instruction::open_account(owner, owner, vault, holder.sub.into())
            }
            Action::CloseAccount { by, vault, holder } => {
                instruction::close_account(self.who(by), &self.account_of(vault, holder))
            }
            Action::Deposit { by, vault, holder, amount } => {
                let (account, vault) = (self.account_of(vault, holder), &self.vaults[usize::from(vault)]);
                instruction::deposit(self.who(by), &vault.keys, &account, &vault.wallets[usize::from(by)][0], amount)
            }
            Action::Withdraw { by, vault, holder, amount, given } => {
                let (account, markets) = (self.account_of(vault, holder), self.given(mirror, vault, given));
                let vault = &self.vaults[usize::from(vault)];
                let destination = &vault.wallets[usize::from(by)][0];
                instruction::withdraw(self.who(by), &vault.keys, &account, destination, &markets, amount)
            }
            Action::OpenPosition { by, vault, holder, series, size, max_cost, given } => {
                let (account, others) = (self.account_of(vault, holder), self.given(mirror, vault, given));
                let market = self.market(mirror, vault, series.market);
                let vault = &self.vaults[usize::from(vault)].keys;
                let (owner, option) = (self.who(by), keys(series));
                instruction::open_position(owner, vault, &account, &market, &others, option, size, max_cost)
            }
            Action::ClosePosition { by, vault, holder, series, size, min_proceeds } => {
                let (account, market) = (self.account_of(vault, holder), self.market(mirror, vault, series.market));
                let vault = &self.vaults[usize::from(vault)].keys;
                let (owner, option) = (self.who(by), keys(series));
                instruction::close_position(owner, vault, &account, &market, option, size, min_proceeds)
            }
            _ => return None,
        })
    }

    fn of_keeper(&self, action: &Action, mirror: &Mirror) -> Option<Instruction> {
        Some(match *action {
            Action::CrankStock { vault, share, token } => {
                let posted = |feed: u8, at: Option<u8>| at.map(|at| &self.posted[usize::from(feed)][usize::from(at)]);
                let vault = &self.vaults[usize::from(vault)].keys;
                instruction::crank_stock(vault, posted(SHARE, share), posted(TOKEN, token))
            }
            Action::CrankFunding { vault, market, update, with_stock } => {
                let listed = mirror.vaults[usize::from(vault)].markets.get(usize::from(market));
                let feed = listed.map_or(0, |market| usize::from(market.index));
                let stock = with_stock.then_some(self.vaults[usize::from(vault)].stock);
                let market = MarketKeys { stock, ..self.market(mirror, vault, market) };
                instruction::crank_funding(&market, update.map(|at| &self.posted[feed][usize::from(at)]))
            }
            Action::MarkMarket { vault, market } => instruction::mark_market(&self.market(mirror, vault, market)),
            Action::Liquidate { by, vault, holder, keeper, given } => {
                let [account, to] = [holder, keeper].map(|holder| self.account_of(vault, holder));
                let markets = self.given(mirror, vault, given);
                let vault = &self.vaults[usize::from(vault)].keys;
                instruction::liquidate(self.who(by), vault, &account, &to, &markets)
            }
            Action::SettleFunding { vault, holder, given } => {
                let markets = self.given(mirror, vault, given);
                let account = self.account_of(vault, holder);
                instruction::settle_funding(&self.vaults[usize::from(vault)].keys, &account, &markets)
            }
            Action::SettleCapped { vault, holder, series }
            | Action::RetireFar { vault, holder, series }
            | Action::SettleAbandoned { vault, holder, series } => {
                let (account, market) = (self.account_of(vault, holder), self.market(mirror, vault, series.market));
                let settle = match action {
                    Action::SettleCapped { .. } => instruction::settle_capped,
                    Action::RetireFar { .. } => instruction::retire_far,
                    _ => instruction::settle_abandoned,
                };
                settle(&self.vaults[usize::from(vault)].keys, &account, &market, keys(series))
            }
            _ => return None,
        })
    }

    fn of_losses(&self, action: &Action) -> Option<Instruction> {
        Some(match *action {
            Action::NoteShortage { vault } => instruction::note_shortage(&self.vaults[usize::from(vault)].keys),
            Action::RecogniseLoss { vault } => instruction::recognise_loss(&self.vaults[usize::from(vault)].keys),
            Action::RepayLosses { vault } => instruction::repay_losses(&self.vaults[usize::from(vault)].keys),
            Action::ServeClaims { vault } => instruction::serve_claims(&self.vaults[usize::from(vault)].keys),
            Action::SyncAccount { vault, holder } => {
                let account = self.account_of(vault, holder);
                instruction::sync_account(&self.vaults[usize::from(vault)].keys, &account)
            }
            _ => return None,
        })
    }

    fn of_provider(&self, action: &Action, mirror: &Mirror) -> Option<Instruction> {
        let ticket =
            |vault: u8, key: TicketKey| self.vaults[usize::from(vault)].keys.ticket(kind(key.insurance), key.number);
        Some(match *action {
            Action::JoinPool { by, vault, insurance, amount, min_shares, given } => {
                let markets = self.given(mirror, vault, given);
                let vault = &self.vaults[usize::from(vault)];
                let wallet = &vault.wallets[usize::from(by)];
                let (source, shares) = (&wallet[0], &wallet[1 + usize::from(insurance)]);
                let (owner, pool) = (self.who(by), pool(insurance));
                instruction::join_pool(owner, &vault.keys, pool, source, shares, &markets, amount, min_shares)
            }
            Action::RequestWithdrawal { by, vault, insurance, shares } => {
                let ledgers = mirror.vaults[usize::from(vault)].state.as_ref();
                let number = ledgers.map_or(0, |ledgers| ledgers.pool(kind(insurance)).next_ticket);
                let vault = &self.vaults[usize::from(vault)];
                let source = &vault.wallets[usize::from(by)][1 + usize::from(insurance)];
                let owner = self.who(by);
                instruction::request_withdrawal(owner, owner, &vault.keys, pool(insurance), number, source, shares)
            }
            Action::ExecuteWithdrawal { by, vault, ticket: key, given } => {
                let markets = self.given(mirror, vault, given);
                let keys = &self.vaults[usize::from(vault)].keys;
                instruction::execute_withdrawal(self.who(by), keys, &ticket(vault, key), &markets)
            }
            Action::CancelWithdrawal { by, vault, ticket: key } => {
                let (address, vault) = (ticket(vault, key), &self.vaults[usize::from(vault)]);
                let destination = &vault.wallets[usize::from(by)][1 + usize::from(key.insurance)];
                instruction::cancel_withdrawal(self.who(by), &vault.keys, pool(key.insurance), &address, destination)
            }
            Action::ClaimWithdrawal { by, vault, ticket: key } => {
                let (address, vault) = (ticket(vault, key), &self.vaults[usize::from(vault)]);
                let destination = &vault.wallets[usize::from(by)][0];
                instruction::claim_withdrawal(self.who(by), &vault.keys, &address, destination)
            }
            Action::CloseTicket { vault, ticket: key } => {
                let tickets = &mirror.vaults[usize::from(vault)].tickets[usize::from(key.insurance)];
                let owner = tickets.get(&key.number).map_or(actor("nobody"), |ticket| *self.who(ticket.owner));
                instruction::close_ticket(&owner, &self.vaults[usize::from(vault)].keys, &ticket(vault, key))
            }
            _ => return None,
        })
    }
}
