//! `perpetua admin acknowledge-multiplier`: accepts a large change of a token's multiplier.

use anyhow::Result;
use clap::Args;
use perpetua_client::{
    address, instruction,
    model::Multiplier,
    perpetua::state::Stock,
    rpc::{ClientError, Keyed},
    token::MintInfo,
};
use serde_json::json;

use super::govern::carry_out;
use crate::{amounts, fault::refusal, output::Output, session::Session};

const HELP: &str = "\
Run it when the issuer announced a split, before it takes effect: the change is then followed to the second. After it took
effect, run it to go on with the new multiplier.

--believe-next-price is for a stock whose value really moved far while its multiplier changes: the multiplier in force is
confirmed, and the next price of the share counts, whatever it is. If that price already knows of a split that the mint
does not know of yet, everybody is paid by the wrong value: look at the share's price first.";

/// A vault whose token's multiplier changes.
#[derive(Args)]
#[command(after_help = HELP)]
pub struct Arguments {
    /// The vault: its token's symbol or mint.
    vault: String,
    /// Confirm the multiplier in force and let the next price of the share count, whatever it is.
    #[arg(long)]
    believe_next_price: bool,
}

/// Which multiplier is to be acknowledged, and what that means.
struct Choice {
    multiplier: Multiplier,
    meaning: String,
}

impl Arguments {
    /// Shows what is to be accepted, asks, accepts it.
    pub fn run(&self, session: &Session) -> Result<Output> {
        let listing = session.listing(&self.vault)?;
        let (keys, symbol) = (&listing.keys, &listing.token.symbol);
        let address = address::stock(&keys.vault);
        // What is shown and what is sent are of one slot.
        let snapshot = session.client.multiple(&[address::CLOCK, keys.stock_mint, address])?;
        let now = snapshot.clock().map_err(ClientError::from)?.unix_timestamp;
        let mint = snapshot.mint(&keys.stock_mint, now).map_err(ClientError::from)?;
        let Some(Keyed { account: stock, .. }) = snapshot.find::<Stock>(&address).map_err(ClientError::from)? else {
            return Err(refusal(
                format!("the {symbol} vault has no stock, so that nothing depends on its multiplier"),
                "there is nothing to do",
            ));
        };
        let Choice { multiplier, meaning } = self.choose(&mint, &stock, now)?;
        let json = json!({
            "token": symbol,
            "multiplier": shown(multiplier),
            "in_force": shown(mint.multiplier),
            "believe_next_price": self.believe_next_price,
        });
        let acknowledge = instruction::acknowledge_multiplier(&session.wallet()?, keys, multiplier.0);
        carry_out(session, "acknowledge multiplier", format!("{meaning} ({symbol})"), json, vec![acknowledge])
    }

    fn choose(&self, mint: &MintInfo, stock: &Stock, now: i64) -> Result<Choice> {
        let (in_force, state) = (mint.multiplier, &stock.state);
        let believed = state.multiplier == in_force && state.doubt_bps != 0;
        if self.believe_next_price {
            let meaning = format!("accept the multiplier {} as it is; the share's next price counts", shown(in_force));
            return Ok(Choice { multiplier: in_force, meaning });
        }
        if let Some((next, from)) = mint.scaled_ui.pending(now) {
            let multiplier = Multiplier::from_bits(next.0).map_err(crate::fault::model)?;
            let meaning = format!(
                "accept the multiplier {} from {} on, instead of {}",
                shown(next),
                amounts::time(from),
                shown(in_force)
            );
            return Ok(Choice { multiplier, meaning });
        }
        if state.multiplier != in_force {
            return Ok(Choice { multiplier: in_force, meaning: format!("accept the multiplier {}", shown(in_force)) });
        }
        Err(if believed {
            refusal(
                format!("the multiplier {} is in force, and prices are doubted since it changed", shown(in_force)),
                "wait until the share's price agrees; if its value really moved so far, pass --believe-next-price",
            )
        } else {
            refusal(
                format!("the multiplier {} is in force, and no other one is announced", shown(in_force)),
                "there is nothing to do",
            )
        })
    }
}

fn shown(multiplier: Multiplier) -> String {
    f64::from_bits(multiplier.0).to_string()
}
