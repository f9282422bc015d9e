//! Changes of configurations, and the hand-over of the administrator's rights.

use bytemuck::bytes_of;
use perpetua::{GuardParameters, MarketParameters, StockParameters, VaultParameters};
use perpetua_model::{Change, Guards, MarketConfig, VaultConfig, require_due};

use super::{EXISTS, Exchange, MISSING, Mirror, Outcome, Refusal, UNAUTHORIZED, WRONG_ACCOUNT};
use crate::sequences::action::{ACTORS, Action, Target};

/// Any account's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameters {
    /// The exchange's guardian and fee recipient.
    Exchange(u8, u8),
    /// An index's.
    Index(GuardParameters),
    /// A vault's.
    Vault(VaultParameters),
    /// A market's.
    Market(MarketParameters),
    /// A stock's.
    Stock(StockParameters),
}

/// A change that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// When it was proposed, Unix seconds.
    pub proposed_at: i64,
    /// The configuration then.
    pub before: Parameters,
    /// The configuration to be.
    pub after: Parameters,
}

/// The configuration with the parameter that `knob` counts set to `value`, cut to its size.
pub fn with_knob(parameters: Parameters, knob: u8, value: u32) -> Parameters {
    let word = u16::try_from(value).unwrap_or(u16::MAX);
    let actor = u8::try_from(value % u32::from(ACTORS)).unwrap_or(0);
    match parameters {
        Parameters::Exchange(guardian, recipient) => {
            if knob.is_multiple_of(2) {
                Parameters::Exchange(actor, recipient)
            } else {
                Parameters::Exchange(guardian, actor)
            }
        }
        Parameters::Index(mut guards) => {
            set_guard(&mut guards, knob, value);
            Parameters::Index(guards)
        }
        Parameters::Vault(mut vault) => {
            match knob % 6 {
                0 => vault.max_utilisation_bps = word,
                1 => vault.main.wait = value,
                2 => vault.insurance.wait = value,
                3 => vault.main.exit_bps = word,
                4 => vault.main.receivable_bps = word,
                _ => vault.main.virtual_shares = value.into(),
            }
            Parameters::Vault(vault)
        }
        Parameters::Market(mut market) => {
            set_market(&mut market, knob, value);
            Parameters::Market(market)
        }
        Parameters::Stock(mut stock) => {
            match knob % 8 {
                0 => stock.multiplier_change_bps = word,
                1 => stock.value_band_bps = word,
                2 => stock.volatility_bps = word,
                3 => stock.closed_haircut_bps = word,
                rest => set_guard(&mut stock.guards, rest, value),
            }
            Parameters::Stock(stock)
        }
    }
}

fn set_guard(guards: &mut GuardParameters, knob: u8, value: u32) {
    let word = u16::try_from(value).unwrap_or(u16::MAX);
    match knob % 4 {
        0 => guards.max_age_trade = value,
        1 => guards.max_age_crank = value,
        2 => guards.max_confidence_bps = word,
        _ => guards.average_band_bps = word,
    }
}

fn set_market(market: &mut MarketParameters, knob: u8, value: u32) {
    let word = u16::try_from(value).unwrap_or(u16::MAX);
    match knob % 19 {
        0 | 17 => market.series_limit_bps = word,
        1 | 18 => market.side_limit_bps = word,
        2 => market.min_size = value.into(),
        3 => market.dust_size = value.into(),
        4 => market.max_gap = value,
        5 => market.margin_horizon = value,
        6 => market.liquidation_fee_cents = value,
        7 => market.penalty_bps = word,
        8 => market.carry_bps = word,
        9 => market.rent_bps = word,
        10 => market.spread_bps = word,
        11 => market.slew_bps = word,
        12 => market.fee_notional_bps = word,
        13 => market.reserve_extra_bps.call = word,
        14 => market.max_volatility_bps = word,
        15 => market.cap_bps.put = word,
        _ => market.period = value,
    }
}

impl Mirror {
    pub(super) fn govern(&mut self, action: &Action) -> Outcome {
        match *action {
            Action::ProposeChange { by, target, knob, value } => self.propose_change(by, target, knob, value),
            Action::ApplyChange { target } => self.apply_change(target),
            Action::CancelChange { by, target } => self.cancel_change(by, target),
            Action::Tighten { by, target, knob, value } => self.tighten(by, target, knob, value),
            Action::NameAdmin { by, next } => self.name_admin(by, next),
            Action::AcceptAdmin { by } => self.accept_admin(by),
            _ => unreachable!("not an action of governance"),
        }
    }

    /// A target's configuration.
    pub fn parameters(&self, target: Target) -> Outcome<Parameters> {
        let exchange = self.exchange.as_ref().ok_or(MISSING)?;
        Ok(match target {
            Target::Exchange => Parameters::Exchange(exchange.guardian, exchange.fee_recipient),
            Target::Index(index) => {
                Parameters::Index(self.indices[usize::from(index)].as_ref().ok_or(MISSING)?.parameters)
            }
            Target::Vault(vault) => {
                let vault = &self.vaults[usize::from(vault)];
                vault.ledgers()?;
                Parameters::Vault(vault.parameters)
            }
            Target::Market(vault, number) => {
                Parameters::Market(self.vaults[usize::from(vault)].market(number)?.parameters)
            }
            Target::Stock(vault) => {
                Parameters::Stock(self.vaults[usize::from(vault)].stock.as_ref().ok_or(MISSING)?.parameters)
            }
        })
    }

    /// The configuration of an account that an instruction is given without saying of which kind it is.
    fn named(&self, target: Target) -> Outcome<Parameters> {
        self.parameters(target).map_err(|refusal| if refusal == MISSING { WRONG_ACCOUNT } else { refusal })
    }

    /// How a change of a parameter may come about, if it is within the hard bounds.
    pub fn change(&self, target: Target, knob: u8, value: u32) -> Option<Change> {
        let before = self.parameters(target).ok()?;
        change(&before, &with_knob(before, knob, value)).ok()
    }

    fn require_may_tighten(&self, by: u8) -> Outcome {
        let exchange = self.exchange.as_ref().ok_or(MISSING)?;
        if by == exchange.admin || by == exchange.guardian { Ok(()) } else { Err(UNAUTHORIZED) }
    }

    fn propose_change(&mut self, by: u8, target: Target, knob: u8, value: u32) -> Outcome {
        self.exchange.as_ref().ok_or(MISSING)?;
        self.require_admin(by)?;
        let before = self.named(target)?;
        let after = with_knob(before, knob, value);
        change(&before, &after)?.require_possible()?;
        if self.proposals.contains_key(&target) {
            return Err(EXISTS);
        }
        self.proposals.insert(target, Proposal { proposed_at: self.now, before, after });
        Ok(())
    }

    fn apply_change(&mut self, target: Target) -> Outcome {
        let now = self.parameters(target)?;
        let proposal = *self.proposals.get(&target).ok_or(MISSING)?;
        require_due(proposal.proposed_at, self.now)?;
        if now != proposal.before {
            return Err(Refusal::Program("ChangeOutdated"));
        }
        self.write(target, proposal.after, false)?;
        self.proposals.remove(&target);
        Ok(())
    }

    fn cancel_change(&mut self, by: u8, target: Target) -> Outcome {
        self.exchange.as_ref().ok_or(MISSING)?;
        self.proposals.get(&target).ok_or(MISSING)?;
        self.require_may_tighten(by)?;
        self.proposals.remove(&target);
        Ok(())
    }

    fn tighten(&mut self, by: u8, target: Target, knob: u8, value: u32) -> Outcome {
        self.require_may_tighten(by)?;
        let before = self.named(target)?;
        let after = with_knob(before, knob, value);
        change(&before, &after)?.require_at_once()?;
        self.write(target, after, true)
    }

    /// Writes a configuration that was judged before.
    fn write(&mut self, target: Target, after: Parameters, at_once: bool) -> Outcome {
        let moment = self.moment();
        match (target, after) {
            (Target::Exchange, Parameters::Exchange(guardian, fee_recipient)) => {
                let exchange = self.exchange.as_mut().ok_or(MISSING)?;
                *exchange = Exchange { guardian, fee_recipient, ..exchange.clone() };
            }
            (Target::Index(index), Parameters::Index(parameters)) => {
                let index = self.indices[usize::from(index)].as_mut().ok_or(MISSING)?;
                (index.state.guards, index.parameters) = (parameters.into(), parameters);
            }
            (Target::Vault(vault), Parameters::Vault(parameters)) => {
                let vault = &mut self.vaults[usize::from(vault)];
                vault.ledgers_mut()?.config = parameters.into();
                vault.parameters = parameters;
            }
            (Target::Market(vault, number), Parameters::Market(parameters)) => {
                let market = &mut self.vaults[usize::from(vault)].markets[usize::from(number)];
                if at_once {
                    market.state.tighten(parameters.into())?;
                } else {
                    market.state.reconfigure(parameters.into(), moment)?;
                }
                market.parameters = parameters;
            }
            (Target::Stock(vault), Parameters::Stock(parameters)) => {
                let stock = self.vaults[usize::from(vault)].stock.as_mut().ok_or(MISSING)?;
                (stock.state.config, stock.parameters) = (parameters.config(8), parameters);
            }
            _ => unreachable!("a target has parameters of its own kind"),
        }
        Ok(())
    }

    fn name_admin(&mut self, by: u8, next: u8) -> Outcome {
        self.require_admin(by)?;
        if let Some(exchange) = &mut self.exchange {
            exchange.next_admin = Some(next);
        }
        Ok(())
    }

    fn accept_admin(&mut self, by: u8) -> Outcome {
        let exchange = self.exchange.as_mut().ok_or(MISSING)?;
        if exchange.next_admin.take_if(|next| *next == by).is_none() {
            return Err(UNAUTHORIZED);
        }
        exchange.admin = by;
        Ok(())
    }
}

/// How a change of a configuration may come about, once the new one is within the hard bounds.
fn change(before: &Parameters, after: &Parameters) -> Outcome<Change> {
    Ok(match (before, after) {
        (Parameters::Exchange(..), Parameters::Exchange(..)) => {
            if before == after {
                Change::None
            } else {
                Change::Waits
            }
        }
        (Parameters::Index(before), Parameters::Index(after)) => {
            let (before, after) = (Guards::from(*before), Guards::from(*after));
            after.validate()?;
            before.change_to(&after)
        }
        (Parameters::Vault(before), Parameters::Vault(after)) => {
            let (before, after) = (VaultConfig::from(*before), VaultConfig::from(*after));
            after.validate()?;
            before.change_to(&after)
        }
        (Parameters::Market(before), Parameters::Market(after)) => {
            let (before, after) = (MarketConfig::from(*before), MarketConfig::from(*after));
            after.validate()?;
            before.change_to(&after)
        }
        (Parameters::Stock(before), Parameters::Stock(after)) => {
            let (before, after) = (before.config(8), after.config(8));
            after.validate()?;
            before.change_to(&after)
        }
        _ => unreachable!("a target has parameters of its own kind"),
    })
}

impl Parameters {
    /// The bytes that a proposal keeps of it.
    pub fn body(&self, addresses: impl Fn(u8) -> [u8; 32]) -> Vec<u8> {
        match *self {
            Self::Exchange(guardian, recipient) => [addresses(guardian), addresses(recipient)].concat(),
            Self::Index(parameters) => bytes_of(&Guards::from(parameters)).to_vec(),
            Self::Vault(parameters) => bytes_of(&VaultConfig::from(parameters)).to_vec(),
            Self::Market(parameters) => bytes_of(&MarketConfig::from(parameters)).to_vec(),
            Self::Stock(parameters) => bytes_of(&parameters.config(8)).to_vec(),
        }
    }
}
