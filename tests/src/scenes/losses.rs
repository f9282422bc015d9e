//! Scenes of missing tokens and of claims on the insurance pool.

use perpetua_client::instruction;

use super::{Crowd, Scene, crowd, scene, stock::with_claim};
use crate::{
    token::{self, ONE},
    world::{INSURANCE_POOL, MAIN_POOL},
};

pub(super) fn all() -> Vec<Scene> {
    [tokens(), claims()].into_iter().flatten().collect()
}

fn tokens() -> Vec<Scene> {
    let Crowd { world, .. } = crowd();
    let (vault, balance) = (world.vault, token::balance(&world.chain, &world.vault.tokens()));
    let mut short = world.clone();
    // Ten tokens are left of all margin and withdrawals.
    let seized = balance - 10 * ONE;
    assert!(seized > MAIN_POOL + INSURANCE_POOL, "the loss reaches margin");
    token::seize(&mut short.chain, &vault.tokens(), seized);
    short.chain.send_while_short(&[instruction::note_shortage(&vault)]).expect("anyone may note a shortage");
    short.chain.wait(48 * 3_600);
    let recognise = instruction::recognise_loss(&vault);
    let mut returned = short.clone();
    returned.chain.send(std::slice::from_ref(&recognise)).expect("the loss is due");
    token::give_back(&mut returned.chain, &vault.tokens(), seized);
    vec![
        scene("note_shortage", names!("vault tokens"), world, instruction::note_shortage(&vault)),
        scene("recognise_loss", names!("vault tokens"), short, recognise),
        scene("repay_losses", names!("vault tokens"), returned, instruction::repay_losses(&vault)),
    ]
}

fn claims() -> Vec<Scene> {
    let (mut world, trader) = with_claim();
    let vault = world.vault;
    world.chain.wait(86_400);
    let serve = instruction::serve_claims(&vault);
    let mut served = world.clone();
    served.chain.send(std::slice::from_ref(&serve)).expect("insurance may pay again");
    vec![
        scene("serve_claims", names!("vault"), world, serve),
        scene("sync_account", names!("vault account"), served, instruction::sync_account(&vault, &trader.account)),
    ]
}
