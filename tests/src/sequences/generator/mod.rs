//! Chooses what happens next: mostly what is likely to work in the world as the mirror sees it, sometimes anything.

mod choices;
mod crises;
mod governance;
mod keepers;
mod listing;
mod prices;
mod traders;

use std::collections::VecDeque;

use super::{
    action::{ACTORS, Action, FEEDS},
    mirror::Mirror,
    random::Random,
};

/// What a sequence is mostly about: each has its own weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Temper {
    /// A bit of everything.
    Mixed,
    /// Trades within seconds.
    Busy,
    /// Options that run far, into their caps or away, while the stock falls.
    Stormy,
    /// Tokens that are seized and come back, mints that change.
    Robbed,
    /// Pools that are joined and left.
    Liquid,
}

/// The more often one is named, the more sequences are of it.
const TEMPERS: [Temper; 8] = [
    Temper::Mixed,
    Temper::Mixed,
    Temper::Busy,
    Temper::Busy,
    Temper::Stormy,
    Temper::Stormy,
    Temper::Robbed,
    Temper::Liquid,
];

/// Plans one action or several that belong together.
type Plan = fn(&mut Generator, &Mirror);

/// The plans, and how often each is chosen in the order of [`Temper`].
const PLANS: &[(Plan, [u64; 5])] = &[
    (Generator::pass_time, [12, 16, 10, 8, 10]),
    (Generator::go_to_session, [4, 3, 6, 3, 3]),
    (Generator::crank_all, [6, 8, 6, 4, 6]),
    (Generator::buy, [14, 22, 18, 10, 16]),
    (Generator::churn, [3, 10, 2, 0, 1]),
    (Generator::sell, [9, 16, 6, 5, 5]),
    (Generator::move_collateral, [6, 5, 4, 6, 3]),
    (Generator::change_accounts, [2, 1, 1, 3, 1]),
    (Generator::collect, [5, 4, 4, 6, 5]),
    (Generator::liquidate_somebody, [3, 4, 3, 3, 2]),
    (Generator::starve_somebody, [5, 4, 5, 3, 1]),
    (Generator::run_to_cap, [2, 1, 6, 1, 1]),
    (Generator::run_away, [2, 1, 3, 1, 1]),
    (Generator::go_silent, [2, 1, 2, 1, 1]),
    (Generator::halve_stock, [2, 0, 8, 1, 1]),
    (Generator::calm_down, [3, 2, 3, 3, 2]),
    (Generator::join_a_pool, [4, 2, 3, 3, 14]),
    (Generator::ask_to_leave, [3, 3, 2, 2, 8]),
    (Generator::execute_front, [5, 4, 3, 3, 14]),
    (Generator::finish_tickets, [5, 3, 2, 3, 10]),
    (Generator::serve_and_sync, [2, 1, 6, 4, 2]),
    (Generator::seize_tokens, [1, 0, 1, 8, 1]),
    (Generator::give_back_tokens, [1, 0, 1, 6, 1]),
    (Generator::disturb_mint, [1, 0, 1, 5, 1]),
    (Generator::change_multiplier, [1, 0, 2, 2, 0]),
    (Generator::restore, [10, 8, 8, 20, 8]),
    (Generator::change_parameters, [8, 1, 2, 4, 3]),
    (Generator::hand_over, [1, 0, 0, 1, 0]),
    (Generator::list_more, [2, 1, 1, 1, 1]),
    (Generator::post_nonsense, [2, 2, 1, 1, 1]),
    (Generator::make_gift, [1, 1, 1, 2, 2]),
];

/// A plan that waits.
type Later = Box<dyn FnOnce(&mut Generator, &Mirror)>;

/// What is planned.
enum Planned {
    /// This.
    Action(Action),
    /// More, once the world is as it will be then.
    Then(Later),
}

/// Chooses actions.
pub struct Generator {
    random: Random,
    temper: Temper,
    queue: VecDeque<Planned>,
    /// Where the feeds' prices are, in 10^-8 US dollars.
    spot: [i64; FEEDS as usize],
    /// What the clock will show once the queue is empty, as far as was planned.
    ahead: i64,
}

impl Generator {
    /// A generator whose actions only depend on `seed` and on the mirror.
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let temper = random.pick(&TEMPERS).unwrap_or(Temper::Mixed);
        let mut generator = Self { random, temper, queue: VecDeque::new(), spot: prices::START, ahead: 0 };
        generator.set_up();
        generator
    }

    /// The next action in the world that the mirror shows.
    pub fn next(&mut self, mirror: &Mirror) -> Action {
        let mut action = loop {
            match self.queue.pop_front() {
                Some(Planned::Action(action)) => break action,
                Some(Planned::Then(plan)) => {
                    self.ahead = 0;
                    plan(self, mirror);
                }
                None => {
                    self.ahead = 0;
                    let plan = self.choose();
                    plan(self, mirror);
                }
            }
        };
        if mirror.exchange.is_some() && self.random.chance(4) {
            self.spoil(&mut action);
        }
        action
    }

    fn choose(&mut self) -> Plan {
        let temper = self.temper as usize;
        let total = PLANS.iter().map(|(_, weights)| weights[temper]).sum();
        let mut left = self.random.below(total);
        for (plan, weights) in PLANS {
            match left.checked_sub(weights[temper]) {
                Some(rest) => left = rest,
                None => return *plan,
            }
        }
        Self::pass_time
    }

    fn push(&mut self, action: Action) {
        if let Action::Wait { seconds, .. } = action {
            self.ahead += i64::from(seconds);
        }
        self.queue.push_back(Planned::Action(action));
    }

    /// Plans more when all until now is done; nothing else may be planned behind it.
    fn then(&mut self, plan: impl FnOnce(&mut Self, &Mirror) + 'static) {
        self.queue.push_back(Planned::Then(Box::new(plan)));
    }

    /// Makes an action that would probably work another one: another signer, other markets, another amount.
    fn spoil(&mut self, action: &mut Action) {
        let who = self.random.small(ACTORS);
        let mask = self.random.small(16);
        match action {
            Action::Withdraw { by, given, amount, .. } => match self.random.below(3) {
                0 => *by = who,
                1 => *given = mask,
                _ => *amount = self.random.around(*amount),
            },
            Action::JoinPool { by, given, amount, .. } => match self.random.below(3) {
                0 => *by = who,
                1 => *given = mask,
                _ => *amount = self.random.around(*amount),
            },
            Action::OpenPosition { by, given, size, max_cost, .. } => match self.random.below(4) {
                0 => *by = who,
                1 => *given = mask,
                2 => *max_cost = self.random.magnitude(1, 1 << 40),
                _ => *size = self.random.around(*size),
            },
            Action::ClosePosition { by, size, min_proceeds, .. } => match self.random.below(3) {
                0 => *by = who,
                1 => *min_proceeds = self.random.magnitude(1, 1 << 40),
                _ => *size = self.random.around(*size),
            },
            Action::Liquidate { by, given, holder, keeper, .. } => match self.random.below(3) {
                0 => *by = who,
                1 => *given = mask,
                _ => *keeper = *holder,
            },
            Action::SettleFunding { given, .. } | Action::ExecuteWithdrawal { given, .. } => *given = mask,
            Action::Deposit { amount, .. } => *amount = self.random.around(*amount),
            Action::RequestWithdrawal { shares, .. } => *shares = self.random.around(*shares),
            Action::CrankFunding { update, with_stock, .. } => match self.random.below(2) {
                0 => *update = None,
                _ => *with_stock = !*with_stock,
            },
            Action::CollectFees { to, .. } => *to = who,
            Action::SetOpeningPaused { by, .. }
            | Action::ProposeChange { by, .. }
            | Action::CancelChange { by, .. }
            | Action::Tighten { by, .. }
            | Action::NameAdmin { by, .. }
            | Action::AcceptAdmin { by }
            | Action::AcknowledgeMint { by, .. }
            | Action::AcknowledgeMultiplier { by, .. }
            | Action::ShortenSessions { by, .. }
            | Action::CreateIndex { by, .. }
            | Action::CreateMarket { by, .. }
            | Action::CloseAccount { by, .. }
            | Action::CancelWithdrawal { by, .. }
            | Action::ClaimWithdrawal { by, .. } => *by = who,
            _ => {}
        }
    }
}
