use super::Random;

#[test]
fn the_same_seed_gives_the_same_numbers() {
    let (mut one, mut other) = (Random::new(7), Random::new(7));
    for _ in 0..1000 {
        assert_eq!(one.next_word(), other.next_word());
    }
}

#[test]
fn the_numbers_of_a_seed_never_change() {
    let mut random = Random::new(0);
    // SplitMix64 of 0 begins with these words, which are the state; xoshiro256** then gives
    // rotl(state[1] · 5, 7) · 9.
    let second = 0x6E78_9E6A_A1B9_65F4_u64;
    assert_eq!(random.next_word(), second.wrapping_mul(5).rotate_left(7).wrapping_mul(9));
}

#[test]
fn other_seeds_and_labels_give_other_numbers() {
    let mut first = Random::new(1);
    assert_ne!(first.next_word(), Random::new(2).next_word());
    assert_ne!(first.fork("a").next_word(), first.fork("b").next_word());
}

#[test]
fn a_fork_does_not_depend_on_what_was_drawn() {
    let mut random = Random::new(3);
    let before = random.fork("logs").next_word();
    random.next_word();
    assert_eq!(random.fork("logs").next_word(), before);
}

#[test]
fn numbers_stay_below_their_bound_and_reach_every_value() {
    let mut random = Random::new(11);
    let mut seen = [0_u32; 7];
    for _ in 0..7000 {
        let value = random.below(7);
        seen[usize::try_from(value).unwrap()] += 1;
    }
    assert!(seen.iter().all(|count| (800..1200).contains(count)), "{seen:?}");
    assert_eq!(random.below(0), 0);
    assert_eq!(random.below(1), 0);
}

#[test]
fn both_ends_of_a_range_are_drawn() {
    let mut random = Random::new(5);
    let drawn: Vec<u64> = (0..200).map(|_| random.between(3, 5)).collect();
    assert!(drawn.contains(&3) && drawn.contains(&5));
    assert!(drawn.iter().all(|value| (3..=5).contains(value)));
    assert_eq!(random.between(9, 9), 9);
    assert_eq!(random.between(9, 2), 9);
    random.between(0, u64::MAX);
}

#[test]
fn a_shuffle_keeps_every_item() {
    let mut items: Vec<u32> = (0..50).collect();
    Random::new(13).shuffle(&mut items);
    assert_ne!(items, (0..50).collect::<Vec<_>>());
    items.sort_unstable();
    assert_eq!(items, (0..50).collect::<Vec<_>>());
}

#[test]
fn quantiles_follow_their_points() {
    let mut random = Random::new(17);
    let points = [(0, 60), (500, 720), (950, 7_200), (1000, 2_419_200)];
    let mut drawn: Vec<u64> = (0..10_000).map(|_| random.quantile(&points)).collect();
    drawn.sort_unstable();
    assert!(drawn[0] >= 60 && drawn[9_999] < 2_419_200);
    assert!((650..800).contains(&drawn[5_000]), "median {}", drawn[5_000]);
    assert!((6_000..9_000).contains(&drawn[9_480]), "tail {}", drawn[9_480]);
}
