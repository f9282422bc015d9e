use anchor_lang::prelude::*;

/// The program's one configuration account. Seeds: `"exchange"`.
#[account(zero_copy)]
#[derive(Debug)]
#[repr(C)]
pub struct Exchange {
    /// May list indices, vaults and markets.
    pub admin: Pubkey,
    /// May pause the opening of positions, tighten limits and cancel changes.
    pub guardian: Pubkey,
    /// Owner of the token accounts that protocol fees are paid to.
    pub fee_recipient: Pubkey,
    /// Layout of this account; 1.
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// 1 while opening positions and joining pools is paused.
    pub opening_paused: u8,
    /// Zero.
    pub padding: [u8; 5],
    /// Who becomes administrator once he accepts; zero if nobody was named.
    pub next_admin: Pubkey,
    /// Zero; room for later versions.
    pub reserved: [u8; 96],
}

impl Exchange {
    /// First seed of the address.
    pub const SEED: &'static [u8] = b"exchange";

    /// Whether somebody may tighten limits and cancel changes: the administrator and the guardian.
    pub fn may_tighten(&self, who: &Pubkey) -> bool {
        *who == self.admin || *who == self.guardian
    }
}

const _: () = assert!(size_of::<Exchange>() == 232);
