//! The sizes of what accounts hold, which never change: accounts are read in place.

use core::mem::size_of;

use crate::{
    account::{MarginAccount, Position},
    claims::{Claim, ClaimFund, Scale},
    impairment::{Loss, LossShare, MarginLoss},
    index::{Guards, Index, Window},
    insurance::PayoutWindow,
    mark::Mark,
    market::{Market, MarketConfig, Series, Slot},
    pool::{Pool, PoolConfig, Ticket},
    vault::{Vault, VaultConfig},
};

const _: () = assert!(size_of::<Position>() == 40);
const _: () = assert!(size_of::<MarginAccount>() == 752);
const _: () = assert!(size_of::<Guards>() == 16);
const _: () = assert!(size_of::<Window>() == 40);
const _: () = assert!(size_of::<Index>() == 224);
const _: () = assert!(size_of::<MarketConfig>() == 128);
const _: () = assert!(size_of::<Series>() == 56);
const _: () = assert!(size_of::<Slot>() == 136);
const _: () = assert!(size_of::<Market>() == 8968);
const _: () = assert!(size_of::<Mark>() == 40);
const _: () = assert!(size_of::<PoolConfig>() == 16);
const _: () = assert!(size_of::<Pool>() == 56);
const _: () = assert!(size_of::<Ticket>() == 32);
const _: () = assert!(size_of::<VaultConfig>() == 40);
const _: () = assert!(size_of::<Vault>() == 480);
const _: () = assert!(size_of::<Scale>() == 16);
const _: () = assert!(size_of::<ClaimFund>() == 40);
const _: () = assert!(size_of::<Claim>() == 32);
const _: () = assert!(size_of::<PayoutWindow>() == 16);
const _: () = assert!(size_of::<Loss>() == 32);
const _: () = assert!(size_of::<MarginLoss>() == 48);
const _: () = assert!(size_of::<LossShare>() == 16);
