//! The program's own accounts from any bytes.

use anchor_lang::{
    ZeroCopy,
    prelude::{AccountLoader, Pubkey},
};
use perpetua::state;
use perpetua_client::account::{ReadError, Stored, read, read_copy};
use perpetua_model::Moment;

use crate::with_account;

/// Reads the bytes as each kind of account. The client takes them if and only if owner, discriminator, size and version
/// are right; what it took encodes to the same bytes; the program reads the same; and nothing that readers ask of it panics.
pub fn accounts(data: &[u8]) {
    let kinds = [
        check::<state::Exchange>(data, |_| ()),
        check::<state::Index>(data, |index| {
            let _ = (index.state.read(1 << 31, 60), index.state.provisional_variance());
        }),
        check::<state::Vault>(data, |vault| {
            let _ = (vault.state.total(), vault.state.exit_capacity(perpetua_model::PoolKind::Main));
        }),
        check::<state::Market>(data, |market| {
            let _ = (market.state.total_reserve(), market.state.config.settlement(), market.state.config.grid());
        }),
        check::<state::MarginAccount>(data, |account| {
            let used = account.state.markets_used();
            assert!(account.state.open_positions().count() == 0 || used.len() == perpetua_model::MARKETS);
        }),
        check::<state::WithdrawalTicket>(data, |_| ()),
        check::<state::Stock>(data, |stock| {
            let _ = stock.state.read(Moment { now: 1 << 31, slot: 1 });
        }),
        check::<state::Proposal>(data, |_| ()),
    ];
    assert!(kinds.into_iter().filter(|taken| *taken).count() <= 1, "one account of two kinds");
}

/// Whether the bytes are an account of this kind.
fn check<T: Stored + ZeroCopy>(data: &[u8], ask: impl FnOnce(&T)) -> bool {
    let stranger = read_copy::<T>(&Pubkey::default(), data).err();
    assert_eq!(stranger, Some(ReadError::WrongOwner(Pubkey::default())));
    let loaded = with_account(&perpetua::ID, data, |info| {
        AccountLoader::<T>::try_from(info).ok()?;
        info.data.borrow().get(8..8 + size_of::<T>()).map(<[u8]>::to_vec)
    });
    match read_copy::<T>(&perpetua::ID, data) {
        Ok(value) => {
            assert_eq!(
                [T::DISCRIMINATOR, bytemuck::bytes_of(&value)].concat(),
                data,
                "encodes to what it was read from"
            );
            assert_eq!(loaded, Some(bytemuck::bytes_of(&value).to_vec()), "the program reads the same");
            assert_eq!(value.version(), perpetua::constants::VERSION);
            ask(&value);
            true
        }
        Err(error) => {
            let right = data.starts_with(T::DISCRIMINATOR) && data.len() == 8 + size_of::<T>();
            assert_eq!(right, matches!(error, ReadError::UnknownVersion(_)), "refused for no reason: {error}");
            assert!(read::<T>(&perpetua::ID, data).is_err());
            false
        }
    }
}
