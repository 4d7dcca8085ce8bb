//! Use: who used what of which product for which account, and how it counts.
//!
//! use = { (product, account, group, span, units) :
//!         charge ⋈ duplicate rule on (server, feature), ⋈ resolution on subject, ⋈ rule on product }
//!
//! group = the parts of the holder that the product's duplicate rule names, on one server: checkouts
//! of one group share licenses. Seats are uses whose group is the person.
//!
//! demand = the uses of a product under the metrics that its lines and its policy name. What weighs
//! in a pool is no demand of its own: its units count, weighed, for the pool.
//!
//! Work per change: the uses of the subject, feature or product that changed.

use crate::Facts;
use crate::downgrades::Way;
use crate::entitle::{LineInForce, Right};
use crate::features;
use crate::inclusion::Charge;
use crate::keyed::{Keyed as _, Rows as _};
use crate::machines::FactorRow;
use crate::segments::{greatest, outside};
use crate::volume::{Asked, Reading};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use trueup_model::calendar::PeriodUnit;
use trueup_model::contract::LineClass;
use trueup_model::derived::{Resolution, Subject};
use trueup_model::fact::FactId;
use trueup_model::factor::FactorKind;
use trueup_model::hash::mix;
use trueup_model::id::{AccountId, DeviceId, ProductId, ServerId, TenantId, TextId, UserId};
use trueup_model::metric::{DuplicateMask, Duplicates, Metric};
use trueup_model::processors::Weight;
use trueup_model::quantity::Quantity;
use trueup_model::time::Span;
use trueup_policy::rules::{MetricSet, NamedUsers, ProductSettings};

/// A part of a session or seat, attributed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Use {
    /// Whose it is.
    pub tenant: TenantId,
    /// The product.
    pub product: ProductId,
    /// For which account.
    pub account: AccountId,
    /// How it counts.
    pub metric: Metric,
    /// Uses of one group share licenses; `None` counts by itself.
    pub group: Option<u64>,
    /// When.
    pub span: Span,
    /// How many licenses.
    pub units: Quantity,
    /// By whom.
    pub user: Option<UserId>,
    /// On which machine.
    pub device: Option<DeviceId>,
    /// Where, for products whose lines are bound to territories.
    pub place: Place,
    /// The session's opening fact, so that equal sessions stay apart; zero for seats.
    pub session: FactId,
    /// What a unit weighs.
    pub weight: Weight,
    /// The product that is used, where the use counts for the pool that it is drawn from.
    pub part: ProductId,
    /// Whether it is no use, but a least count that uses together must reach.
    pub least: bool,
}

/// Where something is used.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Place {
    /// It does not matter.
    #[default]
    Anywhere,
    /// Nothing states a country.
    Unknown,
    /// In a country.
    In(TextId),
}

/// What holds for a product: its settings and the metrics of its lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Rule {
    /// What the policy says.
    pub settings: ProductSettings,
    /// The metrics of its lines; if it has none, of those that may cover it; empty if there are none.
    pub licensed: MetricSet,
    /// Whether a line of it is bound to a territory.
    pub territorial: bool,
}

impl Rule {
    /// Whether use of this natural metric makes demand under it.
    ///
    /// A product without lines is counted as its telemetry counts; one with lines as they say.
    pub fn demands(&self, natural: Metric) -> bool {
        self.settings.metrics.contains(natural)
            || self.licensed.contains(natural)
            || self.licensed == MetricSet::default()
    }

    /// Whether lines or policy ask for a metric.
    pub fn counts(&self, metric: Metric) -> bool {
        self.settings.metrics.contains(metric) || self.licensed.contains(metric)
    }

    /// The metrics under which use of a natural metric makes demand at instants; `weighed` if it is
    /// drawn from a pool.
    fn demanded(&self, natural: Metric, weighed: bool) -> impl Iterator<Item = Metric> {
        let tokens = weighed && natural == Metric::Concurrent;
        let own = if tokens { Metric::Token } else { natural };
        let itself = self.demands(own) && !self.counts_in_periods(own);
        let value = self.counts(Metric::ResourceValue) && self.settings.resource == natural;
        itself.then_some(own).into_iter().chain(value.then_some(Metric::ResourceValue))
    }

    /// Whether demand under a metric belongs to a period as a whole, and not to instants.
    pub fn counts_in_periods(&self, metric: Metric) -> bool {
        match metric {
            Metric::Volume | Metric::Unique | Metric::Maximum | Metric::Latest => true,
            Metric::NamedUser => self.counts_active_users(),
            Metric::Concurrent
            | Metric::Device
            | Metric::Token
            | Metric::Core
            | Metric::ProcessorValue
            | Metric::ResourceValue
            | Metric::Level
            | Metric::Feature => false,
        }
    }

    /// Whether whoever uses the product counts as a named user.
    pub fn counts_active_users(&self) -> bool {
        let named = Metric::NamedUser;
        self.settings.named_users == NamedUsers::Active
            && (self.licensed.contains(named) || self.settings.metrics.contains(named))
    }
}

/// What is stated of how a product is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Stated {
    Settings(ProductSettings),
    /// The metric of a line, and whether it is bound to a territory.
    Line(Metric, bool),
    /// The metric of a line of a product that may cover it.
    Borrowed(Metric),
}

/// What each product's settings and lines say about counting; of a product without lines, what those of
/// the products say that may cover it.
pub fn rules<'s>(
    settings: Facts<'s, (ProductId, ProductSettings)>,
    rights: Facts<'s, Right>,
    ways: Facts<'s, Way>,
) -> Facts<'s, (ProductId, Rule)> {
    let bought = rights.clone().filter(may_be_lent).map(|right| (right.product, right.metric));
    let borrowed = bought
        .once()
        .joined(ways.map(|way| (way.higher, way.lower)), |_, metric, lower| (*lower, *metric))
        .map(|(lower, metric)| (lower, Stated::Borrowed(metric)));
    let licensed =
        rights.map(|right| (right.product, Stated::Line(right.metric, right.territory.is_some())));
    let settings = settings.map(|(product, settings)| (product, Stated::Settings(settings)));
    settings.concatenate([licensed, borrowed]).grouped(
        "Attribute: rules",
        |_product, rows, rules| {
            let mut rule = Rule {
                settings: ProductSettings::default(),
                licensed: MetricSet::default(),
                territorial: false,
            };
            let mut of_others = MetricSet::default();
            for (stated, _) in rows {
                match stated {
                    Stated::Settings(said) => rule.settings = *said,
                    Stated::Line(metric, territorial) => {
                        rule.licensed = rule.licensed.with(*metric);
                        rule.territorial |= territorial;
                    }
                    Stated::Borrowed(metric) => of_others = of_others.with(*metric),
                }
            }
            if rule.licensed == MetricSet::default() {
                rule.licensed = of_others;
            }
            rules.push((rule, 1));
        },
    )
}

/// Whether a right is of a kind that can cover lower products: bought, and for use at instants.
fn may_be_lent(right: &Right) -> bool {
    match right.metric {
        Metric::Volume | Metric::Unique | Metric::Maximum | Metric::Latest => false,
        Metric::NamedUser
        | Metric::Concurrent
        | Metric::Device
        | Metric::Token
        | Metric::Core
        | Metric::ProcessorValue
        | Metric::ResourceValue
        | Metric::Level
        | Metric::Feature => right.class == LineClass::Production && !right.is_credit(),
    }
}

/// How a daemon charges a feature, while it does.
pub type DuplicateRule = ((ServerId, ProductId), (Span, Duplicates));

/// How each daemon charges each of its features: as the policy says, else as the license file does,
/// else each checkout by itself. The spans of a feature cover all of time.
pub fn duplicate_rules<'s>(
    features: Facts<'s, (ServerId, ProductId)>,
    lines: Facts<'s, LineInForce>,
    settings: Facts<'s, (ProductId, ProductSettings)>,
) -> Facts<'s, DuplicateRule> {
    let licensed = lines.flat_map(|row| {
        // The right of a suite is shared by its own rule, if it has one.
        let duplicates = row.line.suite_duplicates.or(row.line.duplicates)?;
        let feature = (ServerId::from(row.line.server?), ProductId::from(row.line.product));
        Some((feature, Some((row.span, duplicates))))
    });
    features
        .once()
        .map(|feature| (feature, None))
        .concat(licensed)
        .grouped("Attribute: duplicate rules", |_feature, rows, rules| {
            if !rows.iter().any(|(row, _)| row.is_none()) {
                return;
            }
            let stated: Vec<(Span, Duplicates)> =
                rows.iter().filter_map(|(row, _)| **row).collect();
            // Pools of one feature with different rules: the one that charges most.
            for (span, strictest) in greatest(&stated, Duplicates::compare) {
                let duplicates = strictest.unwrap_or(Duplicates::Each);
                rules.push(((span, duplicates), 1));
            }
        })
        .map(|((server, feature), rule)| (feature, (server, rule)))
        .joined(settings, |feature, (server, (span, duplicates)), settings| {
            ((*server, *feature), (*span, settings.duplicates.unwrap_or(*duplicates)))
        })
}

/// A charge under the duplicate rule of its daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Ruled {
    charge: Charge,
    duplicates: Duplicates,
}

/// Attributes charges and seats.
pub fn attribute<'s>(
    charges: Facts<'s, Charge>,
    seats: Facts<'s, (Subject, Span)>,
    duplicate_rules: Facts<'s, DuplicateRule>,
    of_checkouts: Facts<'s, (Subject, Resolution)>,
    of_seats: Facts<'s, (Subject, Resolution)>,
    rules: Facts<'s, (ProductId, Rule)>,
) -> Facts<'s, Use> {
    let ruled = charges
        .flat_map(|charge| Some(((charge.subject.server?, charge.subject.feature), charge)))
        .joined(duplicate_rules, |_feature, charge, (span, duplicates)| {
            let span = charge.span.intersect(*span);
            Ruled { charge: Charge { span, ..*charge }, duplicates: *duplicates }
        })
        .filter(|ruled| !ruled.charge.span.is_empty())
        .map(|ruled| (ruled.charge.subject, ruled));
    let sessions = ruled
        .joined(of_checkouts, |_subject, ruled, resolution| {
            let span = ruled.charge.span.intersect(resolution.span);
            (
                resolution.product,
                (Ruled { charge: Charge { span, ..ruled.charge }, ..*ruled }, *resolution),
            )
        })
        .filter(|(_, (ruled, _))| !ruled.charge.span.is_empty())
        .joined(rules, |_product, (ruled, resolution), rule| {
            let duplicates = rule.settings.duplicates.unwrap_or(ruled.duplicates);
            session_use(&ruled.charge, duplicates, resolution)
        });
    let seats = seats
        .joined(of_seats, |subject, span, resolution| {
            seat_use(subject, span.intersect(resolution.span), resolution)
        })
        .filter(|seat| !seat.span.is_empty());
    sessions.concat(seats)
}

fn session_use(charge: &Charge, duplicates: Duplicates, resolution: &Resolution) -> Use {
    let group = match duplicates {
        Duplicates::Each => None,
        Duplicates::Grouped(mask) => Some(group(charge, mask, resolution)),
    };
    Use {
        tenant: charge.subject.tenant,
        product: resolution.product,
        account: resolution.account,
        metric: Metric::Concurrent,
        group,
        span: charge.span,
        units: Quantity::units(i64::from(charge.count)),
        user: resolution.user,
        device: resolution.device,
        place: Place::Anywhere,
        session: charge.session,
        weight: Weight::ONE,
        part: resolution.product,
        least: false,
    }
}

/// The duplicate group of a checkout: one server's, of the holder's parts that the mask names.
fn group(charge: &Charge, mask: DuplicateMask, resolution: &Resolution) -> u64 {
    let part = |named: bool, part: Option<u64>| part.filter(|_| named).unwrap_or_default();
    mix(&[
        charge.subject.server.map_or(0, |server| server.0),
        resolution.product.0,
        mask.code(),
        part(mask.user, resolution.user.map(|user| user.0)),
        part(mask.host, resolution.device.map(|device| device.0)),
        part(mask.display, charge.display.map(|display| display.0)),
        part(mask.vendor, charge.vendor_data.map(|data| data.0)),
    ])
}

fn seat_use(subject: &Subject, span: Span, resolution: &Resolution) -> Use {
    let user = resolution.user.map_or(0, |user| user.0);
    Use {
        tenant: subject.tenant,
        product: resolution.product,
        account: resolution.account,
        metric: Metric::NamedUser,
        group: Some(mix(&[resolution.product.0, user])),
        span,
        units: Quantity::ONE,
        user: resolution.user,
        device: resolution.device,
        place: Place::Anywhere,
        session: FactId::default(),
        weight: Weight::ONE,
        part: resolution.product,
        least: false,
    }
}

/// For what use of a product counts, while it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Counting {
    span: Span,
    /// The product, or the pool that it is drawn from.
    product: ProductId,
    weight: Weight,
    weighed: bool,
    rule: Rule,
}

/// What weighs in which pool, while it does.
pub type Drawn = (ProductId, (Span, ProductId, Weight));

/// The weights of the factor tables in force, by product.
pub fn drawn<'s>(factors: Facts<'s, FactorRow>) -> Facts<'s, Drawn> {
    factors.flat_map(|row| {
        let factor = row.factor;
        if factor.kind != FactorKind::Weight {
            return None;
        }
        let weight = Weight::new(factor.value, factor.per)?;
        Some((factor.product?.into(), (row.span, factor.pool?.into(), weight)))
    })
}

/// The weight at each time; of several, the heaviest.
fn heaviest(rows: &[(Span, Weight)]) -> Vec<(Span, Weight)> {
    let segments = greatest(rows, Weight::compare).into_iter();
    segments.filter_map(|(span, weight)| Some((span, weight?))).collect()
}

/// For what each product's use counts: for the pools that it weighs in, and for itself when in none.
fn counting<'s>(
    drawn: Facts<'s, Drawn>,
    rules: Facts<'s, (ProductId, Rule)>,
) -> Facts<'s, (ProductId, Counting)> {
    rules
        .clone()
        .map(|(product, _)| (product, None))
        .concat(drawn.map(|(product, pool)| (product, Some(pool))))
        .grouped("Attribute: pools", |product, rows, found| {
            let mut stated: BTreeMap<ProductId, Vec<(Span, Weight)>> = BTreeMap::new();
            for (span, pool, weight) in rows.iter().filter_map(|(row, _)| **row) {
                stated.entry(pool).or_default().push((span, weight));
            }
            let pools: Vec<(Span, ProductId, Weight)> = stated
                .into_iter()
                .flat_map(|(pool, weights)| {
                    heaviest(&weights).into_iter().map(move |(span, weight)| (span, pool, weight))
                })
                .collect();
            let alone = outside(Span::ALWAYS, pools.iter().map(|pool| pool.0));
            let alone = alone.into_iter().map(|span| ((span, *product, Weight::ONE, false), 1));
            found.extend(alone);
            found.extend(
                pools.into_iter().map(|(span, pool, weight)| ((span, pool, weight, true), 1)),
            );
        })
        .map(|(product, (span, target, weight, weighed))| {
            (target, (product, span, weight, weighed))
        })
        .joined(rules, |target, (product, span, weight, weighed), rule| {
            let counting = Counting {
                span: *span,
                product: *target,
                weight: *weight,
                weighed: *weighed,
                rule: *rule,
            };
            (*product, counting)
        })
}

/// The uses that make demand at instants under the metric by which they count; where whoever is
/// active counts as a named user, an assigned seat does not.
pub fn demand<'s>(
    uses: Facts<'s, Use>,
    rules: Facts<'s, (ProductId, Rule)>,
    drawn: Facts<'s, Drawn>,
) -> Facts<'s, Use> {
    uses.map(|one| (one.product, one))
        .joined(counting(drawn, rules), |_product, one, counting| {
            let span = one.span.overlap(counting.span)?;
            let rule = &counting.rule;
            let place = if rule.territorial { Place::Unknown } else { Place::Anywhere };
            let product = counting.product;
            let counted = Use { span, product, place, ..weighed(one, counting.weight) };
            let alone = Use { span, ..*one };
            let feature = features::needed(&alone, rule).filter(|_| !counting.weighed);
            let metrics = rule.demanded(one.metric, counting.weighed);
            let counted = metrics.map(move |metric| Use { metric, ..counted });
            Some(counted.chain(feature).collect())
        })
        .flat_map(|found: Option<Vec<Use>>| found.unwrap_or_default())
}

/// A use whose units are weighed; what gives no whole millionths keeps its weight beside it.
fn weighed(one: &Use, weight: Weight) -> Use {
    let exact = weight.exactly(i128::from(one.units.0)).and_then(Quantity::from_sum);
    match exact {
        Some(units) => Use { units, ..*one },
        None => Use { weight, ..*one },
    }
}

/// For what single metered quantities are asked: by the rules of products, by credits and prices, and
/// by allocations.
pub fn asked<'s>(
    rules: Facts<'s, (ProductId, Rule)>,
    ledgers: Facts<'s, ProductId>,
    allocated: Facts<'s, ProductId>,
) -> Facts<'s, (ProductId, Asked)> {
    let ruled = rules.map(|(product, rule)| {
        let [maximum, latest, unique] =
            [Metric::Maximum, Metric::Latest, Metric::Unique].map(|metric| rule.counts(metric));
        (product, Asked { maximum, latest, unique, ..Asked::default() })
    });
    let ledgers = ledgers.map(|product| (product, Asked { ledger: true, ..Asked::default() }));
    let allocated = allocated.map(|product| (product, Asked { holders: true, ..Asked::default() }));
    ruled.concatenate([ledgers, allocated]).filter(|(_, asked)| *asked != Asked::default()).grouped(
        "Attribute: asked",
        |_product, rows, found| {
            let all = rows.iter().fold(Asked::default(), |all, (asked, _)| Asked {
                maximum: all.maximum || asked.maximum,
                latest: all.latest || asked.latest,
                unique: all.unique || asked.unique,
                ledger: all.ledger || asked.ledger,
                holders: all.holders || asked.holders,
            });
            found.push((all, 1));
        },
    )
}

/// The periods for which lines grant volumes; those that are shorter than a day are counted in days.
pub fn units<'s>(rights: Facts<'s, Right>) -> Facts<'s, PeriodUnit> {
    rights
        .filter(|right| right.metric == Metric::Volume)
        .map(|right| right.per.max(PeriodUnit::Day))
        .once()
}

/// Single metered quantities under the metrics that ask for them.
pub fn readings(readings: Facts<'_, Reading>) -> Facts<'_, (Metric, Reading)> {
    readings.flat_map(|reading| {
        let maximum = reading.asked.maximum.then_some((Metric::Maximum, reading));
        let latest = reading.asked.latest.then_some((Metric::Latest, reading));
        maximum.into_iter().chain(latest)
    })
}

/// The people of whom something was metered, where different people are counted.
pub fn taking_part(readings: Facts<'_, Reading>) -> Facts<'_, Use> {
    readings.flat_map(|reading| {
        let user = reading.user?;
        Some(Use {
            tenant: reading.tenant,
            product: reading.product,
            account: reading.account,
            metric: Metric::Unique,
            group: None,
            span: Span::new(reading.at, reading.at.plus_us(1)),
            units: Quantity::ONE,
            user: Some(user),
            device: None,
            place: Place::Anywhere,
            session: FactId::default(),
            weight: Weight::ONE,
            part: reading.product,
            least: false,
        })
    })
}

/// The rights that cover demand at instants, and those that cover it in periods.
pub fn parted<'s>(
    rights: Facts<'s, Right>,
    rules: Facts<'s, (ProductId, Rule)>,
) -> (Facts<'s, Right>, Facts<'s, Right>) {
    let judged = rights
        .map(|right| (right.product, right))
        .joined(rules, |_, right, rule| (*right, rule.counts_in_periods(right.metric)));
    let part = |wanted: bool| {
        judged.clone().flat_map(move |(right, periodic)| (periodic == wanted).then_some(right))
    };
    (part(false), part(true))
}
