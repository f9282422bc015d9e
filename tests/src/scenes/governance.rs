//! Scenes of changed configurations and of the hand-over.

use perpetua::NewParameters;
use perpetua_client::instruction::{self, Changed};

use super::{Crowd, Scene, crowd, scene};
use crate::{World, parameters::guards, price::FEEDS};

/// Seconds between a proposal and its application.
const DELAY: i64 = 48 * 3_600;

fn changed_index() -> Changed {
    Changed::Index(perpetua_client::address::index(&FEEDS[0]))
}

/// Guards of which one differs.
fn with_crank_age(max_age_crank: u32) -> NewParameters {
    NewParameters::Index(perpetua::GuardParameters { max_age_crank, ..guards() })
}

fn proposed() -> World {
    let Crowd { mut world, .. } = crowd();
    let propose = instruction::propose_change(&world.admin, &changed_index(), with_crank_age(90));
    world.chain.send(&[propose]).expect("the administrator can propose a change");
    world
}

pub(super) fn all() -> Vec<Scene> {
    let Crowd { world, .. } = crowd();
    let (waiting, mut due) = (proposed(), proposed());
    due.chain.wait(DELAY);
    let mut named = world.clone();
    let heir = world.guardian;
    named.chain.send(&[instruction::name_admin(&world.admin, &heir)]).expect("the administrator can name another");
    let (admin, guardian) = (world.admin, world.guardian);
    vec![
        scene(
            "propose_change",
            names!("admin exchange target proposal system_program"),
            world.clone(),
            instruction::propose_change(&admin, &changed_index(), with_crank_age(90)),
        ),
        scene(
            "apply_change",
            names!("exchange target proposal admin"),
            due,
            instruction::apply_change(&admin, &changed_index()),
        ),
        scene(
            "cancel_change",
            names!("authority exchange proposal admin"),
            waiting,
            instruction::cancel_change(&guardian, &admin, &changed_index()),
        ),
        scene(
            "tighten",
            names!("authority exchange target"),
            world.clone(),
            instruction::tighten(&guardian, &changed_index(), with_crank_age(30)),
        ),
        scene("name_admin", names!("admin exchange"), world, instruction::name_admin(&admin, &heir)),
        scene("accept_admin", names!("next_admin exchange"), named, instruction::accept_admin(&heir)),
    ]
}
