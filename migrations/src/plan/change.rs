//! How an account that exists comes to what is declared of it: at once where that only tightens, after a proposal and two
//! days where it does not.

use anchor_lang::{
    prelude::{Pubkey, Rent},
    solana_program::instruction::Instruction,
};
use anyhow::Result;
use bytemuck::{NoUninit, bytes_of};
use perpetua_client::{
    instruction::{self, Changed, MarketKeys},
    model::{CHANGE_DELAY, CHANGE_LIFETIME, Change, Guards, MarketConfig, VaultConfig},
    perpetua::{NewParameters, state},
};

use super::{Action, DISCRIMINATOR, Planner, Step};
use crate::declaration::{IndexDeclaration, MarketDeclaration, StockDeclaration, VaultDeclaration};

/// What an account is to become, as the program judges it.
pub struct Wanted {
    changed: Changed,
    new: NewParameters,
    /// The configuration's bytes now.
    before: Vec<u8>,
    /// Its bytes as declared.
    after: Vec<u8>,
    change: Change,
    /// The vault and number of the market that must be cranked in front, in the same transaction, for the change to be
    /// applied.
    crank: Option<(Pubkey, u8)>,
}

impl Wanted {
    fn new<T: NoUninit>(changed: Changed, new: NewParameters, before: &T, after: &T, change: Change) -> Self {
        let (before, after) = (bytes_of(before).to_vec(), bytes_of(after).to_vec());
        Self { changed, new, before, after, change, crank: None }
    }

    /// The exchange.
    pub fn exchange(guardian: Pubkey, fee_recipient: Pubkey, found: &state::Exchange) -> Self {
        let before = [found.guardian.to_bytes(), found.fee_recipient.to_bytes()];
        let after = [guardian.to_bytes(), fee_recipient.to_bytes()];
        let change = if before == after { Change::None } else { Change::Waits };
        Self::new(Changed::Exchange, NewParameters::Exchange { guardian, fee_recipient }, &before, &after, change)
    }

    /// An index.
    pub fn index(address: Pubkey, declared: &IndexDeclaration, found: &state::Index) -> Self {
        let (before, after) = (found.state.guards, Guards::from(declared.guards));
        let new = NewParameters::Index(declared.guards);
        Self::new(Changed::Index(address), new, &before, &after, before.change_to(&after))
    }

    /// A vault.
    pub fn vault(address: Pubkey, declared: &VaultDeclaration, found: &state::Vault) -> Self {
        let (before, after) = (found.state.config, VaultConfig::from(declared.parameters));
        let new = NewParameters::Vault(declared.parameters);
        Self::new(Changed::Vault(address), new, &before, &after, before.change_to(&after))
    }

    /// A stock, whose feeds stay the same for ever.
    pub fn stock(address: Pubkey, declared: &StockDeclaration, found: &state::Stock) -> Self {
        let parameters = declared.parameters;
        let (before, after) = (found.state.config, parameters.config(found.state.config.decimals));
        let same =
            parameters.share_feed == found.share_feed && parameters.token_feed.unwrap_or_default() == found.token_feed;
        let change = if same { before.change_to(&after) } else { Change::Never };
        Self::new(Changed::Stock(address), NewParameters::Stock(parameters), &before, &after, change)
    }

    /// A market. Its change is applied after a crank, so that the time before is charged as it was.
    pub fn market(keys: &MarketKeys, declared: &MarketDeclaration, found: &state::Market) -> Self {
        let (before, after) = (found.state.config, MarketConfig::from(declared.parameters));
        let new = NewParameters::Market(declared.parameters);
        let crank = Some((found.vault, found.number));
        Self { crank, ..Self::new(Changed::Market(keys.market), new, &before, &after, before.change_to(&after)) }
    }

    /// Whether a proposal is for just this change of just what is there.
    fn is_proposed_by(&self, proposal: &state::Proposal) -> bool {
        let is = |body: &[u8; 128], config: &[u8]| {
            body.strip_prefix(config).is_some_and(|rest| rest.iter().all(|byte| *byte == 0))
        };
        is(&proposal.before, &self.before) && is(&proposal.after, &self.after)
    }
}

impl Planner<'_> {
    /// Plans what brings an account to its declaration; `lines` say what differs.
    pub(super) fn change(&mut self, what: String, lines: Vec<String>, wanted: Wanted) -> Result<()> {
        let address = wanted.changed.address();
        let (action, instructions) = match wanted.change {
            Change::None => (Action::Keep, Vec::new()),
            Change::Never => {
                self.note(&what, &address, lines);
                return Ok(());
            }
            Change::AtOnce => (Action::Tighten, vec![instruction::tighten(self.wallet, &wanted.changed, wanted.new)]),
            Change::Waits => self.propose(&what, &wanted)?,
        };
        let bytes = DISCRIMINATOR + size_of::<state::Proposal>();
        let rent = if action == Action::Propose { Rent::default().minimum_balance(bytes) } else { 0 };
        self.steps.push(Step { what, address, action, instructions, rent, details: lines });
        Ok(())
    }

    /// The next step of a change that must wait: propose it, wait, apply it.
    fn propose(&mut self, what: &str, wanted: &Wanted) -> Result<(Action, Vec<Instruction>)> {
        let Wanted { changed, new, crank, .. } = wanted;
        let propose = instruction::propose_change(self.wallet, changed, *new);
        let found = self.read::<state::Proposal>(&format!("the proposal for {what}"), &changed.proposal())?;
        let Some(proposal) = found else { return Ok((Action::Propose, vec![propose])) };
        let due = proposal.proposed_at.saturating_add(CHANGE_DELAY);
        let now = self.now()?;
        if !wanted.is_proposed_by(&proposal) || now > due.saturating_add(CHANGE_LIFETIME) {
            // Another change, or one that came too late or is outdated: there is one proposal at a time.
            let cancel = instruction::cancel_change(self.wallet, self.wallet, changed);
            return Ok((Action::Propose, vec![cancel, propose]));
        }
        if now < due {
            return Ok((Action::Wait(due), Vec::new()));
        }
        let mut instructions = Vec::new();
        if let Some((vault, number)) = crank {
            instructions = self.client.book(vault, self.prices)?.cranks(&[*number])?;
        }
        instructions.push(instruction::apply_change(self.wallet, changed));
        Ok((Action::Apply, instructions))
    }
}
