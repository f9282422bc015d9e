//! Events in words and as data, with amounts as wallets show them now.

use std::collections::BTreeMap;

use anchor_lang::prelude::Pubkey;
use perpetua_client::{
    event::Event,
    model::{
        self, Shares, Size,
        pricing::{Rounding, Usd},
    },
    perpetua::{Pool, Side, events},
    rpc::Happened,
};
use serde_json::{Map, Value, json};

use crate::{
    amounts::{self, Token},
    names,
};

/// The stock tokens by their vaults.
pub type Tokens = BTreeMap<Pubkey, Token>;

/// A field of an event.
enum Field {
    Address(Pubkey),
    /// Raw units of a stock token.
    Amount(u64),
    Amounts(Vec<u64>),
    Shares(u64),
    Size(u64),
    Usd(u128),
    Volatility(u64),
    Time(i64),
    Number(u64),
    Text(String),
    Flag(bool),
}

/// Lists the fields of each event with what they are.
macro_rules! fields {
    ($event:expr; $($name:ident { $($field:ident: $kind:ident),* $(,)? })*) => {
        match $event {
            $(Event::$name(events::$name { $($field,)* .. }) => vec![$((stringify!($field), of::$kind(*$field)),)*],)*
        }
    };
}

/// What each kind of field is made from.
mod of {
    use super::*;

    pub fn address(value: Pubkey) -> Field {
        Field::Address(value)
    }
    pub fn amount(value: u64) -> Field {
        Field::Amount(value)
    }
    pub fn amounts(value: [u64; 4]) -> Field {
        Field::Amounts(value.to_vec())
    }
    pub fn shares(value: u64) -> Field {
        Field::Shares(value)
    }
    pub fn size(value: u64) -> Field {
        Field::Size(value)
    }
    pub fn usd(value: u128) -> Field {
        Field::Usd(value)
    }
    pub fn time(value: i64) -> Field {
        Field::Time(value)
    }
    pub fn number(value: impl Into<u64>) -> Field {
        Field::Number(value.into())
    }
    pub fn tick(value: i16) -> Field {
        Field::Text(value.to_string())
    }
    pub fn flag(value: bool) -> Field {
        Field::Flag(value)
    }
    pub fn side(value: Side) -> Field {
        Field::Text(names::of_side(value).to_owned())
    }
    pub fn pool(value: Pool) -> Field {
        Field::Text(names::of_pool(value as u8).to_owned())
    }
    pub fn reason(value: events::CloseReason) -> Field {
        Field::Text(format!("{value:?}").to_lowercase())
    }
    pub fn digest(value: [u8; 32]) -> Field {
        Field::Text(value.iter().map(|byte| format!("{byte:02x}")).collect())
    }
    pub fn volatility(value: [u64; 2]) -> Field {
        Field::Volatility(value[0])
    }
    pub fn multiplier(value: u64) -> Field {
        Field::Text(f64::from_bits(value).to_string())
    }
    pub fn day(value: perpetua_client::perpetua::ShortDay) -> Field {
        Field::Text(format!("day {} closes at minute {}", value.day, value.close_minute))
    }
}

fn fields(event: &Event) -> Vec<(&'static str, Field)> {
    fields! { event;
        AccountOpened { vault: address, account: address, owner: address, sub_account: number }
        AccountClosed { vault: address, account: address, owner: address }
        Deposited { vault: address, account: address, amount: amount, collateral: amount }
        Withdrawn { vault: address, account: address, amount: amount, collateral: amount }
        PositionOpened {
            vault: address, market: address, account: address, side: side, tick: tick, strike: usd, price: usd,
            value: usd, size: size, premium: amount, fee: amount, reserve: amount, funding: amount,
            position_size: size, collateral: amount,
        }
        PositionClosed {
            vault: address, market: address, account: address, side: side, tick: tick, reason: reason, price: usd,
            value: usd, size: size, payout: amount, from_insurance: amount, claimed: amount, fee: amount,
            funding: amount, position_size: size, collateral: amount,
        }
        FundingCranked {
            index: address, market: address, price: usd, publish_time: time, seconds: number, barred: flag,
            conditions: number, middle: volatility,
        }
        FundingSettled { vault: address, account: address, amount: amount, collateral: amount }
        AccountLiquidated {
            vault: address, account: address, keeper_account: address, closed: number, proceeds: amount,
            from_insurance: amount, claimed: amount, funding: amount, keeper_reward: amount,
            insurance_reward: amount, written_off: amount, collateral: amount,
        }
        MarketMarked {
            market: address, slot: number, liability_low: amount, liability_high: amount, receivable: amount,
            at_bounds: flag,
        }
        StockCranked { stock: address, price: usd, publish_time: time, multiplier: multiplier, conditions: number }
        StockCreated { stock: address, vault: address }
        SessionShortened { stock: address, day: day }
        MultiplierAcknowledged { stock: address, multiplier: multiplier }
        ShortageNoted { vault: address, balance: amount, since: time }
        LossRecognised { vault: address, parts: amounts }
        LossesRepaid { vault: address, parts: amounts }
        ClaimsServed { vault: address, served: amount, outstanding: amount }
        AccountSynced { vault: address, account: address, claim: amount, collateral: amount }
        ChangeProposed { target: address, proposal: address }
        ChangeApplied { target: address }
        ChangeCancelled { target: address }
        Tightened { target: address }
        AdminNamed { next_admin: address }
        AdminAccepted { admin: address }
        IndexCreated { index: address, feed_id: digest }
        VaultCreated { vault: address, stock_mint: address }
        MarketCreated { market: address, vault: address, index: address, number: number }
        OpeningPausedSet { authority: address, paused: flag }
        MintAcknowledged { vault: address, snapshot: digest }
        FeesCollected { vault: address, destination: address, amount: amount }
        PoolJoined { vault: address, owner: address, pool: pool, amount: amount, shares: shares }
        WithdrawalRequested {
            vault: address, owner: address, pool: pool, number: number, shares: shares, ready: time,
        }
        WithdrawalCancelled { vault: address, owner: address, ticket: address, shares: shares }
        WithdrawalExecuted {
            vault: address, owner: address, ticket: address, returned: flag, shares: shares, tokens: amount,
        }
        WithdrawalClaimed { vault: address, owner: address, ticket: address, amount: amount }
    }
}

/// Whether an event is of the cranks and marks in front of what somebody does.
pub fn is_upkeep(event: &Event) -> bool {
    matches!(event, Event::FundingCranked(_) | Event::StockCranked(_) | Event::MarketMarked(_))
}

/// Whether an event says that something happened to an address: an account, an owner, a vault.
pub fn concerns(event: &Event, what: &Pubkey) -> bool {
    fields(event).iter().any(|(_, field)| matches!(field, Field::Address(address) if address == what))
}

fn token<'a>(fields: &[(&str, Field)], tokens: &'a Tokens) -> Option<&'a Token> {
    fields.iter().find_map(|(name, field)| match field {
        Field::Address(address) if *name == "vault" => tokens.get(address),
        _ => None,
    })
}

/// An event in a line, without addresses.
pub fn describe(event: &Event, tokens: &Tokens) -> String {
    let fields = fields(event);
    let token = token(&fields, tokens);
    let shown = fields.iter().filter_map(|(name, field)| Some(format!("{name} {}", text(field, token)?)));
    let shown: Vec<String> = shown.collect();
    format!("{}: {}", event.name(), shown.join(", ")).trim_end_matches(": ").to_owned()
}

fn text(field: &Field, token: Option<&Token>) -> Option<String> {
    let raw = |value: u64| match token {
        Some(token) => token.received(model::Tokens(value)),
        None => format!("{value} raw units"),
    };
    Some(match field {
        Field::Address(_) => return None,
        // What did not happen is no news.
        Field::Amount(0) => return None,
        Field::Amount(value) => raw(*value),
        Field::Amounts(values) => values.iter().map(|value| raw(*value)).collect::<Vec<_>>().join(" + "),
        Field::Shares(value) => shares_of(*value, token),
        Field::Size(value) => amounts::size(Size(*value)),
        Field::Usd(value) => format!("${}", amounts::usd(Usd::from_bits(*value), Rounding::Down)),
        Field::Volatility(value) => amounts::percent_of(model::Volatility(*value)),
        Field::Time(value) => amounts::time(*value),
        Field::Number(value) => value.to_string(),
        Field::Text(value) => value.clone(),
        Field::Flag(value) => (if *value { "yes" } else { "no" }).to_owned(),
    })
}

/// Shares as wallets show them. Not every event says of which pool: where the scales of a vault's two pools differ, and
/// where the vault is not known, raw units it is.
fn shares_of(value: u64, token: Option<&Token>) -> String {
    let decimals = token.map(|token| token.share_decimals).filter(|[main, insurance]| main == insurance);
    amounts::shares(Shares(value), decimals.map_or(0, |[decimals, _]| decimals))
}

/// An event for programs: amounts as wallets show them, in strings; raw units where the event does not say of which token.
pub fn to_json(happened: &Happened, tokens: &Tokens) -> Value {
    let fields = fields(&happened.event);
    let token = token(&fields, tokens);
    let mut shown = Map::new();
    for (name, field) in &fields {
        shown.insert((*name).to_owned(), data(field, token));
    }
    json!({
        "event": happened.event.name(),
        "signature": happened.signature.to_string(),
        "slot": happened.slot.to_string(),
        "time": happened.time,
        "token": token.map(|token| &token.symbol),
        "fields": shown,
    })
}

fn data(field: &Field, token: Option<&Token>) -> Value {
    let raw = |value: u64| match token {
        Some(token) => token.json_received(model::Tokens(value)),
        None => value.to_string(),
    };
    match field {
        Field::Address(value) => json!(value.to_string()),
        Field::Amount(value) => json!(raw(*value)),
        Field::Amounts(values) => json!(values.iter().map(|value| raw(*value)).collect::<Vec<_>>()),
        Field::Shares(value) => json!(shares_of(*value, token)),
        Field::Size(value) => json!(amounts::size(Size(*value))),
        Field::Usd(value) => json!(amounts::json_usd(Usd::from_bits(*value))),
        Field::Volatility(value) => json!(amounts::json_volatility(model::Volatility(*value))),
        Field::Time(value) => json!(value),
        Field::Number(value) => json!(value.to_string()),
        Field::Text(value) => json!(value),
        Field::Flag(value) => json!(value),
    }
}
