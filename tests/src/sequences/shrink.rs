//! Makes a sequence that fails as short and as plain as it can be while it fails alike.

use serde_json::Value;

use super::action::Action;

/// Drops steps, large chunks first, then makes numbers small, as long as `fails` says that the rest still fails.
pub fn shrink(actions: &[Action], fails: impl Fn(&[Action]) -> bool) -> Vec<Action> {
    let mut actions = actions.to_vec();
    loop {
        let before = actions.clone();
        drop_steps(&mut actions, &fails);
        simplify(&mut actions, &fails);
        if actions == before {
            return actions;
        }
    }
}

fn drop_steps(actions: &mut Vec<Action>, fails: &impl Fn(&[Action]) -> bool) {
    let mut chunk = actions.len() / 2;
    while chunk > 0 {
        let mut end = actions.len();
        while end > 0 {
            let start = end.saturating_sub(chunk);
            let rest = [&actions[..start], &actions[end..]].concat();
            if fails(&rest) {
                *actions = rest;
            }
            end = start;
        }
        chunk /= 2;
    }
}

fn simplify(actions: &mut Vec<Action>, fails: &impl Fn(&[Action]) -> bool) {
    for step in 0..actions.len() {
        for simpler in simpler(&actions[step]) {
            let mut changed = actions.clone();
            changed[step] = simpler;
            if fails(&changed) {
                *actions = changed;
            }
        }
    }
}

/// The same action with one of its numbers smaller or rounder.
fn simpler(action: &Action) -> Vec<Action> {
    let Ok(written) = serde_json::to_value(action) else { return Vec::new() };
    let mut leaves = Vec::new();
    find_numbers(&written, String::new(), &mut leaves);
    let replaced = |(pointer, number): (String, i128)| {
        let written = written.clone();
        rounder(number).into_iter().filter_map(move |number| {
            let mut written = written.clone();
            *written.pointer_mut(&pointer)? = to_json(number)?;
            serde_json::from_value(written).ok()
        })
    };
    leaves.into_iter().flat_map(replaced).collect()
}

fn find_numbers(value: &Value, pointer: String, found: &mut Vec<(String, i128)>) {
    match value {
        Value::Number(number) => {
            let number = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
            found.extend(number.map(|number| (pointer, number)));
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                find_numbers(field, format!("{pointer}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                find_numbers(item, format!("{pointer}/{place}"), found);
            }
        }
        _ => {}
    }
}

/// Smaller numbers first, then the number with ever more of its digits.
fn rounder(number: i128) -> Vec<i128> {
    let powers = (1..18).rev().map(|digits| 10i128.pow(digits));
    let rounded = powers.map(|power| number / power * power);
    let all = [0, 1, number / 2].into_iter().chain(rounded);
    let mut simpler: Vec<_> = all.filter(|simpler| simpler.unsigned_abs() < number.unsigned_abs()).collect();
    simpler.dedup();
    simpler
}

fn to_json(number: i128) -> Option<Value> {
    let unsigned = u64::try_from(number).ok().map(Value::from);
    unsigned.or_else(|| i64::try_from(number).ok().map(Value::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(seconds: u32) -> Action {
        Action::Wait { seconds, slots: 1 }
    }

    #[test]
    fn what_remains_is_the_shortest_sequence_and_the_smallest_number_that_fail() {
        let give = |amount| Action::Seize { vault: 1, amount };
        let long: Vec<_> = (0..40).map(wait).chain([give(987_654)]).chain((0..40).map(wait)).collect();
        let fails = |actions: &[Action]| {
            let gives = actions.iter().any(|action| matches!(action, Action::Seize { amount: 1_000.., .. }));
            gives && actions.iter().any(|action| matches!(action, Action::Wait { seconds: 30.., .. }))
        };
        let shrunk = shrink(&long, fails);
        assert_eq!(shrunk.len(), 2, "{shrunk:?}");
        assert!(shrunk.contains(&Action::Wait { seconds: 30, slots: 0 }), "{shrunk:?}");
        let seized = shrunk.iter().find_map(|action| match action {
            Action::Seize { vault: 0, amount } => Some(*amount),
            _ => None,
        });
        assert!(seized.is_some_and(|amount| amount < 2_000), "{shrunk:?}");
    }
}
