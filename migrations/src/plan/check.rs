//! What the program would refuse, told before anything is sent.

use anchor_lang::{
    AccountDeserialize,
    prelude::{AccountInfo, ProgramData, Pubkey},
};
use anyhow::{Context, Result, anyhow, bail, ensure};
use perpetua_client::{
    address,
    error::remedy,
    model::{ModelError, Stock},
    perpetua::{PerpetuaError, token::policy},
    rpc::{Client, RawAccount},
};

use crate::declaration::{StockDeclaration, VaultDeclaration};

/// Checks that the vault's mint exists and passes the program's policy. Returns the token program that owns it.
pub fn stock_mint(client: &Client, vault: &VaultDeclaration) -> Result<Pubkey> {
    judge(client, vault, |mint| policy::check(mint).map(|_| *mint.owner))
}

/// Checks that the program would take the vault's stock at `now`, whose settings are within bounds: its mint has few
/// enough decimals and a multiplier of a sane size.
pub fn stock(client: &Client, vault: &VaultDeclaration, stock: &StockDeclaration, now: i64) -> Result<()> {
    let (facts, multiplier) = judge(client, vault, |mint| Ok((policy::check(mint)?, policy::scaled_ui(mint)?)))?;
    let made = Stock::new(stock.parameters.config(facts.decimals), &multiplier, now);
    let VaultDeclaration { name, stock_mint, .. } = vault;
    made.map(|_| ()).map_err(|error| match error {
        ModelError::MultiplierInvalid => anyhow!("vault {name}: the stock token {stock_mint} is refused: {error}"),
        _ => anyhow!(
            "vault {name}: the stock token {stock_mint} has {} decimals, too many to be priced; leave [vault.stock] out",
            facts.decimals
        ),
    })
}

fn account(client: &Client, address: &Pubkey) -> Result<Option<RawAccount>> {
    Ok(client.multiple(&[*address])?.accounts.remove(address))
}

/// What the program's own code says of the vault's mint.
fn judge<T>(
    client: &Client,
    vault: &VaultDeclaration,
    code: impl FnOnce(&AccountInfo) -> anchor_lang::Result<T>,
) -> Result<T> {
    let (name, mint) = (&vault.name, &vault.stock_mint);
    let Some(mut account) = account(client, mint)? else {
        bail!("vault {name}: there is no mint at {mint}; correct stock_mint, or create the mint on this cluster first");
    };
    let info = AccountInfo::new(mint, false, false, &mut account.lamports, &mut account.data, &account.owner, false);
    match code(&info) {
        Ok(judged) => Ok(judged),
        Err(anchor_lang::error::Error::AnchorError(error)) => {
            let own = perpetua_client::error::from_code(error.error_code_number);
            bail!(
                "vault {name}: the stock token {mint} is refused: {} ({}). {}",
                error.error_msg,
                error.error_name,
                remedy(own.unwrap_or(PerpetuaError::MalformedMint))
            );
        }
        Err(error) => bail!("vault {name}: the stock token {mint} cannot be read: {error}; correct stock_mint"),
    }
}

/// Checks that `wallet` may create accounts and can pay for it. `admin` is the exchange's, where that exists; where it
/// does not, only the program's upgrade authority may create it.
pub fn may_create(client: &Client, wallet: &Pubkey, admin: Option<&Pubkey>) -> Result<()> {
    match admin {
        Some(admin) => ensure!(
            admin == wallet,
            "only the administrator {admin} may list and change, but the wallet is {wallet}; \
             give the administrator's key with --keypair"
        ),
        None => is_upgrade_authority(client, wallet)?,
    }
    let funded = account(client, wallet)?.is_some_and(|account| account.lamports > 0);
    ensure!(funded, "the wallet {wallet} holds no SOL on this cluster; send it some for rent and fees");
    Ok(())
}

fn is_upgrade_authority(client: &Client, wallet: &Pubkey) -> Result<()> {
    let program = address::PROGRAM;
    let Some(account) = account(client, &address::program_data())? else {
        bail!(
            "the program {program} is not deployed here as an upgradeable program; deploy it first, \
             with the wallet as its upgrade authority"
        );
    };
    let data = ProgramData::try_deserialize(&mut account.data.as_slice())
        .with_context(|| format!("the program data of {program} cannot be read; deploy the program again"))?;
    match data.upgrade_authority_address {
        Some(authority) => ensure!(
            authority == *wallet,
            "only the program's upgrade authority {authority} may set up the exchange, but the wallet is {wallet}; \
             give the upgrade authority's key with --keypair"
        ),
        None => bail!(
            "the program {program} has no upgrade authority any more, so nobody may set up the exchange; \
             deploy it under a new address and set that up before giving up the upgrade authority"
        ),
    }
    Ok(())
}
