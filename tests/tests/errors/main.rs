//! Every error of the program, raised on the program itself, with nothing changed.

use perpetua_client::error;

/// Tests of refusals: each names the error that its transaction must fail with.
macro_rules! refusals {
    ($($(#[$doc:meta])* $test:ident: $error:ident = $outcome:expr;)*) => {
        /// The errors that the tests here raise.
        pub const RAISED: &[perpetua::PerpetuaError] = &[$(perpetua::PerpetuaError::$error,)*];

        $($(#[$doc])* #[test] fn $test() {
            let outcome: perpetua_tests::world::Outcome = $outcome;
            let failure = outcome.expect_err("it must be refused");
            assert_eq!(failure.name(), stringify!($error), "{:#?}", failure.logs);
        })*
    };
}

mod admin;
mod governance;
mod losses;
mod margin;
mod mint;
mod pool;
mod price;
mod stock;
mod trade;

/// Errors that no transaction can raise while the program is right.
const UNREACHABLE: &[(&str, &str)] =
    &[("LedgerMismatch", "the program's own conservation check: raising it takes a defect of the program")];

/// The errors that the tests of all files raise.
fn raised() -> Vec<perpetua::PerpetuaError> {
    let early = [admin::RAISED, governance::RAISED, losses::RAISED, margin::RAISED, mint::RAISED].concat();
    [&early, pool::RAISED, price::RAISED, stock::RAISED, trade::RAISED].concat()
}

#[test]
fn every_error_is_raised_by_a_test_here() {
    let raised = raised();
    let excused = |name: &str| UNREACHABLE.iter().any(|(excused, _)| *excused == name);
    let missing = error::ALL.iter().filter(|error| !raised.contains(error)).map(perpetua::PerpetuaError::name);
    assert_eq!(missing.filter(|name| !excused(name)).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn no_error_is_excused_that_a_test_raises() {
    let raised = raised();
    for (name, reason) in UNREACHABLE {
        assert!(!raised.iter().any(|error| error.name() == *name), "{name}: {reason}");
    }
}
