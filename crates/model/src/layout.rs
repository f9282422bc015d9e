//! The sizes of what accounts hold, which never change: accounts are read in place.

use core::mem::size_of;

use crate::{
    account::{MarginAccount, Position},
    calendar::Calendar,
    claims::{Claim, ClaimFund, Scale},
    feed::{Feed, Guards, Window},
    impairment::{Loss, LossShare, MarginLoss},
    index::Index,
    insurance::PayoutWindow,
    mark::Mark,
    market::{Market, MarketConfig, Series, Slot},
    pool::{Pool, PoolConfig, Ticket},
    stock::{Stock, StockConfig, UnitsRange},
    terms::MarketTerms,
    vault::{Vault, VaultConfig},
};

const _: () = assert!(size_of::<Position>() == 40);
const _: () = assert!(size_of::<MarginAccount>() == 760);
const _: () = assert!(size_of::<Guards>() == 16);
const _: () = assert!(size_of::<Window>() == 40);
const _: () = assert!(size_of::<Index>() == 224);
const _: () = assert!(size_of::<MarketConfig>() == 128);
const _: () = assert!(size_of::<Series>() == 56);
const _: () = assert!(size_of::<Slot>() == 136);
const _: () = assert!(size_of::<Market>() == 9352);
const _: () = assert!(size_of::<MarketTerms>() == 288);
const _: () = assert!(size_of::<Mark>() == 48);
const _: () = assert!(size_of::<PoolConfig>() == 16);
const _: () = assert!(size_of::<Pool>() == 56);
const _: () = assert!(size_of::<Ticket>() == 40);
const _: () = assert!(size_of::<VaultConfig>() == 40);
const _: () = assert!(size_of::<Vault>() == 488);
const _: () = assert!(size_of::<Feed>() == 136);
const _: () = assert!(size_of::<UnitsRange>() == 24);
const _: () = assert!(size_of::<Calendar>() == 128);
const _: () = assert!(size_of::<StockConfig>() == 32);
const _: () = assert!(size_of::<Stock>() == 544);
const _: () = assert!(size_of::<Scale>() == 16);
const _: () = assert!(size_of::<ClaimFund>() == 40);
const _: () = assert!(size_of::<Claim>() == 32);
const _: () = assert!(size_of::<PayoutWindow>() == 16);
const _: () = assert!(size_of::<Loss>() == 32);
const _: () = assert!(size_of::<MarginLoss>() == 48);
const _: () = assert!(size_of::<LossShare>() == 16);
