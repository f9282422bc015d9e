//! What an LP does: joining, asking to leave, waiting, leaving.

use perpetua::{Pool, state};
use perpetua_client::instruction;
use perpetua_tests::{
    Failure, World,
    price::FEEDS,
    token,
    world::{Outcome, Provider},
};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

pub const DAY: i64 = 86_400;
pub const POOLS: [Pool; 2] = [Pool::Main, Pool::Insurance];

/// Seconds that a pool keeps those who leave.
pub fn wait_of(pool: Pool) -> i64 {
    if pool == Pool::Main { 3 * DAY } else { 14 * DAY }
}

/// A vault with one market that nobody joined yet.
pub fn empty_vault() -> World {
    let mut world = World::bare();
    world.initialize().unwrap();
    world.create_index(FEEDS[0]).unwrap();
    world.create_vault(world.vault).unwrap();
    let market = world.create_market(world.vault, 0).unwrap();
    world.markets.push(market);
    world
}

/// Marks all markets and joins.
pub fn join(world: &mut World, who: &Provider, pool: Pool, amount: u64) -> Outcome {
    let markets = world.markets.clone();
    world.mark(&markets)?;
    let join = world.join(who, &markets, pool, amount, 0);
    world.chain.send(&[join])
}

pub fn shares(world: &World, who: &Provider, pool: Pool) -> u64 {
    token::balance(&world.chain, &who.shares[pool as usize])
}

/// Lets time pass with a crank every two days, and at its end samples the variance again.
pub fn pass(world: &mut World, seconds: i64) {
    world.run(seconds - 600, 2 * DAY);
    world.run(600, 300);
}

pub fn execute_instruction(world: &World, caller: &Pubkey, ticket: &Pubkey) -> Instruction {
    instruction::execute_withdrawal(caller, &world.vault, ticket, &world.markets)
}

/// Marks all markets and executes a withdrawal.
pub fn execute(world: &mut World, caller: &Pubkey, ticket: &Pubkey) -> Outcome {
    let markets = world.markets.clone();
    world.mark(&markets)?;
    let execute = execute_instruction(world, caller, ticket);
    world.chain.send(&[execute])
}

pub fn claim(world: &mut World, who: &Provider, ticket: &Pubkey) -> Outcome {
    let claim = instruction::claim_withdrawal(&who.owner, &world.vault, ticket, &who.tokens);
    world.chain.send(&[claim])
}

pub fn cancel_instruction(world: &World, who: &Provider, pool: Pool, ticket: &Pubkey) -> Instruction {
    instruction::cancel_withdrawal(&who.owner, &world.vault, pool, ticket, &who.shares[pool as usize])
}

pub fn ticket(world: &World, ticket: &Pubkey) -> perpetua_model::Ticket {
    world.read::<state::WithdrawalTicket>(ticket).state
}

/// Asks to leave with `amount` shares, waits, leaves and takes the tokens.
pub fn leave(world: &mut World, who: &Provider, pool: Pool, amount: u64) -> Result<(), Failure> {
    let ticket = world.request(who, pool, amount)?;
    pass(world, wait_of(pool));
    execute(world, &who.owner, &ticket)?;
    claim(world, who, &ticket)?;
    Ok(())
}

/// The same with all shares.
pub fn leave_entirely(world: &mut World, who: &Provider, pool: Pool) -> Result<(), Failure> {
    let all = shares(world, who, pool);
    leave(world, who, pool, all)
}

/// Sends stock tokens by the token program alone.
pub fn transfer(world: &mut World, who: &Provider, to: &Pubkey, amount: u64) {
    let transfer = spl_token_2022_interface::instruction::transfer_checked(
        &who.vault.token_program,
        &who.tokens,
        &who.vault.stock_mint,
        to,
        &who.owner,
        &[],
        amount,
        8,
    );
    world.chain.send(&[transfer.unwrap()]).unwrap();
}

/// What a wallet gained since it held `before`, raw units.
pub fn gained(world: &World, who: &Provider, before: u64) -> i128 {
    i128::from(token::balance(&world.chain, &who.tokens)) - i128::from(before)
}
