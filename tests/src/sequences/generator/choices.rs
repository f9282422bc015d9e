//! Whom and what an action is about.

use perpetua_model::{Position, pricing::Side};

use super::Generator;
use crate::sequences::{
    action::{ACTORS, Holder, SUBS, Series, VAULTS},
    mirror::Mirror,
};

impl Generator {
    pub(super) fn vault(&mut self) -> u8 {
        u8::from(self.random.chance(20)) % VAULTS
    }

    pub(super) fn actor(&mut self) -> u8 {
        self.random.small(ACTORS)
    }

    /// A margin account that exists, mostly.
    pub(super) fn holder(&mut self, mirror: &Mirror, vault: u8) -> Holder {
        let all = holders();
        let open: Vec<_> =
            all.iter().copied().filter(|holder| mirror.vaults[usize::from(vault)].account(*holder).is_ok()).collect();
        let known = if self.random.chance(97) { self.random.pick(&open) } else { None };
        known.or_else(|| self.random.pick(&all)).unwrap_or(Holder { owner: 0, sub: 0 })
    }

    /// A position that somebody has in the vault.
    pub(super) fn position(&mut self, mirror: &Mirror, vault: u8) -> Option<(Holder, Position)> {
        let held = positions(mirror, vault);
        self.random.pick(&held)
    }

    /// The same, mostly one of the larger ones, which owe and pay more than rounding.
    pub(super) fn large_position(&mut self, mirror: &Mirror, vault: u8) -> Option<(Holder, Position)> {
        let held = positions(mirror, vault);
        let some: Vec<_> = (0..5).filter_map(|_| self.random.pick(&held)).collect();
        some.into_iter().max_by_key(|(_, position)| position.reserve)
    }

    /// A market of the vault, mostly one that exists.
    pub(super) fn market(&mut self, mirror: &Mirror, vault: u8) -> u8 {
        let count = u8::try_from(mirror.vaults[usize::from(vault)].markets.len()).unwrap_or(0);
        if self.random.chance(98) { self.random.small(count.max(1)) } else { self.random.small(4) }
    }
}

/// All margin accounts that may be.
pub(super) fn holders() -> Vec<Holder> {
    (0..ACTORS).flat_map(|owner| (0..SUBS).map(move |sub| Holder { owner, sub })).collect()
}

/// All positions in a vault.
pub(super) fn positions(mirror: &Mirror, vault: u8) -> Vec<(Holder, Position)> {
    let vault = &mirror.vaults[usize::from(vault)];
    let of = |holder: Holder| {
        let account = vault.account(holder).ok();
        let held = account.into_iter().flat_map(|account| account.open_positions());
        held.map(|(_, position)| (holder, *position)).collect::<Vec<_>>()
    };
    holders().into_iter().flat_map(of).collect()
}

/// The option that a position is in.
pub(super) fn series_of(position: &Position) -> Series {
    Series { market: position.market, put: position.side == Side::Put as u8, tick: position.tick }
}

/// The markets that a margin account has positions in, one bit each.
pub(super) fn markets_of(mirror: &Mirror, vault: u8, holder: Holder) -> u8 {
    let account = mirror.vaults[usize::from(vault)].account(holder).ok();
    let held = account.into_iter().flat_map(|account| account.open_positions());
    held.fold(0, |mask, (_, position)| mask | 1 << position.market)
}

/// All of a vault's markets, one bit each.
pub(super) fn all_markets(mirror: &Mirror, vault: u8) -> u8 {
    u8::try_from((1u32 << mirror.vaults[usize::from(vault)].markets.len()) - 1).unwrap_or(u8::MAX)
}
