//! What differs between an account on chain and its declaration, in words.

use anchor_lang::prelude::Pubkey;
use perpetua_client::{
    model::{self, Guards, MarketConfig, PoolConfig, VaultConfig},
    perpetua::state,
};

use crate::{
    decimal::from_fixed,
    declaration::{
        IndexDeclaration, MarketDeclaration, ShortDay, StockDeclaration, VaultDeclaration,
        fields::{UNITS_FRACTION, USD_FRACTION, VARIANCE_FRACTION},
    },
};

/// Pushes a line for each named field that differs, and one for the rest where none of the named does.
macro_rules! compare {
    ($lines:expr, $place:expr, $declared:expr, $found:expr; $($field:ident)*) => {{
        let (declared, found, before) = ($declared, $found, $lines.len());
        $(if declared.$field != found.$field {
            $lines.push(line(concat!($place, stringify!($field)), &found.$field, &declared.$field));
        })*
        if $lines.len() == before && declared != found {
            $lines.push(line($place, &found, &declared));
        }
    }};
}

fn line(field: &str, found: &dyn std::fmt::Debug, declared: &dyn std::fmt::Debug) -> String {
    format!("{field} is {found:?}, but declared as {declared:?}")
}

fn text(field: &str, found: &str, declared: &str) -> Option<String> {
    (found != declared).then(|| format!("{field} is {found}, but declared as {declared}"))
}

/// Compares the exchange.
pub fn exchange(guardian: &Pubkey, fee_recipient: &Pubkey, found: &state::Exchange) -> Vec<String> {
    let guardian = text("guardian", &found.guardian.to_string(), &guardian.to_string());
    let fees = text("fee_recipient", &found.fee_recipient.to_string(), &fee_recipient.to_string());
    guardian.into_iter().chain(fees).collect()
}

/// Compares the guards of an index.
pub fn guards(declared: &IndexDeclaration, found: &state::Index) -> Vec<String> {
    let mut lines = Vec::new();
    compare!(lines, "guards.", Guards::from(declared.guards), found.state.guards;
        max_age_trade max_age_crank max_confidence_bps average_band_bps);
    lines
}

/// Compares what was declared as an index's variance. It can be read only until the first sample; after it, only whether
/// one was declared.
pub fn declared_variance(declared: &IndexDeclaration, found: &state::Index) -> Vec<String> {
    let was_declared = found.state.sampling_since == 0;
    let variance = found.state.variances.first().map_or(0, |variance| variance.0);
    let shown = match declared.declared_variance {
        None if was_declared => Some(("declared".to_owned(), "not declared".to_owned())),
        Some(_) if !was_declared => Some(("not declared".to_owned(), "declared".to_owned())),
        Some(bits) if found.state.sample_mark == 0 && bits != variance => {
            let decimal = |bits: u64| from_fixed(bits.into(), VARIANCE_FRACTION);
            Some((decimal(variance), decimal(bits)))
        }
        _ => None,
    };
    shown.and_then(|(found, declared)| text("declared_variance", &found, &declared)).into_iter().collect()
}

/// Compares a vault.
pub fn vault(declared: &VaultDeclaration, found: &state::Vault) -> Vec<String> {
    let (declared, found) = (VaultConfig::from(declared.parameters), found.state.config);
    let mut lines = Vec::new();
    pool(&mut lines, "main", declared.main, found.main);
    pool(&mut lines, "insurance", declared.insurance, found.insurance);
    if declared.max_utilisation_bps != found.max_utilisation_bps {
        lines.push(line("max_utilisation_bps", &found.max_utilisation_bps, &declared.max_utilisation_bps));
    }
    lines
}

fn pool(lines: &mut Vec<String>, name: &str, declared: PoolConfig, found: PoolConfig) {
    let mut own = Vec::new();
    compare!(own, "", declared, found; virtual_shares wait exit_bps receivable_bps);
    lines.extend(own.into_iter().map(|line| format!("{name}.{line}")));
}

/// Compares a stock, but for its short days.
pub fn stock(declared: &StockDeclaration, found: &state::Stock) -> Vec<String> {
    let parameters = &declared.parameters;
    let (found_config, mut config) = (found.state.config, parameters.config(found.state.config.decimals));
    let mut lines = Vec::new();
    lines.extend(text("share_feed", &hex::encode(found.share_feed), &hex::encode(parameters.share_feed)));
    lines.extend(text("share_feed_unit", unit(found_config.share_feed_unit), unit(config.share_feed_unit)));
    let token_feed = (found_config.has_token_feed == 1).then_some(found.token_feed);
    let shown = |feed: Option<[u8; 32]>| feed.map_or("none".to_owned(), hex::encode);
    lines.extend(text("token_feed", &shown(token_feed), &shown(parameters.token_feed)));
    if token_feed.is_some() && parameters.token_feed.is_some() {
        lines.extend(text("token_feed_unit", unit(found_config.token_feed_unit), unit(config.token_feed_unit)));
    }
    compare!(lines, "guards.", config.guards, found_config.guards;
        max_age_trade max_age_crank max_confidence_bps average_band_bps);
    // Compared above.
    (config.guards, config.share_feed_unit) = (found_config.guards, found_config.share_feed_unit);
    (config.has_token_feed, config.token_feed_unit) = (found_config.has_token_feed, found_config.token_feed_unit);
    compare!(lines, "", config, found_config;
        volatility_bps closed_haircut_bps multiplier_change_bps value_band_bps);
    lines
}

fn unit(number: u8) -> &'static str {
    if number == model::PricedUnit::Share as u8 { "share" } else { "token" }
}

/// What a calendar says of a declared day.
pub enum Known {
    /// The same.
    Same,
    /// A later close or nothing, so that the day can be entered.
    Later,
    /// An earlier close, which never gets later; in words.
    Earlier(String),
}

/// Compares a declared day with a calendar.
pub fn short_day(declared: ShortDay, calendar: &model::Calendar) -> Known {
    let entry = declared.entry();
    let known = calendar.days.iter().copied().find(|known| known.day == entry.day);
    match known {
        Some(known) if known == entry => Known::Same,
        Some(known) if known.close_minute < entry.close_minute => {
            let found = declared.closing(known.close_minute).session();
            let field = format!("the session of {}", declared.date);
            Known::Earlier(format!("{field} is {found}, but declared as {}", declared.session()))
        }
        _ => Known::Later,
    }
}

/// Compares a market.
pub fn market(declared: &MarketDeclaration, found: &state::Market) -> Vec<String> {
    let mut declared = MarketConfig::from(declared.parameters);
    let found = found.state.config;
    let units = |config: &MarketConfig| from_fixed(config.units_per_usd.0.into(), UNITS_FRACTION);
    let strike = |config: &MarketConfig| from_fixed(config.reference_strike.get(), USD_FRACTION);
    let mut lines = Vec::new();
    lines.extend(text("units_per_usd", &units(&found), &units(&declared)));
    lines.extend(text("reference_strike", &strike(&found), &strike(&declared)));
    // Compared as decimals above.
    (declared.units_per_usd, declared.reference_strike) = (found.units_per_usd, found.reference_strike);
    compare!(lines, "", declared, found;
        min_size dust_size period max_gap margin_horizon liquidation_fee_cents min_penalty_cents penalty_bps
        strike_ratio_bps cap_bps carry_bps rent_bps min_volatility_bps max_volatility_bps markup_bps spread_bps
        slew_bps utilisation_spread_bps utilisation_kink_bps utilisation_full_bps fee_notional_bps fee_value_bps
        series_limit_bps side_limit_bps reserve_extra_bps settlement);
    lines
}
