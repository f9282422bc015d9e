use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction, system_program};
use perpetua::NewParameters;

use super::build;
use crate::address;

/// An account whose configuration changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// The exchange.
    Exchange,
    /// An index.
    Index(Pubkey),
    /// A vault.
    Vault(Pubkey),
    /// A market.
    Market(Pubkey),
    /// A stock.
    Stock(Pubkey),
}

impl Changed {
    /// Its address.
    pub fn address(&self) -> Pubkey {
        match self {
            Self::Exchange => address::exchange(),
            Self::Index(address) | Self::Vault(address) | Self::Market(address) | Self::Stock(address) => *address,
        }
    }

    /// The change that is proposed for it.
    pub fn proposal(&self) -> Pubkey {
        address::proposal(&self.address())
    }

    /// The account as instructions take it: the exchange is named in any case.
    fn account(&self) -> Option<Pubkey> {
        if *self == Self::Exchange { None } else { Some(self.address()) }
    }
}

/// Proposes to replace a configuration; it can be applied two days later.
pub fn propose_change(admin: &Pubkey, changed: &Changed, new: NewParameters) -> Instruction {
    let accounts = perpetua::accounts::ProposeChange {
        admin: *admin,
        exchange: address::exchange(),
        target: changed.account(),
        proposal: changed.proposal(),
        system_program: system_program::ID,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    build(accounts, perpetua::instruction::ProposeChange { new })
}

/// Applies a change that was proposed two days ago. The rent goes to the administrator.
pub fn apply_change(admin: &Pubkey, changed: &Changed) -> Instruction {
    let accounts = perpetua::accounts::ApplyChange {
        exchange: address::exchange(),
        target: changed.account(),
        proposal: changed.proposal(),
        admin: *admin,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    build(accounts, perpetua::instruction::ApplyChange {})
}

/// Takes a proposed change back. The administrator or the guardian signs; the rent goes to the administrator.
pub fn cancel_change(authority: &Pubkey, admin: &Pubkey, changed: &Changed) -> Instruction {
    let accounts = perpetua::accounts::CancelChange {
        authority: *authority,
        exchange: address::exchange(),
        proposal: changed.proposal(),
        admin: *admin,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    build(accounts, perpetua::instruction::CancelChange {})
}

/// Tightens limits and guards at once. The administrator or the guardian signs.
pub fn tighten(authority: &Pubkey, changed: &Changed, new: NewParameters) -> Instruction {
    let accounts = perpetua::accounts::Tighten {
        authority: *authority,
        exchange: address::exchange(),
        target: changed.account(),
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    build(accounts, perpetua::instruction::Tighten { new })
}

/// Names who becomes administrator once he accepts.
pub fn name_admin(admin: &Pubkey, next_admin: &Pubkey) -> Instruction {
    let accounts = perpetua::accounts::NameAdmin {
        admin: *admin,
        exchange: address::exchange(),
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    build(accounts, perpetua::instruction::NameAdmin { next_admin: *next_admin })
}

/// Makes who was named, and signs, the administrator.
pub fn accept_admin(next_admin: &Pubkey) -> Instruction {
    let accounts = perpetua::accounts::AcceptAdmin {
        next_admin: *next_admin,
        exchange: address::exchange(),
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    build(accounts, perpetua::instruction::AcceptAdmin {})
}
