//! Who trades, with little more margin than they must have, and who provides liquidity.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use perpetua_client::{
    address,
    book::Book,
    instruction::{self, Series},
    model::{PoolKind, Shares, Size, Tokens, pricing::Usd},
    perpetua::{Pool, Side, state::MarginAccount},
    price::PriceAccounts,
    rpc::{AsyncClient, ClientError, SendOptions},
    snapshot::Keyed,
    token::{associated, create_associated},
};
use perpetua_localnet::Localnet;
use perpetua_tests::sequences::random::Random;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio::task::JoinSet;

/// Lamports and raw units of each stock token that a trader gets.
const PURSE: (u64, u64) = (10_000_000_000, 1_000 * ONE);
/// A token's raw units.
const ONE: u64 = 100_000_000;
/// Raw units that are posted before a position is opened; what is not needed is taken back.
const POSTED: u64 = 20 * ONE;
/// Raw units that the pools begin with, main and insurance.
const POOLS: [(Pool, u64); 2] = [(Pool::Main, 8_000 * ONE), (Pool::Insurance, 1_000 * ONE)];
/// Most positions that a trader opens.
const POSITIONS: usize = 4;
/// Transactions under way at once.
const AT_ONCE: usize = 16;

/// A trader.
pub struct Trader {
    key: Keypair,
    /// Which vault.
    vault: Pubkey,
    /// The margin account.
    account: Pubkey,
    mint: Pubkey,
}

/// Everybody, and what they need to trade.
pub struct People {
    traders: Vec<Arc<Trader>>,
    reader: Reader,
    lp: Keypair,
    random: Random,
    /// How often each kind of trade was carried out, or why it was not.
    pub told: BTreeMap<String, u64>,
}

fn options() -> SendOptions {
    SendOptions { poll: Duration::from_millis(40), patience: Duration::from_secs(20), ..SendOptions::default() }
}

/// 32 bytes from a seed.
pub fn secret(random: &mut Random) -> [u8; 32] {
    let mut secret = [0; 32];
    for part in secret.chunks_mut(8) {
        part.copy_from_slice(&random.number().to_le_bytes());
    }
    secret
}

impl People {
    /// Traders in the vaults in turn, none of which has an account yet.
    pub fn new(localnet: &Localnet, books: &[Book], count: usize, seed: u64) -> Result<Self> {
        let mut random = Random::new(seed);
        let stocks = perpetua_localnet::mint::STOCKS.iter().cycle();
        let traders = stocks.take(count).map(|stock| {
            let (key, mint, vault) =
                (Keypair::new_from_array(secret(&mut random)), stock.mint, address::vault(&stock.mint));
            let account = address::margin_account(&vault, &key.pubkey(), 0);
            Arc::new(Trader { key, vault, account, mint })
        });
        let traders = traders.collect();
        let reader = Reader { client: AsyncClient::new(localnet.rpc()), books: books.into() };
        let lp = localnet.wallets().get("lp")?.insecure_clone();
        Ok(Self { traders, reader, lp, random, told: BTreeMap::new() })
    }

    /// How many trade.
    pub fn count(&self) -> usize {
        self.traders.len()
    }

    /// Fills the pools of a vault.
    ///
    /// Errors: the network refuses it.
    pub async fn provide(&self, vault: &Pubkey) -> Result<()> {
        let lp = self.lp.pubkey();
        for (pool, amount) in POOLS {
            let shares = address::share_mint(vault, pool.into());
            let create = create_associated(&lp, &lp, &shares, &SPL_TOKEN);
            let of_tokens = SendOptions { compute_limit: Some(100_000), ..options() };
            self.reader.client.send(&[create], &lp, &[&self.lp], &of_tokens).await.context("an account for shares")?;
            let book = self.reader.book(vault).await?;
            let source = associated(&lp, &book.keys.stock_mint, &book.keys.token_program);
            let to = self.shares(vault, pool);
            let instructions = book.join(&lp, pool, &source, &to, Tokens(amount), Shares(0))?;
            let sent = self.reader.client.send(&instructions, &lp, &[&self.lp], &options()).await;
            sent.with_context(|| format!("nobody could join a pool of {vault}"))?;
        }
        Ok(())
    }

    fn shares(&self, vault: &Pubkey, pool: Pool) -> Pubkey {
        associated(&self.lp.pubkey(), &address::share_mint(vault, pool.into()), &SPL_TOKEN)
    }

    /// Asks to take a small part out of a main pool.
    ///
    /// Errors: the network refuses it.
    pub async fn ask_to_leave(&self, vault: &Pubkey) -> Result<()> {
        let book = self.reader.book(vault).await?;
        let part = Shares(book.vault.state.pool(PoolKind::Main).shares.0 / 500);
        let request = book.request(&self.lp.pubkey(), Pool::Main, &self.shares(vault, Pool::Main), part);
        self.reader.client.send(&[request], &self.lp.pubkey(), &[&self.lp], &options()).await?;
        Ok(())
    }

    /// Gives to all traders, and opens their accounts and first positions.
    ///
    /// Errors: the network refuses something but a trade.
    pub async fn settle_in(&mut self, localnet: &Arc<Localnet>) -> Result<()> {
        let traders = self.traders.clone();
        self.all(&traders, |people, trader, random| {
            let localnet = Arc::clone(localnet);
            async move {
                localnet.fund(&trader.key.pubkey(), PURSE.0, PURSE.1).await?;
                let book = people.book(&trader.vault).await?;
                let owner = trader.key.pubkey();
                let open = instruction::open_account(&owner, &owner, &book.keys, 0);
                people.client.send(&[open], &owner, &[&trader.key], &options()).await?;
                people.open(&trader, random).await
            }
        })
        .await
    }

    /// Lets some traders trade: who has positions closes one or opens another, who has none opens one.
    ///
    /// Errors: the network refuses something but a trade.
    pub async fn trade(&mut self, count: usize) -> Result<()> {
        let traders = self.traders.clone();
        let chosen: Vec<_> = (0..count).filter_map(|_| self.random.pick(&traders)).collect();
        self.all(&chosen, |people, trader, random| async move { people.act(&trader, random).await }).await
    }

    /// Lets each of these do something, several at once, and notes what became of it.
    async fn all<F>(&mut self, traders: &[Arc<Trader>], act: impl Fn(Reader, Arc<Trader>, Random) -> F) -> Result<()>
    where
        F: Future<Output = Result<String>> + Send + 'static,
    {
        let mut left = traders.iter();
        let mut running = JoinSet::new();
        loop {
            while running.len() < AT_ONCE {
                let Some(trader) = left.next() else { break };
                running.spawn(act(self.reader.clone(), Arc::clone(trader), Random::new(self.random.number())));
            }
            let Some(done) = running.join_next().await else { return Ok(()) };
            *self.told.entry(done??).or_default() += 1;
        }
    }
}

/// SPL Token, which pool shares are of.
const SPL_TOKEN: Pubkey = Pubkey::from_str_const("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");

/// A way to the network, for all who trade.
#[derive(Clone)]
struct Reader {
    client: AsyncClient,
    /// The vaults as they once were, which says what to read.
    books: Arc<[Book]>,
}

/// Whether a trade was refused, which is in order: a closed exchange, a limit, a price that moved.
fn refused(what: &str, error: ClientError) -> Result<String> {
    match &error {
        ClientError::Model(reason) => Ok(format!("{what}: {reason:?}")),
        ClientError::Refused(failure) | ClientError::Failed { failure, .. } => {
            Ok(format!("{what}: {}", failure.explanation.name))
        }
        _ => Err(error.into()),
    }
}

impl Reader {
    /// A vault with its markets and prices.
    async fn book(&self, vault: &Pubkey) -> Result<Book> {
        let known = self.books.iter().find(|book| book.keys.vault == *vault).context("a vault")?;
        Ok(self.client.refresh(known, &PriceAccounts::default()).await?)
    }

    async fn act(&self, trader: &Trader, mut random: Random) -> Result<String> {
        let found = self.client.margin_account(&trader.account).await?;
        let positions: Vec<_> = found.account.state.open_positions().map(|(_, position)| *position).collect();
        if positions.len() >= POSITIONS || !positions.is_empty() && random.chance(40) {
            let Some(position) = random.pick(&positions) else { return self.open(trader, random).await };
            let key = position.key();
            let side = if position.side == 0 { Side::Call } else { Side::Put };
            let size = if random.chance(50) { position.size } else { Size((position.size.0 / 2).max(1)) };
            return self.close(trader, &found, key.market, Series { side, tick: key.tick }, size).await;
        }
        self.open(trader, random).await
    }

    async fn close(
        &self,
        trader: &Trader,
        found: &Keyed<MarginAccount>,
        market: u8,
        series: Series,
        size: Size,
    ) -> Result<String> {
        let book = self.book(&trader.vault).await?;
        let instructions = book.close(found, market, series, size, Tokens(0))?;
        match self.send(trader, &instructions).await {
            Ok(()) => Ok("closed".into()),
            Err(error) => refused("close", error),
        }
    }

    /// Opens a random option and takes back what the account need not keep, but for a random part.
    async fn open(&self, trader: &Trader, mut random: Random) -> Result<String> {
        let book = self.book(&trader.vault).await?;
        let source = associated(&trader.key.pubkey(), &trader.mint, &book.keys.token_program);
        let deposit = instruction::deposit(&trader.key.pubkey(), &book.keys, &trader.account, &source, POSTED);
        if let Err(error) = self.send(trader, &[deposit]).await {
            return refused("deposit", error);
        }
        let number = random.small(book.vault.market_count);
        let series = choose(&book, number, &mut random)?;
        let coin = Usd::from(book.market(number)?.index.state.feed.price);
        let dear = coin > Usd::from_decimal(10_000, 0).context("a price")?;
        let size = if dear { random.between(10_000, 75_000) } else { random.between(200_000, 1_500_000) };
        let size = Size(size.unsigned_abs());
        let found = self.client.margin_account(&trader.account).await?;
        let opened = match book.open(&found, number, series, size, found.account.state.collateral) {
            Ok(instructions) => self.send(trader, &instructions).await,
            Err(error) => Err(error.into()),
        };
        let told = match opened {
            Ok(()) => "opened".into(),
            Err(error) => refused("open", error)?,
        };
        self.thin_out(trader, &source, &mut random).await?;
        Ok(told)
    }

    /// Takes out what is above the initial margin and a random part of it more.
    async fn thin_out(&self, trader: &Trader, destination: &Pubkey, random: &mut Random) -> Result<()> {
        let book = self.book(&trader.vault).await?;
        let found = self.client.margin_account(&trader.account).await?;
        let health = book.health(&found.account)?;
        let kept = i128::from(health.initial().0) * i128::from(random.between(102, 200)) / 100;
        let Ok(spare @ 1..) = u64::try_from(health.equity() - kept) else { return Ok(()) };
        let spare = spare.min(found.account.state.collateral.0);
        let instructions = book.withdraw(&found, destination, Tokens(spare))?;
        match self.send(trader, &instructions).await {
            Ok(()) => Ok(()),
            Err(error) => refused("withdraw", error).map(|_| ()),
        }
    }

    async fn send(&self, trader: &Trader, instructions: &[Instruction]) -> Result<(), ClientError> {
        self.client.send(instructions, &trader.key.pubkey(), &[&trader.key], &options()).await.map(|_| ())
    }
}

/// A call or put near the money.
fn choose(book: &Book, number: u8, random: &mut Random) -> Result<Series> {
    let listed = book.market(number)?;
    let middle = listed.market.state.config.grid()?.nearest_tick(listed.index.state.feed.price.into());
    let side = if random.chance(50) { Side::Call } else { Side::Put };
    let tick = middle.saturating_add(i16::try_from(random.between(-10, 10))?);
    Ok(Series { side, tick })
}
