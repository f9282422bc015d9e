//! What a vault's ledgers ask for: claims to serve, shortages and losses of tokens.

use anchor_lang::solana_program::instruction::Instruction;
use perpetua_client::instruction::{self, VaultKeys};

use super::Planner;
use crate::job::{Key, Kind, Reason};

impl Planner<'_> {
    pub(super) fn look_at_ledgers(&mut self) {
        let (book, now) = (&self.view.book, self.now());
        let (vault, balance) = (book.vault.state, book.balance);
        let mut noted = vault;
        if noted.observe_balance(balance, now).is_ok() && noted != vault {
            self.push_ledgers(Kind::NoteShortage, now, instruction::note_shortage);
        }
        let mut copy = vault;
        let recognised = copy.recognise_loss(balance, now).and_then(|loss| loss.total());
        if recognised.is_ok_and(|total| !total.is_zero()) {
            self.push_ledgers(Kind::RecogniseLoss, now, instruction::recognise_loss);
        }
        let mut copy = vault;
        if copy.repay_losses(balance).is_ok() {
            self.push_ledgers(Kind::RepayLosses, now, instruction::repay_losses);
        }
        let mut copy = vault;
        if copy.serve_claims(now).is_ok_and(|served| !served.is_zero()) {
            self.push_ledgers(Kind::ServeClaims, now, instruction::serve_claims);
        }
    }

    fn push_ledgers(&mut self, kind: Kind, since: i64, build: fn(&VaultKeys) -> Instruction) {
        let keys = self.view.book.keys;
        self.push(Key::of(kind, keys.vault), Reason::Ledgers, since, &[], vec![build(&keys)]);
    }
}
