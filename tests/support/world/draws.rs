//! How likely each deed is: what a generated world draws from.

use super::deeds::{Again, CreditTerms, Deed, Ends, Grant, Holder, Terms};
use super::meters;
use super::names::slot;
use proptest::prelude::*;

fn credits() -> BoxedStrategy<Deed> {
    let carry = prop_oneof![2 => Just((0_u8, 0_u8)), 2 => (0..3_u8, 0..4_u8)];
    let terms =
        (0..3_u8, prop::option::of(0..4_u8), carry, prop::bool::weighted(0.3), rarely(slot()));
    let terms = terms.prop_map(|(priority, every, carry, carry_overage, voided)| CreditTerms {
        priority,
        every,
        carry,
        carry_overage,
        voided,
    });
    let credit = (0..4_u8, 0..6_u8, rarely(0..4_u8), ends(), terms);
    let credit = credit.prop_map(|(product, amount, account, ends, terms)| Deed::Credit {
        product,
        amount,
        account,
        ends,
        terms,
    });
    credit.boxed()
}

fn prices() -> BoxedStrategy<Deed> {
    let terms = (0..4_u8, prop_oneof![2 => Just(0_u8), 1 => 1..4_u8], 0..4_u8, prop::bool::ANY);
    let prices = (0..4_u8, 0..4_u8, rarely(0..4_u8), ends(), terms);
    let prices = prices.prop_map(|(product, model, account, ends, terms)| Deed::Prices {
        product,
        model,
        account,
        ends,
        terms,
    });
    prices.boxed()
}

fn ends() -> impl Strategy<Value = Ends> {
    let end = || prop::option::weighted(0.6, slot());
    (end(), end()).prop_map(|(one, other)| match (one, other) {
        (Some(one), Some(other)) => (Some(one.min(other)), Some(one.max(other))),
        _ => (one, other),
    })
}

fn holders() -> impl Strategy<Value = Holder> {
    (0..4_u8, 0..3_u8, 0..3_u8, prop_oneof![3 => Just(0_u8), 1 => Just(1_u8)])
}

fn rarely<S: Strategy<Value = u8>>(one: S) -> impl Strategy<Value = Option<u8>> {
    prop::option::weighted(0.3, one)
}

fn terms() -> impl Strategy<Value = Terms> {
    let first = (
        prop_oneof![6 => Just(0_u8), 2 => Just(1_u8), 2 => Just(2_u8), 1 => Just(3_u8)],
        ends(),
        prop::option::weighted(0.5, 0..4_u8),
        rarely(0..2_u8),
        prop_oneof![4 => Just(0_u8), 2 => Just(1_u8), 1 => Just(2_u8)],
        prop_oneof![1 => Just(0_u8), 4 => Just(1_u8), 1 => Just(2_u8), 1 => Just(3_u8)],
    );
    let second = (
        prop_oneof![3 => Just(0_u8), 1 => 1..3_u8],
        prop_oneof![3 => Just(0_i8), 1 => -1..2_i8],
        rarely(1..9_u8),
        rarely(0..5_u8),
        0..15_u8,
    );
    let third = (
        prop_oneof![3 => Just(0_u8), 1 => 1..3_u8],
        prop_oneof![3 => Just(0_u8), 1 => 1..5_u8],
        prop::option::weighted(0.2, 0..3_u8),
        prop::option::weighted(0.2, 0..4_u8),
        prop::bool::weighted(0.4),
    );
    (first, second, third).prop_map(|(first, second, third)| {
        let (metric, ends, account, server, basis, per) = first;
        let (overdraft, priority, cost, mask, kind) = second;
        let (margin, grace, parent, territory, restricted) = third;
        Terms {
            metric,
            ends,
            account,
            server,
            basis,
            per,
            overdraft,
            priority,
            cost,
            mask,
            kind,
            margin,
            grace,
            parent,
            territory,
            restricted,
        }
    })
}

fn lines() -> BoxedStrategy<Deed> {
    let grant = prop_oneof![
        8 => (-1..5_i8).prop_map(Grant::Units),
        1 => Just(Grant::Unlimited),
        1 => Just(Grant::Unknown),
    ];
    let line = (0..4_u8, grant, terms());
    line.prop_map(|(product, grant, terms)| Deed::Line { product, grant, terms }).boxed()
}

/// Something that a telemetry source says.
fn event() -> BoxedStrategy<Deed> {
    let count = || prop_oneof![3 => Just(1_u8), 1 => 2..4_u8];
    let checkout = (holders(), count(), ends(), rarely(0..2_u8), rarely(0..2_u8));
    let checkout = checkout.prop_map(|(holder, count, ends, display, handle)| Deed::Checkout {
        holder,
        count,
        from: ends.0.unwrap_or(0),
        to: ends.1,
        display,
        handle,
    });
    let log = (0..6_u8, holders(), count(), slot(), 0..3_u8);
    let log =
        log.prop_map(|(verb, holder, count, at, rank)| Deed::Log { verb, holder, count, at, rank });
    let server = (prop::bool::ANY, 0..2_u8, slot()).prop_map(|(start, server, at)| Deed::Server {
        start,
        server,
        at,
    });
    let usage = (
        (0..4_u8, prop_oneof![5 => 0..5_i8, 1 => -3..0_i8], slot()),
        (rarely(0..3_u8), rarely(0..3_u8), rarely(0..4_u8)),
        prop_oneof![2 => Just(0_u8), 1 => 0..12_u8],
    );
    let usage = usage.prop_map(|((product, quantity, at), (user, device, account), delay)| {
        Deed::Usage { product, quantity, user, device, account, at, delay }
    });
    let held = prop::collection::vec((0..3_u8, 1..3_u8), 0..3);
    let report = (0..2_u8, 0..4_u8, slot(), 0..5_u8, held);
    let report = report.prop_map(|(server, feature, at, issued, holders)| Deed::Report {
        server,
        feature,
        at,
        issued,
        holders,
    });
    let role = (0..3_u8, 0..4_u8, slot());
    let role = role.prop_map(|(device, role, at)| Deed::Role { device, role, at });
    prop_oneof![
        2 => role.boxed(),
        10 => checkout.boxed(),
        4 => log.boxed(),
        2 => server.boxed(),
        5 => usage.boxed(),
        2 => report.boxed(),
    ]
    .boxed()
}

/// Something that a list or table says.
fn stated() -> BoxedStrategy<Deed> {
    let active = prop::option::weighted(0.4, slot());
    let seat = (0..4_u8, 0..3_u8, ends(), rarely(0..4_u8), prop::bool::weighted(0.1), active);
    let seat = seat.prop_map(|(product, user, ends, account, guest, active)| Deed::Seat {
        product,
        user,
        ends,
        account,
        guest,
        active,
    });
    let anchor = prop::option::weighted(0.2, slot());
    let account = (0..4_u8, prop::option::weighted(0.7, 0..4_u8), ends(), rarely(0..3_u8), anchor);
    let account = account.prop_map(|(account, parent, ends, zone, anchor)| Deed::Account {
        account,
        parent,
        ends,
        zone,
        anchor,
    });
    let member = (0..3_u8, 0..3_u8, 0..4_u8, ends());
    let member = member.prop_map(|(kind, member, account, ends)| Deed::Member {
        kind,
        member,
        account,
        ends,
    });
    let alias = (0..4_u8, 0..4_u8, 0..4_u8, ends());
    let alias =
        alias.prop_map(|(kind, raw, canonical, ends)| Deed::Alias { kind, raw, canonical, ends });
    let product = (0..4_u8, prop::option::of(0..2_u8), prop::bool::ANY);
    let product = product.prop_map(|(product, family, publisher)| Deed::Product {
        product,
        family,
        publisher,
    });
    let component =
        (0..3_u8, 0..2_u8).prop_map(|(component, server)| Deed::Component { component, server });
    let place = (prop::bool::ANY, 0..4_u8, 0..3_u8, ends());
    let place =
        place.prop_map(|(device, name, country, ends)| Deed::Place { device, name, country, ends });
    let territory = (0..2_u8, 0..3_u8, ends());
    let territory = territory.prop_map(|(territory, country, ends)| Deed::Territory {
        territory,
        country,
        ends,
    });
    prop_oneof![
        2 => place.boxed(),
        1 => territory.boxed(),
        6 => lines(),
        5 => credits(),
        3 => prices(),
        3 => seat.boxed(),
        4 => account.boxed(),
        3 => member.boxed(),
        3 => alias.boxed(),
        2 => product.boxed(),
        2 => component.boxed(),
    ]
    .boxed()
}

/// Anything that happens in a world.
pub(super) fn deed() -> BoxedStrategy<Deed> {
    let row = (0..2_u8, 1..4_u8, stated()).prop_map(|(document, version, deed)| Deed::Row {
        document,
        version,
        deed: Box::new(deed),
    });
    let version = (0..2_u8, 1..4_u8, prop::option::weighted(0.7, slot()))
        .prop_map(|(document, version, from)| Deed::Version { document, version, from });
    let other = prop_oneof![event(), stated()].prop_map(|deed| Deed::Other(Box::new(deed)));
    let how = prop_oneof![
        2 => Just(Again::Repeat),
        1 => Just(Again::Contradict),
        1 => Just(Again::Revise),
        2 => (0..2_u8).prop_map(Again::Retract),
    ];
    let again = (any::<u8>(), how).prop_map(|(of, how)| Deed::Again { of, how });
    prop_oneof![
        12 => event(),
        10 => stated(),
        9 => meters::told(),
        3 => row.boxed(),
        2 => version.boxed(),
        1 => other.boxed(),
        4 => again.boxed(),
    ]
    .boxed()
}
