//! The exchange on the compiled program: sends each action's instruction and compares every account with the mirror.

mod compare;
mod instruction;

use anchor_lang::solana_program::instruction::error::InstructionError;
use perpetua_client::{
    address, error,
    instruction::{MarketKeys, VaultKeys},
    price::PriceAccount,
};
use solana_instruction::Instruction;
use solana_message::Message;
use solana_pubkey::Pubkey;
use solana_transaction::Transaction;
use solana_transaction_error::TransactionError;

use super::{
    action::{ACTORS, ADMIN, Action, FEEDS, Holder, INDICES, POSTED, SHARE, SUBS, Target, VAULTS},
    mirror::{Mirror, START_SLOT, WEALTH, kind, price_account},
};
use crate::{
    Chain, actor,
    chain::{START, compute_budget},
    price::{self, SHARE_FEED, TOKEN_FEED},
    stock, token,
};

/// What a transaction may compute.
const BUDGET: u32 = 1_400_000;

/// The feed's name, which Pyth gave it.
pub(crate) fn feed_id(feed: u8) -> [u8; 32] {
    match feed {
        SHARE => SHARE_FEED,
        // The third of the tests' feeds is the share's.
        2 => price::FEEDS[3],
        index if index < INDICES => price::FEEDS[usize::from(index)],
        _ => TOKEN_FEED,
    }
}

/// The addresses of a vault's accounts, which take long to derive.
#[derive(Clone)]
struct Addresses {
    keys: VaultKeys,
    tokens: Pubkey,
    shares: [Pubkey; 2],
    stock: Pubkey,
    /// By index, quanto and dollar.
    markets: [[MarketKeys; 2]; INDICES as usize],
    accounts: [[Pubkey; SUBS as usize]; ACTORS as usize],
    /// Stock tokens, then shares of both pools.
    wallets: [[Pubkey; 3]; ACTORS as usize],
}

/// The exchange on a chain.
#[derive(Clone)]
pub struct Elf {
    chain: Chain,
    actors: [Pubkey; ACTORS as usize],
    indices: [Pubkey; INDICES as usize],
    posted: [[Pubkey; POSTED as usize]; FEEDS as usize],
    vaults: [Addresses; VAULTS as usize],
}

impl Addresses {
    fn new(keys: VaultKeys, actors: &[Pubkey], indices: &[Pubkey; INDICES as usize]) -> Self {
        let shares = [false, true].map(|insurance| keys.share_mint(kind(insurance)));
        let of = |who: &Pubkey| {
            let [main, insurance] = shares.map(|mint| token::associated(who, &mint, &token::SPL_TOKEN));
            [token::associated(who, &keys.stock_mint, &keys.token_program), main, insurance]
        };
        Self {
            keys,
            tokens: keys.tokens(),
            shares,
            stock: keys.stock(),
            markets: indices.map(|index| [keys.market(index), keys.dollar_market(index)]),
            accounts: std::array::from_fn(|who| {
                std::array::from_fn(|sub| keys.margin_account(&actors[who], u16::try_from(sub).unwrap_or(0)))
            }),
            wallets: std::array::from_fn(|who| of(&actors[who])),
        }
    }
}

impl Elf {
    /// Nothing but people with tokens.
    pub fn new() -> Self {
        let actors: [Pubkey; ACTORS as usize] = std::array::from_fn(|who| actor(&format!("actor {who}")));
        let mut chain = Chain::new(&actors[usize::from(ADMIN)]);
        let mints = [actor("TSLAx mint"), actor("SPL mint")];
        token::create_xstock(&mut chain, &mints[0]);
        token::create_spl(&mut chain, &mints[1]);
        let programs = [token::TOKEN_2022, token::SPL_TOKEN];
        let indices = std::array::from_fn(|index| address::index(&feed_id(u8::try_from(index).unwrap_or(0))));
        for who in &actors {
            chain.fund(who);
            for (mint, program) in mints.iter().zip(&programs) {
                token::issue(&mut chain, who, mint, program, WEALTH);
            }
        }
        let vaults = [0, 1].map(|vault| {
            let keys = VaultKeys::new(mints[vault], programs[vault]);
            Addresses::new(keys, &actors, &indices)
        });
        let posted = std::array::from_fn(|feed| std::array::from_fn(|at| actor(&format!("price {feed} {at}"))));
        chain.set_clock(START, START_SLOT);
        Self { chain, actors, indices, posted, vaults }
    }

    /// Sends the instruction that an action stands for, or lets the world do what it does, as the mirror predicts: success,
    /// or the name of a refusal.
    ///
    /// Errors: what differs, in words.
    pub fn step(
        &mut self,
        action: &Action,
        instruction: Option<Instruction>,
        predicted: Option<&str>,
    ) -> Result<(), Mismatch> {
        let Some(instruction) = instruction else {
            if predicted.is_none() {
                self.let_happen(action);
            }
            return Ok(());
        };
        let happened = self.send(instruction).err();
        if happened.as_deref() != predicted {
            let say = |outcome: Option<&str>| outcome.map_or_else(|| "success".to_owned(), str::to_owned);
            let (model, program) = (say(predicted), say(happened.as_deref()));
            return Err(Mismatch::Outcome { model, program });
        }
        if happened.is_none() {
            self.open_share_accounts(action);
        }
        Ok(())
    }

    /// Sends an instruction and returns the name of the error if it is refused.
    fn send(&mut self, instruction: Instruction) -> Result<(), String> {
        let message = Message::new(&[compute_budget(BUDGET), instruction], Some(&self.chain.payer));
        match self.chain.svm.send_transaction(Transaction::new_unsigned(message)) {
            Ok(_) => Ok(()),
            Err(failed) => Err(name_of(&failed.err)),
        }
    }

    /// Everybody opens token accounts for the shares of a new vault's pools.
    fn open_share_accounts(&mut self, action: &Action) {
        let Action::CreateVault { vault, .. } = *action else { return };
        for mint in self.vaults[usize::from(vault)].shares {
            for who in self.actors {
                token::open(&mut self.chain, &who, &mint, &token::SPL_TOKEN);
            }
        }
    }

    fn account_of(&self, vault: u8, holder: Holder) -> Pubkey {
        self.vaults[usize::from(vault)].accounts[usize::from(holder.owner)][usize::from(holder.sub)]
    }

    /// A market's addresses; those of one that does not exist where the vault has none of that number.
    fn market(&self, mirror: &Mirror, vault: u8, number: u8) -> MarketKeys {
        let markets = &mirror.vaults[usize::from(vault)].markets;
        let nowhere = MarketKeys { index: self.indices[0], market: actor("no market"), stock: None };
        markets.get(usize::from(number)).map_or(nowhere, |market| {
            let dollar = market.parameters.settlement == perpetua::Settlement::Dollar;
            self.vaults[usize::from(vault)].markets[usize::from(market.index)][usize::from(dollar)]
        })
    }

    /// The markets that bits of `given` name.
    fn given(&self, mirror: &Mirror, vault: u8, given: u8) -> Vec<MarketKeys> {
        let bits = (0..8).filter(|number| given >> number & 1 == 1);
        bits.map(|number| self.market(mirror, vault, number)).collect()
    }

    fn let_happen(&mut self, action: &Action) {
        let (now, slot) = (self.chain.now(), self.chain.slot());
        match *action {
            Action::Wait { seconds, slots } => {
                self.chain.set_clock(now + i64::from(seconds), slot + u64::from(slots));
            }
            Action::Post { feed, at, update } => {
                let address = self.posted[usize::from(feed)][usize::from(at)];
                let price = PriceAccount { feed_id: feed_id(feed), ..price_account(update, now, slot) };
                price::post(&mut self.chain, &address, &price);
            }
            Action::Donate { by, vault, amount } => {
                let vault = &self.vaults[usize::from(vault)];
                token::seize(&mut self.chain, &vault.wallets[usize::from(by)][0], amount);
                token::give_back(&mut self.chain, &vault.tokens, amount);
            }
            Action::SetMultiplier { vault, current, next, starts } => {
                let mint = self.vaults[usize::from(vault)].keys.stock_mint;
                let [current, next] = [current, next].map(f64::from_bits);
                stock::set_multiplier(&mut self.chain, &mint, current, next, now + starts);
            }
            Action::PauseMint { vault, paused } => {
                token::pause(&mut self.chain, &self.vaults[usize::from(vault)].keys.stock_mint, paused);
            }
            Action::FreezeTokens { vault, frozen } => {
                token::freeze(&mut self.chain, &self.vaults[usize::from(vault)].tokens, frozen);
            }
            Action::ChangeMint { vault, authority, hook } => self.change_mint(vault, authority, hook),
            Action::Seize { vault, amount } => {
                token::seize(&mut self.chain, &self.vaults[usize::from(vault)].tokens, amount);
            }
            Action::GiveBack { vault, amount } => {
                token::give_back(&mut self.chain, &self.vaults[usize::from(vault)].tokens, amount);
            }
            Action::SendShares { by, to, vault, insurance, amount } => {
                let place = 1 + usize::from(insurance);
                let [from, to] = [by, to].map(|who| self.vaults[usize::from(vault)].wallets[usize::from(who)][place]);
                token::seize(&mut self.chain, &from, amount);
                token::give_back(&mut self.chain, &to, amount);
            }
            _ => unreachable!("not what the world does"),
        }
    }

    fn change_mint(&mut self, vault: u8, authority: u8, hook: bool) {
        let mint = self.vaults[usize::from(vault)].keys.stock_mint;
        let issuer = if authority == 0 { token::issuer() } else { actor(&format!("issuer {authority}")) };
        // Behind the tag of an optional address.
        self.chain.edit(&mint, |data| data[4..36].copy_from_slice(issuer.as_ref()));
        let program = if hook { actor("hook") } else { Pubkey::default() };
        token::edit_extension(&mut self.chain, &mint, token::extension::TRANSFER_HOOK, |value| {
            value[32..64].copy_from_slice(program.as_ref());
        });
    }

    fn target(&self, mirror: &Mirror, target: Target) -> Pubkey {
        match target {
            Target::Exchange => address::exchange(),
            Target::Index(index) => self.indices[usize::from(index)],
            Target::Vault(vault) => self.vaults[usize::from(vault)].keys.vault,
            Target::Market(vault, number) => self.market(mirror, vault, number).market,
            Target::Stock(vault) => self.vaults[usize::from(vault)].stock,
        }
    }
}

/// The error's name, without the place of the instruction in the transaction.
fn name_of(error: &TransactionError) -> String {
    match error {
        TransactionError::InstructionError(_, InstructionError::Custom(_)) => error::explain(error).name,
        TransactionError::InstructionError(_, error) => format!("{error:?}"),
        other => format!("{other:?}"),
    }
}

impl Default for Elf {
    fn default() -> Self {
        Self::new()
    }
}

/// How the program did something else than the model predicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// It refused or accepted otherwise.
    Outcome {
        /// What the model predicts.
        model: String,
        /// What the program did.
        program: String,
    },
    /// An account holds something else.
    State(String),
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Outcome { model, program } => write!(f, "the model predicts {model}, the program says {program}"),
            Self::State(what) => write!(f, "the program holds something else than the model: {what}"),
        }
    }
}
