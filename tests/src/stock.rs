//! The stock behind the TSLAx vault: its feeds, its mint's multiplier and its dollar markets.

use perpetua::{StockParameters, state};
use perpetua_client::{
    address,
    event::Event,
    instruction::{self, MarketKeys},
    price::PriceAccount,
};
use solana_instruction::Instruction;

use crate::{
    Chain, World,
    parameters::{dollar_parameters, stock_parameters},
    price::{self, FEEDS, SHARE_FEED, TOKEN_FEED, usd},
    token,
    world::{DECLARED_VARIANCE, Outcome, PRICES},
};

/// Tuesday 2026-01-06 15:00 UTC, half an hour into New York's session; a multiple of 300.
pub const IN_SESSION: i64 = 1_767_711_600;
/// The last second of that session: 16:00 in New York.
pub const SESSION_ENDS: i64 = IN_SESSION + 6 * 3_600;
/// The first second of the next session, on Wednesday: 09:30 in New York.
pub const NEXT_BELL: i64 = IN_SESSION + 86_400 - 1_800;
/// A share at the start, whole US dollars.
pub const SHARE: i64 = 400;

impl World {
    /// The TSLAx vault during a session of the exchange, with its stock, `quanto` quanto markets and a BTC market that
    /// settles in dollars; that one comes last.
    pub fn with_dollar_market(quanto: usize) -> Self {
        Self::with_stock(quanto, stock_parameters())
    }

    /// The same with a stock of other parameters; the feed of the token publishes 400 US dollars if it is one of them.
    pub fn with_stock(quanto: usize, stock: StockParameters) -> Self {
        Self::with_stock_and_variance(quanto, stock, DECLARED_VARIANCE)
    }

    /// The same with indices that are listed with another variance, Q16.48.
    pub fn with_stock_and_variance(quanto: usize, stock: StockParameters, variance: u64) -> Self {
        let mut world = Self::listed(quanto, variance);
        world.token = stock.token_feed.map(|_| usd(SHARE));
        world.enter_session();
        world.create_stock(stock).expect("the administrator can list a stock");
        let market = world.create_dollar_market(0).expect("the administrator can list a dollar market");
        world.markets.push(market);
        world.seed_pools(world.vault, &world.markets.clone());
        world
    }

    /// Moves the clock to half an hour into a session.
    pub fn enter_session(&mut self) {
        let seconds = IN_SESSION - self.chain.now();
        self.chain.wait(seconds);
    }

    /// Names the feeds of the TSLAx vault's stock.
    pub fn create_stock(&mut self, parameters: StockParameters) -> Outcome {
        self.chain.send(&[instruction::create_stock(&self.admin, &self.vault, parameters)])
    }

    /// Lists a dollar market of the TSLAx vault on an index.
    pub fn create_dollar_market(&mut self, index: usize) -> Result<MarketKeys, crate::Failure> {
        let keys = self.vault.dollar_market(address::index(&FEEDS[index]));
        let parameters = dollar_parameters(PRICES[index]);
        self.chain.send(&[instruction::create_market(&self.admin, &self.vault, &keys, parameters)])?;
        Ok(keys)
    }

    /// Writes what the stock's feeds publish now, if they do.
    pub fn post_stock(&mut self) {
        let feeds = [(self.share, SHARE_FEED), (self.token, TOKEN_FEED)];
        for (address, (price, feed)) in self.stock_prices.into_iter().zip(feeds) {
            let Some(price) = price else { continue };
            let posted = PriceAccount::decode(&self.chain.account(&address).data);
            let previous = posted.map_or(0, |last| last.publish_time).max(self.chain.now() - 60);
            let update = PriceAccount { previous_publish_time: previous, ..price::fresh(&self.chain, feed, price) };
            price::post(&mut self.chain, &address, &update);
        }
    }

    /// The crank of the stock with the feeds that publish.
    pub fn crank_stock_instruction(&self) -> Instruction {
        let [share, token] = self.stock_prices;
        let share = self.share.map(|_| share);
        let token = self.token.map(|_| token);
        instruction::crank_stock(&self.vault, share.as_ref(), token.as_ref())
    }

    /// Posts what the stock's feeds publish and cranks the stock.
    pub fn crank_stock(&mut self) -> Outcome {
        self.post_stock();
        let crank = self.crank_stock_instruction();
        self.chain.send(&[crank])
    }

    /// Cranks the stock; returns the lowest, the last and the highest worth of a dollar in raw tokens, Q40.24.
    pub fn units(&mut self) -> [u64; 3] {
        let done = self.crank_stock().expect("what the feeds publish is accepted or ignored");
        let [Event::StockCranked(cranked)] = &done.events[..] else { panic!("{:?}", done.events) };
        cranked.units_per_usd
    }

    /// The stock of the TSLAx vault.
    pub fn stock(&self) -> perpetua_model::Stock {
        self.read::<state::Stock>(&self.vault.stock()).state
    }

    /// Brings the first index and the share to prices in whole US dollars, and cranks all markets until older prices are out
    /// of the price range.
    pub fn leap(&mut self, spot: i64, share: i64) {
        self.spot[0] = spot;
        self.set_share(Some(share));
        for _ in 0..2 {
            self.chain.wait(150);
            for market in self.markets.clone() {
                self.crank(&market).expect("fresh prices crank");
            }
        }
    }

    /// Sets the price of a share, or stops its feed.
    pub fn set_share(&mut self, dollars: Option<i64>) {
        self.share = dollars.map(usd);
    }
}

/// Writes a mint's UI multiplier, and the one to come from `next_from` on, where Token-2022 keeps them.
pub fn set_multiplier(chain: &mut Chain, mint: &solana_pubkey::Pubkey, current: f64, next: f64, next_from: i64) {
    token::edit_extension(chain, mint, token::extension::SCALED_UI, |value| {
        value[32..40].copy_from_slice(&current.to_le_bytes());
        value[40..48].copy_from_slice(&next_from.to_le_bytes());
        value[48..56].copy_from_slice(&next.to_le_bytes());
    });
}
