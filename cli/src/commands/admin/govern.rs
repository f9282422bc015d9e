//! What the administrator and the guardian do at once.

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use anyhow::Result;
use clap::Args;
use perpetua_client::{
    instruction,
    model::Tokens,
    token::{associated, create_associated},
};
use serde_json::{Value, json};

use crate::{
    fault::refusal,
    output::Output,
    session::{Intent, Session},
};

/// Stop or allow opening positions and joining pools.
#[derive(Args)]
pub struct PauseArguments {}

/// A vault.
#[derive(Args)]
pub struct VaultArguments {
    /// The vault: its token's symbol or mint.
    vault: String,
}

/// Name who becomes administrator once he accepts.
#[derive(Args)]
pub struct HandOverArguments {
    /// Who; this key then runs perpetua admin accept.
    next: Pubkey,
}

/// Become administrator, after having been named.
#[derive(Args)]
pub struct AcceptArguments {}

/// Asks and sends one transaction.
///
/// Errors: those of [`Session::carry_out`].
pub(super) fn carry_out(
    session: &Session,
    what: &str,
    shown: String,
    json: Value,
    instructions: Vec<Instruction>,
) -> Result<Output> {
    session.carry_out(Intent {
        shown: format!("{shown}\n"),
        json,
        question: "Go on?".to_owned(),
        transactions: vec![(what.to_owned(), instructions)],
    })
}

impl PauseArguments {
    /// Asks and does it.
    pub fn run(&self, session: &Session, paused: bool) -> Result<Output> {
        let (what, shown) = match paused {
            true => ("pause", "stop opening positions and joining pools; closing and leaving stay possible"),
            false => ("resume", "allow opening positions and joining pools"),
        };
        let instructions = vec![instruction::set_opening_paused(&session.wallet()?, paused)];
        carry_out(session, what, shown.to_owned(), json!({ "paused": paused }), instructions)
    }
}

impl VaultArguments {
    /// Shows what the mint is now, asks, accepts it.
    pub fn acknowledge_mint(&self, session: &Session) -> Result<Output> {
        let listing = session.listing(&self.vault)?;
        let mint = session.client.mint(&listing.keys.stock_mint)?;
        let hex = |digest: [u8; 32]| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let (before, after) = (listing.vault.mint_snapshot, mint.accepted);
        let Some(after) = after else {
            return Err(refusal(
                format!("the mint {} does not pass the policy any more", listing.keys.stock_mint),
                "ask its issuer; docs/threat-model.md says what the vault can still do",
            ));
        };
        if before == after {
            return Err(refusal("the mint is as it was acknowledged last", "there is nothing to do"));
        }
        let shown = format!(
            "accept the mint {} of {} as it is now: digest {} instead of {}; look at its extensions first \
             (spl-token display)",
            listing.keys.stock_mint,
            listing.token.symbol,
            hex(after),
            hex(before)
        );
        let json = json!({
            "stock_mint": listing.keys.stock_mint.to_string(),
            "before": hex(before),
            "after": hex(after),
        });
        let instructions = vec![instruction::acknowledge_mint(&session.wallet()?, &listing.keys)];
        carry_out(session, "acknowledge mint", shown, json, instructions)
    }

    /// Asks and pays the fees out.
    pub fn collect_fees(&self, session: &Session) -> Result<Output> {
        let listing = session.listing(&self.vault)?;
        let (wallet, token) = (session.wallet()?, &listing.token);
        let fees: Tokens = listing.vault.state.protocol_fees;
        if fees.is_zero() {
            return Err(refusal(format!("the {} vault holds no fees", token.symbol), "there is nothing to do"));
        }
        let recipient = session.client.exchange()?.account.fee_recipient;
        let (mint, program) = (&listing.keys.stock_mint, &listing.keys.token_program);
        let destination = associated(&recipient, mint, program);
        let instructions = vec![
            create_associated(&wallet, &recipient, mint, program),
            instruction::collect_fees(&listing.keys, &destination),
        ];
        let shown = format!("pay {} of fees to {recipient}\n{}", token.received(fees), token.note());
        let json = json!({
            "token": token.symbol,
            "multiplier": token.multiplier(),
            "amount": token.json_received(fees),
            "fee_recipient": recipient.to_string(),
            "destination": destination.to_string(),
        });
        carry_out(session, "collect fees", shown, json, instructions)
    }
}

impl HandOverArguments {
    /// Asks and names the heir.
    pub fn run(&self, session: &Session) -> Result<Output> {
        let shown = format!("name {} to become administrator; nothing changes until that key accepts", self.next);
        let instructions = vec![instruction::name_admin(&session.wallet()?, &self.next)];
        carry_out(session, "hand over", shown, json!({ "next_admin": self.next.to_string() }), instructions)
    }
}

impl AcceptArguments {
    /// Asks and accepts.
    pub fn run(&self, session: &Session) -> Result<Output> {
        let (wallet, exchange) = (session.wallet()?, session.client.exchange()?.account);
        if exchange.next_admin != wallet {
            return Err(refusal(
                format!("{wallet} was not named to become administrator"),
                format!("let {} run perpetua admin hand-over {wallet}", exchange.admin),
            ));
        }
        let shown = format!("make {wallet} the administrator instead of {}", exchange.admin);
        let json = json!({ "before": exchange.admin.to_string(), "after": wallet.to_string() });
        carry_out(session, "accept", shown, json, vec![instruction::accept_admin(&wallet)])
    }
}
