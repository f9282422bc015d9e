//! What keepers do by hand.

use perpetua_client::{account::read_copy, address, perpetua::state};

use crate::net::{Net, Network, named, raw, text};

/// Liquidates who cannot pay, and nobody else.
pub fn liquidates_who_cannot_pay_and_nobody_else(net: &Net<impl Network>) {
    let owner = net.person("spent", 1_000);
    net.person("keeper", 1);
    net.ok("spent", &["deposit", "TSLAx", "400"]);
    net.ok("spent", &["open", "TSLAx:BTC:quanto", "call", "atm", "0.5"]);
    let healthy = net.ok("keeper", &["keeper", "liquidate", "TSLAx"]);
    assert!(text(&healthy["reason"]).contains("none is below"), "{healthy}");
    let account = net.vault().margin_account(&owner, 0);
    let settled = net.shown("keeper", &["keeper", "settle", &account.to_string()]);
    assert!(settled.starts_with("nothing to do: no position of "), "{settled}");
    spend_collateral(net, &account);
    let done = net.ok("keeper", &["keeper", "liquidate", "TSLAx"]);
    let last = done["transactions"].as_array().unwrap().last().unwrap();
    let event = named(&last["events"], "event", "AccountLiquidated")["fields"].clone();
    assert!(raw(&event["keeper_reward"]) > 0, "{event}");
    let left = net.ok("spent", &["account", "TSLAx"])["accounts"][0].clone();
    assert_eq!(left["liquidatable"], false);
    let sizes = left["positions"].as_array().unwrap().iter().map(|position| raw(&position["size"]));
    assert!(sizes.sum::<i128>() < 50_000_000, "{left}");
}

/// Leaves a raw unit of what was posted, as if the rest was paid to the pool as funding.
fn spend_collateral(net: &Net<impl Network>, account: &anchor_lang::prelude::Pubkey) {
    let vault = net.vault().vault;
    let mut held: state::MarginAccount = read_copy(&address::PROGRAM, &net.network.data(account)).unwrap();
    let mut ledgers: state::Vault = read_copy(&address::PROGRAM, &net.network.data(&vault)).unwrap();
    let spent = held.state.collateral.0 - 1;
    held.state.collateral.0 -= spent;
    ledgers.state.margin.0 -= spent;
    ledgers.state.main.assets.0 += spent;
    let write = |address, bytes: &[u8]| {
        let mut data = net.network.data(address);
        data[8..].copy_from_slice(bytes);
        net.network.overwrite(address, data);
    };
    write(account, bytemuck::bytes_of(&held));
    write(&vault, bytemuck::bytes_of(&ledgers));
}
