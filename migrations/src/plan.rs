//! Reads what exists and says what is missing or differs. Everything that would stop the work half way is found here,
//! before anything is spent.

mod change;
mod check;
mod stock;

use anchor_lang::{
    prelude::{Pubkey, Rent},
    solana_program::instruction::Instruction,
};
use anyhow::{Context, Result, bail, ensure};
use perpetua_client::{
    account::Stored,
    address,
    instruction::{self, VaultKeys},
    model::MARKETS,
    perpetua::{Settlement, state},
    price::PriceAccounts,
    rpc::Client,
};

use change::Wanted;

use crate::{
    cluster::Cluster,
    compare,
    declaration::{Declaration, IndexDeclaration, MarketDeclaration, VaultDeclaration},
};

/// Bytes that tell the kinds of the program's accounts apart.
const DISCRIMINATOR: usize = 8;
/// Bytes of a share mint.
const MINT_BYTES: usize = 82;
/// Bytes of a vault's token account with the extensions of an xStock, about.
const TOKENS_BYTES: usize = 200;

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The cluster.
    pub cluster: Cluster,
    /// Every declared account and calendar, in the order of creation.
    pub steps: Vec<Step>,
}

/// What is to be done with an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing: it is as declared.
    Keep,
    /// It is missing.
    Create,
    /// What differs only tightens limits and guards: changed at once.
    Tighten,
    /// What differs must wait: proposed, in place of another proposal if there is one.
    Propose,
    /// It was proposed, and can be applied from this moment, Unix seconds.
    Wait(i64),
    /// It was proposed long enough ago.
    Apply,
}

/// A declared account, or what a stock's calendar is to hold.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it is, such as `index BTC/USD`; no two steps have the same.
    pub what: String,
    /// Where it is.
    pub address: Pubkey,
    /// What is to be done.
    pub action: Action,
    /// What does it, in one transaction; nothing where nothing can be done now.
    pub instructions: Vec<Instruction>,
    /// Lamports of rent that it takes, about.
    pub rent: u64,
    /// What of it is missing or differs, where it is not all or nothing.
    pub details: Vec<String>,
}

impl Plan {
    /// What can be done now, in order.
    pub fn due(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| !step.instructions.is_empty())
    }

    /// Changes that wait, and until when.
    pub fn waiting(&self) -> impl Iterator<Item = (&Step, i64)> {
        self.steps.iter().filter_map(|step| match step.action {
            Action::Wait(until) => Some((step, until)),
            _ => None,
        })
    }

    /// Lamports that what can be done now takes, about.
    pub fn rent(&self) -> u64 {
        self.due().map(|step| step.rent).sum()
    }

    /// Compares a cluster with a declaration that `wallet` is to carry out. `prices` are for the cranks in front of changes
    /// of markets.
    ///
    /// Errors: the network fails; the cluster is another than the declaration's; accounts differ from it in what never
    /// changes; a mint is not there or not accepted; `wallet` may not do what is to be done.
    pub fn make(client: &Client, prices: &PriceAccounts, declaration: &Declaration, wallet: &Pubkey) -> Result<Self> {
        let cluster = Cluster::find(client)?;
        ensure!(
            cluster == declaration.cluster,
            "this is {cluster}, but the declaration is for {}; choose another --url or --config",
            declaration.cluster
        );
        let (steps, differences) = (Vec::new(), Vec::new());
        let mut planner = Planner { client, prices, declaration, wallet, steps, differences };
        let admin = planner.exchange()?;
        for index in &declaration.indices {
            planner.index(index)?;
        }
        for vault in &declaration.vaults {
            planner.vault(vault)?;
        }
        let Planner { steps, differences, .. } = planner;
        if !differences.is_empty() {
            bail!(
                "the cluster differs from the declaration in what never changes once it is listed:\n  {}\n\
                 Nothing was sent; correct the declaration to what exists",
                differences.join("\n  ")
            );
        }
        let plan = Self { cluster, steps };
        if plan.due().next().is_some() {
            check::may_create(client, wallet, admin.as_ref())?;
        }
        Ok(plan)
    }
}

struct Planner<'a> {
    client: &'a Client,
    prices: &'a PriceAccounts,
    declaration: &'a Declaration,
    wallet: &'a Pubkey,
    steps: Vec<Step>,
    differences: Vec<String>,
}

impl Planner<'_> {
    /// The program's account, if it exists.
    fn read<T: Stored>(&self, what: &str, address: &Pubkey) -> Result<Option<Box<T>>> {
        let found = self.client.find(address).with_context(|| what.to_owned())?;
        Ok(found.map(|keyed| Box::new(keyed.account)))
    }

    /// An account that is missing, of so many bytes.
    fn create(&mut self, what: String, address: Pubkey, bytes: &[usize], instruction: Instruction) {
        let rent = bytes.iter().map(|bytes| Rent::default().minimum_balance(*bytes)).sum();
        let (action, instructions) = (Action::Create, vec![instruction]);
        self.steps.push(Step { what, address, action, instructions, rent, details: Vec::new() });
    }

    fn note(&mut self, what: &str, address: &Pubkey, lines: Vec<String>) {
        self.differences.extend(lines.into_iter().map(|line| format!("{what} ({address}): {line}")));
    }

    /// Returns the administrator, if the exchange exists.
    fn exchange(&mut self) -> Result<Option<Pubkey>> {
        let (what, address) = ("exchange", address::exchange());
        let guardian = self.declaration.exchange.guardian.resolve(self.wallet);
        let fee_recipient = self.declaration.exchange.fee_recipient.resolve(self.wallet);
        match self.read::<state::Exchange>(what, &address)? {
            Some(found) => {
                let lines = compare::exchange(&guardian, &fee_recipient, &found);
                self.change(what.to_owned(), lines, Wanted::exchange(guardian, fee_recipient, &found))?;
                Ok(Some(found.admin))
            }
            None => {
                let create = instruction::initialize_exchange(self.wallet, &guardian, &fee_recipient);
                self.create(what.to_owned(), address, &[DISCRIMINATOR + size_of::<state::Exchange>()], create);
                Ok(None)
            }
        }
    }

    fn index(&mut self, index: &IndexDeclaration) -> Result<()> {
        let (what, address) = (format!("index {}", index.name), address::index(&index.feed_id));
        match self.read::<state::Index>(&what, &address)? {
            Some(found) => {
                self.note(&what, &address, compare::declared_variance(index, &found));
                self.change(what, compare::guards(index, &found), Wanted::index(address, index, &found))
            }
            None => {
                let IndexDeclaration { feed_id, guards, declared_variance, .. } = *index;
                let create = instruction::create_index(self.wallet, feed_id, guards, declared_variance);
                self.create(what, address, &[DISCRIMINATOR + size_of::<state::Index>()], create);
                Ok(())
            }
        }
    }

    fn vault(&mut self, vault: &VaultDeclaration) -> Result<()> {
        let (what, address) = (format!("vault {}", vault.name), address::vault(&vault.stock_mint));
        let (keys, listed) = match self.read::<state::Vault>(&what, &address)? {
            Some(found) => {
                let wanted = Wanted::vault(address, vault, &found);
                self.change(what.clone(), compare::vault(vault, &found), wanted)?;
                (VaultKeys::new(vault.stock_mint, found.token_program), found.market_count)
            }
            None => {
                let token_program = check::stock_mint(self.client, vault)?;
                let keys = VaultKeys::new(vault.stock_mint, token_program);
                let bytes = [DISCRIMINATOR + size_of::<state::Vault>(), TOKENS_BYTES, MINT_BYTES, MINT_BYTES];
                let create = instruction::create_vault(self.wallet, &keys, vault.parameters);
                self.create(what.clone(), address, &bytes, create);
                (keys, 0)
            }
        };
        if let Some(stock) = &vault.stock {
            self.stock(vault, stock, &keys)?;
        }
        let mut total = usize::from(listed);
        for market in &vault.markets {
            total += usize::from(self.market(vault, &keys, market)?);
        }
        ensure!(
            total <= MARKETS,
            "{what} ({address}) holds {listed} markets already, and with those declared it would be {total}; \
             a vault holds {MARKETS}: declare fewer"
        );
        Ok(())
    }

    /// Returns whether the market is missing.
    fn market(&mut self, vault: &VaultDeclaration, keys: &VaultKeys, market: &MarketDeclaration) -> Result<bool> {
        let what = format!("{} on {}", market.name(), vault.name);
        let index = address::index(&self.declaration.index(&market.index)?.feed_id);
        let keys_of_market = match market.parameters.settlement {
            Settlement::Quanto => keys.market(index),
            Settlement::Dollar => keys.dollar_market(index),
        };
        let address = keys_of_market.market;
        match self.read::<state::Market>(&what, &address)? {
            Some(found) => {
                let wanted = Wanted::market(&keys_of_market, market, &found);
                self.change(what, compare::market(market, &found), wanted)?;
                Ok(false)
            }
            None => {
                let create = instruction::create_market(self.wallet, keys, &keys_of_market, market.parameters);
                self.create(what, address, &[DISCRIMINATOR + size_of::<state::Market>()], create);
                Ok(true)
            }
        }
    }
}
