//! Names that get a meaning, lose it, and have two.

use super::{Asker, Statement, resolve};
use crate::Diff;
use crate::testing::run;
use trueup_model::catalog::AliasKind;
use trueup_model::derived::{Resolution, Subject};
use trueup_model::discrepancy::DiscrepancyKind;
use trueup_model::id::{AccountId, DeviceId, Id, ProductId, ServerId, TenantId, UserId};
use trueup_model::org::MemberKind;
use trueup_model::time::{Span, Timestamp};

type Row = (Option<Subject>, Option<Statement>);

const TENANT: TenantId = TenantId(1);
const LONDON: AccountId = AccountId(51);
const PARIS: AccountId = AccountId(52);

fn subject() -> Subject {
    Subject {
        tenant: TENANT,
        server: Some(ServerId(10)),
        feature: ProductId(20),
        user: Some(UserId(30)),
        device: Some(DeviceId(40)),
        account: None,
    }
}

fn say(statement: Statement) -> (Row, Diff) {
    ((None, Some(statement)), 1)
}

fn unsay(statement: Statement) -> (Row, Diff) {
    ((None, Some(statement)), -1)
}

/// Runs a script; shows resolutions as (span, user, account) and what is unmapped, by epoch.
fn check(script: Vec<Vec<(Row, Diff)>>, expected: &[&[&str]]) {
    let given = run(2, script, |rows| {
        let subjects = rows.clone().flat_map(|(subject, _)| subject);
        let subjects = subjects.map(|subject| (subject, Asker::Checkout));
        let statements = rows.flat_map(|(_, statement)| statement);
        let resolved = resolve(subjects, statements);
        let resolutions = resolved.resolutions.map(|(_, resolution)| show(&resolution));
        let unmapped = resolved.unmapped.map(|row| format!("{} {}", row.kind.name(), row.name.0));
        resolutions.concat(unmapped)
    });
    let shown: Vec<Vec<String>> = given
        .into_iter()
        .map(|rows| rows.into_iter().map(|(row, diff)| format!("{diff:+} {row}")).collect())
        .collect();
    assert_eq!(shown, expected);
}

fn show(resolution: &Resolution) -> String {
    let account = match resolution.account {
        LONDON => "london",
        PARIS => "paris",
        other if other == AccountId::root(TENANT) => "root",
        other if other == AccountId::unattributed(TENANT) => "unattributed",
        _ => "?",
    };
    let user = resolution.user.map_or(0, |user| user.0);
    let bound = |at: Timestamp| match at {
        Timestamp::MIN => "-".to_owned(),
        Timestamp::MAX => "+".to_owned(),
        Timestamp(at) => at.to_string(),
    };
    format!(
        "[{},{}) user {user} {account}",
        bound(resolution.span.start),
        bound(resolution.span.end)
    )
}

fn here() -> (Row, Diff) {
    ((Some(subject()), None), 1)
}

#[test]
fn without_an_organization_everything_counts_at_the_root() {
    check(
        vec![vec![here()], vec![((Some(subject()), None), -1)]],
        &[&["+1 [-,+) user 30 root"], &["-1 [-,+) user 30 root"]],
    );
}

#[test]
fn an_unmapped_machine_counts_as_unattributed_until_its_membership_arrives() {
    let member = Statement::Member(MemberKind::Device, Id(40), LONDON, Span::ALWAYS);
    check(
        vec![
            vec![here(), say(Statement::Account(TENANT, LONDON))],
            vec![say(member)],
            vec![unsay(member)],
        ],
        &[
            &["+1 [-,+) user 30 unattributed", "+1 unmapped_device 40"],
            &["+1 [-,+) user 30 london", "-1 [-,+) user 30 unattributed", "-1 unmapped_device 40"],
            &["-1 [-,+) user 30 london", "+1 [-,+) user 30 unattributed", "+1 unmapped_device 40"],
        ],
    );
}

#[test]
fn the_user_s_account_goes_before_the_machine_s_and_both_change_with_time() {
    let london = Span::new(Timestamp(0), Timestamp(50));
    check(
        vec![vec![
            here(),
            say(Statement::Account(TENANT, LONDON)),
            say(Statement::Member(MemberKind::Device, Id(40), PARIS, Span::ALWAYS)),
            say(Statement::Member(MemberKind::User, Id(30), LONDON, london)),
        ]],
        &[&["+1 [-,0) user 30 paris", "+1 [0,50) user 30 london", "+1 [50,+) user 30 paris"]],
    );
}

#[test]
fn a_user_s_alias_brings_the_other_user_s_account() {
    let alias = Statement::Alias(AliasKind::User, Id(30), Id(31), Span::from(Timestamp(7)));
    check(
        vec![
            vec![
                here(),
                say(Statement::Account(TENANT, LONDON)),
                say(Statement::Member(MemberKind::User, Id(31), LONDON, Span::ALWAYS)),
                say(Statement::Member(MemberKind::Server, Id(10), PARIS, Span::ALWAYS)),
            ],
            vec![say(alias)],
        ],
        &[
            &["+1 [-,+) user 30 paris"],
            &["-1 [-,+) user 30 paris", "+1 [-,7) user 30 paris", "+1 [7,+) user 31 london"],
        ],
    );
}

#[test]
fn two_meanings_at_once_are_a_conflict_and_neither_holds() {
    let first = Statement::Alias(AliasKind::User, Id(30), Id(31), Span::ALWAYS);
    let second = Statement::Alias(AliasKind::User, Id(30), Id(32), Span::from(Timestamp(5)));
    check(
        vec![vec![here(), say(first), say(second)], vec![unsay(first)]],
        &[
            &["+1 [-,5) user 31 root", "+1 [5,+) user 30 root", "+1 alias_conflict 30"],
            &[
                "+1 [-,5) user 30 root",
                "-1 [-,5) user 31 root",
                "-1 [5,+) user 30 root",
                "+1 [5,+) user 32 root",
                "-1 alias_conflict 30",
            ],
        ],
    );
}

#[test]
fn a_full_name_waits_for_its_alias() {
    let full_name = Statement::Unresolved(trueup_model::id::NameKind::User, Id(30));
    let alias = Statement::Alias(AliasKind::User, Id(30), Id(31), Span::ALWAYS);
    check(
        vec![vec![here(), say(full_name)], vec![say(alias)]],
        &[
            &["+1 [-,+) user 30 root", "+1 unmapped_user 30"],
            &["-1 [-,+) user 30 root", "+1 [-,+) user 31 root", "-1 unmapped_user 30"],
        ],
    );
}

#[test]
fn an_account_that_the_source_names_must_have_a_place_once_there_is_an_organization() {
    let named = Subject { account: Some(LONDON), ..subject() };
    check(
        vec![
            vec![((Some(named), None), 1)],
            vec![say(Statement::Account(TENANT, PARIS))],
            vec![say(Statement::Account(TENANT, LONDON))],
        ],
        &[&["+1 [-,+) user 30 london"], &["+1 unmapped_account 51"], &["-1 unmapped_account 51"]],
    );
    assert_eq!(DiscrepancyKind::UnmappedAccount.severity(), 3);
}
