//! Who gets a place when all are taken.

use super::*;
use crate::domain::{ObjectId, TenantId};

fn holder(app: u128, person: u128) -> Holder {
    Holder {
        app: Uuid::from_u128(app),
        person: Person {
            tenant: TenantId::new(Uuid::from_u128(1)),
            object: ObjectId::new(Uuid::from_u128(person)),
        },
    }
}

/// Takes as many places as this caller can get now.
fn hoard(places: &Places, holder: Holder) -> Vec<Place> {
    std::iter::from_fn(|| places.take_now(holder)).collect()
}

#[test]
fn one_person_of_one_app_may_have_every_place_while_nobody_else_comes() {
    let places = Places::new(100);
    assert_eq!(hoard(&places, holder(1, 1)).len(), 100);
}

#[test]
fn who_comes_when_one_person_has_every_place_gets_their_share_at_once() {
    let places = Places::new(512);
    let _all = hoard(&places, holder(1, 1));
    for person in 2..20 {
        drop(places.take_now(holder(1, person)).expect("a place"));
    }
    // And as many as they need, well into what is theirs.
    let mut others = Vec::new();
    for _ in 0..100 {
        others.push(places.take_now(holder(1, 2)).expect("a place"));
    }
    assert!(places.take_now(holder(1, 1)).is_none());
}

#[test]
fn several_who_use_up_their_shares_keep_nobody_out() {
    let places = Places::new(512);
    let hoards: Vec<_> = (1..=4).map(|person| hoard(&places, holder(1, person))).collect();
    let taken: Vec<_> = hoards.iter().map(Vec::len).collect();
    assert_eq!(taken.first(), Some(&512));
    assert!(taken.iter().sum::<usize>() < 1024, "{taken:?}");
    assert!(places.take_now(holder(1, 5)).is_some());
    assert!(places.take_now(holder(2, 6)).is_some());
}

#[test]
fn an_app_with_many_people_leaves_another_app_its_share() {
    let places = Places::new(512);
    // Each with one request, as a portal in the morning.
    let crowd: Vec<_> = (0..5000)
        .filter_map(|person| places.take_now(holder(1, person)))
        .collect();
    assert!((512..1024).contains(&crowd.len()), "{}", crowd.len());
    let other: Vec<_> = (0..100)
        .map_while(|person| places.take_now(holder(2, person)))
        .collect();
    assert_eq!(other.len(), 100);
}

#[test]
fn all_places_together_are_never_more_than_twice_the_most() {
    let places = Places::new(16);
    let mut held = Vec::new();
    for number in 0..2000 {
        held.extend(places.take_now(holder(number % 7, number % 31)));
    }
    assert!(held.len() <= 32, "{}", held.len());
    drop(held);
    let taken = places.taken();
    assert!(
        taken.apps.is_empty() && taken.beyond == 0,
        "nothing is kept of who left"
    );
}

#[tokio::test]
async fn who_has_their_share_waits_for_a_place_and_who_finds_the_queue_full_is_sent_away() {
    let places = Places::new(1);
    let (me, other) = (holder(1, 1), holder(1, 1));
    let inside = places.take(me).await.expect("a place");
    let (first, second) = tokio::join!(biased; places.take(me), async {
        let refused = places.take(other).await;
        drop(inside);
        refused
    });
    assert!(first.is_some() && second.is_none());
}
