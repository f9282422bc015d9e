//! Who takes part, with what, and when liquidity comes and goes.

use perpetua_client::perpetua::Pool;

use super::super::{
    FEE_RECIPIENT, KEEPER, LIQUIDATOR,
    providers::{Deed, Step},
    trading::Care,
};
use super::traders::{DipBuyer, Forgetful, Gambler, Hedger, Leveraged, Momentum, Pessimist, Rule, Straddle};
use crate::{
    history::HOUR,
    record::{Actor, Group},
};

const DAY: i64 = 24 * HOUR;
/// The first hour of the slice: 2020-01-29 00:00 UTC.
const START: i64 = 1_580_256_000;

/// From when traders only sell: 2020-04-14.
pub const LAST_CALL: i64 = START + 76 * DAY;

const CAREFUL: Care = Care { when_buying: 300, daily: true };
const CARELESS: Care = Care { when_buying: 101, daily: false };

/// A trader of the scenario.
pub struct Role {
    /// Name.
    pub name: &'static str,
    /// What he does.
    pub rule_in_words: &'static str,
    /// What he does, in code.
    pub rule: Box<dyn Rule>,
    /// How he keeps his margin.
    pub care: Care,
}

fn role(name: &'static str, rule_in_words: &'static str, rule: impl Rule + 'static, care: Care) -> Role {
    Role { name, rule_in_words, rule: Box::new(rule), care }
}

/// The traders.
pub fn traders() -> Vec<Role> {
    vec![
        role(
            "Hanna",
            "Insures 16 bitcoins: every Saturday she sells last week's put and buys one 8 strikes (10%) below the price.",
            Hedger::default(),
            CAREFUL,
        ),
        role(
            "Max",
            "Follows momentum: buys 12 calls after a rise of 4% in a day, takes half off 5% higher, the rest after a week or 5% lower.",
            Momentum::default(),
            CAREFUL,
        ),
        role(
            "Stella",
            "Buys straddles: 9 calls and 9 puts at the money every other Monday, sold on Saturday.",
            Straddle,
            CAREFUL,
        ),
        role(
            "Gabor",
            "Gambles: a call and a put 18 strikes away every Wednesday, until he holds eight. He never sells.",
            Gambler,
            CAREFUL,
        ),
        role(
            "Fritz",
            "Forgets: twice buys 10 calls with just the margin that is asked for, and never looks again.",
            Forgetful::default(),
            CARELESS,
        ),
        role(
            "Petra",
            "Expects the worst: in mid-February buys 10 puts at the money and 12 puts 6 strikes below, and holds them.",
            Pessimist,
            CAREFUL,
        ),
        role(
            "Lena",
            "Holds 9 calls 8 strikes in the money in place of bitcoins, new ones on the first day of each month.",
            Leveraged::default(),
            CAREFUL,
        ),
        role(
            "Diego",
            "Buys the dip: 20 calls 4 strikes above after a fall of 30% in two days; sells half 20% higher and the rest 35% higher.",
            DipBuyer::default(),
            CAREFUL,
        ),
    ]
}

/// Those who provide liquidity, with what they do in words.
pub const PROVIDERS: [(&str, &str); 5] = [
    ("Anna", "Provides liquidity from the first day to the last."),
    ("Ben", "Joins in mid-February, and leaves on the day of the crash."),
    ("Cleo", "Joins in March, asks to leave on the day of the crash, sleeps on it and stays."),
    ("Dov", "Joins in the night of the crash, as soon as the program lets him."),
    ("Ines", "Stands behind the sellers: the insurance pool."),
];

/// The project, which seeds both pools.
pub const PROJECT: &str = "Project";
const fn step(day: i64, hour: i64, who: &'static str, pool: Pool, deed: Deed) -> Step {
    Step { from: START + day * DAY + hour * HOUR, who, pool, deed }
}

/// What liquidity providers do, in the order of time. The insurance pool's wait is 14 days, the main pool's 3.
pub const SCHEDULE: [Step; 16] = [
    step(0, 0, PROJECT, Pool::Main, Deed::Join(300)),
    step(0, 0, PROJECT, Pool::Insurance, Deed::Join(100)),
    step(0, 1, "Anna", Pool::Main, Deed::Join(1_000)),
    step(2, 0, "Ines", Pool::Insurance, Deed::Join(150)),
    step(17, 0, "Ben", Pool::Main, Deed::Join(450)),
    step(32, 0, "Cleo", Pool::Main, Deed::Join(250)),
    step(44, 2, "Ben", Pool::Main, Deed::Request(100)),
    step(44, 3, "Cleo", Pool::Main, Deed::Request(50)),
    step(45, 12, "Cleo", Pool::Main, Deed::Cancel),
    step(44, 2, "Dov", Pool::Main, Deed::Join(300)),
    step(65, 0, "Ines", Pool::Insurance, Deed::Request(100)),
    step(66, 0, PROJECT, Pool::Insurance, Deed::Request(100)),
    step(77, 0, "Anna", Pool::Main, Deed::Request(100)),
    step(77, 1, "Cleo", Pool::Main, Deed::Request(100)),
    step(77, 2, "Dov", Pool::Main, Deed::Request(100)),
    step(77, 3, PROJECT, Pool::Main, Deed::Request(100)),
];

/// Everybody, as the report lists them.
pub fn actors() -> Vec<Actor> {
    let actor = |name: &str, group, rule: &str| Actor {
        name: name.to_owned(),
        group,
        rule: rule.to_owned(),
        paid_in: 0,
        taken_out: 0,
    };
    let traders = traders().into_iter().map(|role| actor(role.name, Group::Trader, role.rule_in_words));
    let providers = PROVIDERS.into_iter().map(|(name, rule)| actor(name, Group::Provider, rule));
    let others = [
        actor(PROJECT, Group::Project, "Seeds both pools before anybody else, and leaves last."),
        actor(
            KEEPER,
            Group::Keeper,
            "Cranks every hour, settles funding every day, executes withdrawals; nobody pays her.",
        ),
        actor(LIQUIDATOR, Group::Keeper, "Liquidates, and is paid half of the penalty."),
        actor(FEE_RECIPIENT, Group::Protocol, "Owns what protocol fees are paid to."),
    ];
    traders.chain(providers).chain(others).collect()
}
