use super::{MachineIndex, PersonIndex, Population, invent_person, plain};
use crate::random::Random;
use trueup_model::id::NameKind;

#[test]
fn a_person_counts_for_their_own_account_before_the_machines() {
    let mut population = Population::default();
    let group = population.account("Group", None, "UTC");
    let unit = population.account("Unit", Some(group), "UTC");
    population.person(&["ada"], Some(group));
    population.person(&["bob"], None);
    population.machine(&["ws1"], Some(unit));
    population.machine(&["ws2"], None);
    let account =
        |person, machine| population.account_of(PersonIndex(person), MachineIndex(machine));
    assert_eq!(account(0, 0), Some(group));
    assert_eq!(account(1, 0), Some(unit));
    assert_eq!(account(1, 1), None);
    assert_eq!(population.upwards(unit), [unit, group]);
}

#[test]
fn every_spelling_of_an_invented_person_is_one_name() {
    let mut random = Random::new(2);
    for number in 0..500 {
        let spellings = invent_person(&mut random, number);
        let first = plain(NameKind::User, &spellings[0]).0;
        assert!(spellings.iter().all(|one| plain(NameKind::User, one).0 == first));
    }
}

#[test]
fn a_full_name_is_not_a_login_name() {
    assert!(!plain(NameKind::User, "Ada Holm").1);
    assert!(plain(NameKind::User, "aholm").1);
}
