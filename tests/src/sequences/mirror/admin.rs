//! What the administrator lists and switches, and the collection of fees.

use bytemuck::Zeroable;
use perpetua::{Settlement, StockParameters};
use perpetua_model::{Index, MARKETS, Market, Multiplier, ShortDay, Stock, Variance, Vault};

use super::{EXISTS, Exchange, IndexOf, MISSING, MarketOf, Mirror, Outcome, Refusal, StockOf, UNAUTHORIZED};
use crate::{
    parameters::{
        dollar_parameters, guards, market_parameters, stock_parameters, stock_parameters_with_token_feed,
        vault_parameters,
    },
    sequences::action::{ADMIN, Action, GUARDIAN, TREASURY},
    world::{DECLARED_VARIANCE, PRICES},
};

/// The configuration that a stock is listed with.
pub(crate) fn stock_with(token_feed: bool) -> StockParameters {
    if token_feed { stock_parameters_with_token_feed() } else { stock_parameters() }
}

/// The configuration that a market is listed with.
pub(crate) fn market_with(index: u8, dollar: bool) -> perpetua::MarketParameters {
    let reference = PRICES[usize::from(index)];
    if dollar { dollar_parameters(reference) } else { market_parameters(reference) }
}

impl Mirror {
    pub(super) fn administer(&mut self, action: &Action) -> Outcome {
        match *action {
            Action::InitializeExchange { by } => self.initialize_exchange(by),
            Action::CreateIndex { by, index, declared } => self.create_index(by, index, declared),
            Action::CreateVault { by, vault } => self.create_vault(by, vault),
            Action::CreateStock { by, vault, token_feed } => self.create_stock(by, vault, token_feed),
            Action::CreateMarket { by, vault, index, dollar } => self.create_market(by, vault, index, dollar),
            Action::ShortenSessions { by, vault, day, close_minute } => {
                self.shorten_sessions(by, vault, ShortDay { day, close_minute })
            }
            Action::AcknowledgeMultiplier { by, vault, multiplier } => {
                self.acknowledge_multiplier(by, vault, multiplier)
            }
            Action::SetOpeningPaused { by, paused } => self.set_opening_paused(by, paused),
            Action::AcknowledgeMint { by, vault } => self.acknowledge_mint(by, vault),
            Action::CollectFees { vault, to } => self.collect_fees(vault, to),
            _ => unreachable!("not an action of the administrator"),
        }
    }

    fn initialize_exchange(&mut self, by: u8) -> Outcome {
        // The program's upgrade authority.
        if by != ADMIN {
            return Err(UNAUTHORIZED);
        }
        if self.exchange.is_some() {
            return Err(EXISTS);
        }
        let (guardian, fee_recipient) = (GUARDIAN, TREASURY);
        self.exchange = Some(Exchange { admin: by, guardian, fee_recipient, next_admin: None, paused: false });
        Ok(())
    }

    fn create_index(&mut self, by: u8, index: u8, declared: bool) -> Outcome {
        self.exchange.as_ref().ok_or(MISSING)?;
        let place = usize::from(index);
        self.require_admin(by)?;
        if self.indices[place].is_some() {
            return Err(EXISTS);
        }
        let variance = declared.then_some(Variance(DECLARED_VARIANCE));
        let state = Index::new(guards().into(), variance, self.now)?;
        self.indices[place] = Some(IndexOf { state, parameters: guards() });
        Ok(())
    }

    fn create_vault(&mut self, by: u8, vault: u8) -> Outcome {
        self.exchange.as_ref().ok_or(MISSING)?;
        self.require_admin(by)?;
        let vault = &mut self.vaults[usize::from(vault)];
        vault.mint_conditions()?;
        if vault.state.is_some() {
            return Err(EXISTS);
        }
        vault.mint.acknowledged = vault.mint.authority;
        vault.state = Some(Vault::new(vault_parameters().into())?);
        Ok(())
    }

    fn create_stock(&mut self, by: u8, vault: u8, token_feed: bool) -> Outcome {
        self.exchange.as_ref().ok_or(MISSING)?;
        let now = self.now;
        let stock = &self.vaults[usize::from(vault)];
        stock.ledgers()?;
        self.require_admin(by)?;
        if stock.stock.is_some() {
            return Err(EXISTS);
        }
        let parameters = stock_with(token_feed);
        let state = Stock::new(parameters.config(8), &stock.mint.scaled_ui, now)?;
        self.vaults[usize::from(vault)].stock = Some(StockOf { state, parameters });
        Ok(())
    }

    fn create_market(&mut self, by: u8, vault: u8, index: u8, dollar: bool) -> Outcome {
        self.exchange.as_ref().ok_or(MISSING)?;
        let (now, place) = (self.now, usize::from(vault));
        self.vaults[place].ledgers()?;
        let listed = self.indices[usize::from(index)].as_ref().ok_or(MISSING)?;
        let settlement = if dollar { Settlement::Dollar } else { Settlement::Quanto };
        let same = |market: &MarketOf| market.index == index && market.parameters.settlement == settlement;
        self.require_admin(by)?;
        let vault = &self.vaults[place];
        if vault.markets.len() == MARKETS {
            return Err(Refusal::Program("TooManyMarkets"));
        }
        if vault.markets.iter().any(same) {
            return Err(EXISTS);
        }
        let parameters = market_with(index, dollar);
        let config = parameters.into();
        let opens_at = vault.ledgers()?.new_market_opens_at(&config, now);
        let mut state = Market::zeroed();
        state.initialize(config, &listed.state, now, opens_at)?;
        self.vaults[place].markets.push(MarketOf { index, state, parameters });
        Ok(())
    }

    fn shorten_sessions(&mut self, by: u8, vault: u8, day: ShortDay) -> Outcome {
        let now = self.now;
        self.require_listed_stock(by, vault)?;
        let stock = self.vaults[usize::from(vault)].stock.as_mut().ok_or(MISSING)?;
        stock.state.calendar.add(day, now)?;
        Ok(())
    }

    fn acknowledge_multiplier(&mut self, by: u8, vault: u8, multiplier: u64) -> Outcome {
        self.require_listed_stock(by, vault)?;
        let multiplier = Multiplier::from_bits(multiplier)?;
        let stock = self.vaults[usize::from(vault)].stock.as_mut().ok_or(MISSING)?;
        stock.state.acknowledge(multiplier);
        Ok(())
    }

    fn require_listed_stock(&self, by: u8, vault: u8) -> Outcome {
        self.exchange.as_ref().ok_or(MISSING)?;
        let vault = &self.vaults[usize::from(vault)];
        vault.ledgers()?;
        vault.stock.as_ref().ok_or(MISSING)?;
        self.require_admin(by)
    }

    fn set_opening_paused(&mut self, by: u8, paused: bool) -> Outcome {
        let exchange = self.exchange.as_mut().ok_or(MISSING)?;
        if by != exchange.admin && !(paused && by == exchange.guardian) {
            return Err(UNAUTHORIZED);
        }
        exchange.paused = paused;
        Ok(())
    }

    fn acknowledge_mint(&mut self, by: u8, vault: u8) -> Outcome {
        self.exchange.as_ref().ok_or(MISSING)?;
        self.vaults[usize::from(vault)].ledgers()?;
        self.require_admin(by)?;
        let vault = &mut self.vaults[usize::from(vault)];
        vault.mint_conditions()?;
        vault.mint.acknowledged = vault.mint.authority;
        Ok(())
    }

    fn collect_fees(&mut self, vault: u8, to: u8) -> Outcome {
        let recipient = self.exchange.as_ref().ok_or(MISSING)?.fee_recipient;
        let vault = &mut self.vaults[usize::from(vault)];
        vault.ledgers()?;
        if to != recipient {
            return Err(UNAUTHORIZED);
        }
        vault.require_mint_unchanged()?;
        let amount = vault.ledgers_mut()?.collect_fees()?;
        vault.send_out(to, amount.0)?;
        vault.check_tokens()
    }
}
