use super::*;
use crate::time::Span;

fn money(text: &str) -> Money {
    Money { amount: crate::quantity::parse_decimal(text, 6).unwrap(), currency: *b"EUR" }
}

/// A band: up to, price of a unit, flat price, block.
type Row<'t> = (&'t str, &'t str, &'t str, &'t str);

fn bands(model: PriceModel, rows: &[Row<'_>]) -> Vec<Price<u8>> {
    let price = |(up_to, unit, flat, block): &Row<'_>| Price {
        product: 0,
        account: None,
        model,
        up_to: (*up_to != "-").then(|| up_to.parse().unwrap()),
        unit: money(unit),
        flat: money(flat),
        block: block.parse().unwrap(),
        span: Span::ALWAYS,
    };
    rows.iter().map(price).collect()
}

fn tariff(model: PriceModel, rows: &[Row<'_>]) -> Tariff {
    Tariff::new(&bands(model, rows)).unwrap()
}

fn costs(tariff: &Tariff, quantities: &[&str]) -> Vec<String> {
    let cost = |text: &&str| tariff.amount(text.parse().unwrap()).unwrap();
    quantities.iter().map(cost).map(|money| money.to_string()).collect()
}

fn eur(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| format!("{text} EUR")).collect()
}

/// OM-grad.
#[test]
fn graduated_bands_price_each_part_and_enter_the_next_band_with_a_fraction() {
    let tariff = tariff(
        PriceModel::Graduated,
        &[
            ("5", "0", "100", "1"),
            ("10", "0", "50", "1"),
            ("15", "10", "0", "1"),
            ("-", "5", "0", "1"),
        ],
    );
    let found = costs(&tariff, &["0", "3", "5", "5.001", "7", "12", "22"]);
    let expected = ["100.00", "100.00", "100.00", "150.00", "150.00", "170.00", "235.00"];
    assert_eq!(found, eur(&expected));
}

fn volume() -> Tariff {
    tariff(
        PriceModel::Volume,
        &[
            ("5", "0", "100", "1"),
            ("10", "0", "150", "1"),
            ("15", "10", "0", "1"),
            ("-", "5", "0", "1"),
        ],
    )
}

/// OM-vol.
#[test]
fn a_volume_costs_what_its_band_says_even_if_that_is_less() {
    let found = costs(&volume(), &["5", "14", "15", "16", "100"]);
    assert_eq!(found, eur(&["100.00", "140.00", "150.00", "80.00", "500.00"]));
}

/// OM-late: 80 and -150.
#[test]
fn one_more_unit_may_lower_the_price_of_all() {
    let units = |units| volume().amount(Quantity::units(units)).unwrap().amount;
    assert_eq!(units(16) - units(15), -70_000_000);
}

/// OM-unit-late: a price of 10 for a unit, 5 units corrected to 7, and 3 more in the next period.
#[test]
fn a_correction_costs_its_own_units() {
    let tariff = tariff(PriceModel::Graduated, &[("-", "10", "0", "1")]);
    let units = |units| tariff.amount(Quantity::units(units)).unwrap().amount;
    assert_eq!(units(7) - units(5), 20_000_000);
    assert_eq!(units(10) - units(7), 30_000_000);
}

/// LAGO-vol.
#[test]
fn a_small_price_of_a_unit_is_exact() {
    let tariff = tariff(PriceModel::Volume, &[("-", "0.0006", "10", "1")]);
    assert_eq!(costs(&tariff, &["65000"]), eur(&["49.00"]));
}

/// LAGO-pkg.
#[test]
fn a_begun_package_costs_a_whole_one() {
    let tariff = tariff(PriceModel::Package, &[("100", "5", "0", "100")]);
    let found = costs(&tariff, &["0", "100", "100.5", "200", "201"]);
    assert_eq!(found, eur(&["0.00", "0.00", "5.00", "5.00", "10.00"]));
}

/// KB-ALL and KB-TOP: 1500 minutes in blocks of 10, and 2048 megabytes.
#[test]
fn blocks_cost_by_their_own_band_or_by_the_highest() {
    let minutes = [("1000", "1", "0", "10"), ("-", "0.5", "0", "10")];
    let megabytes = [("1024", "0.5", "0", "1"), ("-", "0.1", "0", "1")];
    let both = |model| {
        let one = tariff(model, &minutes).amount(Quantity::units(1500)).unwrap();
        let other = tariff(model, &megabytes).amount(Quantity::units(2048)).unwrap();
        one.amount + other.amount
    };
    assert_eq!(both(PriceModel::Graduated), 739_400_000);
    assert_eq!(both(PriceModel::TopTier), 279_800_000);
}

/// LAGO-pia: three events of one second, in the order of their names.
#[test]
fn events_of_one_instant_cost_one_after_the_other() {
    let tariff = tariff(PriceModel::Graduated, &[("2", "0", "0", "1"), ("-", "200", "0", "1")]);
    let each = tariff.marginal(&[Quantity::ONE; 3]).unwrap();
    let amounts: Vec<i64> = each.iter().map(|money| money.amount).collect();
    assert_eq!(amounts, [0, 0, 200_000_000]);
    assert_eq!(tariff.amount(Quantity::units(3)).unwrap().amount, 200_000_000);
}

#[test]
fn what_no_band_reaches_has_no_price() {
    for model in [PriceModel::Graduated, PriceModel::Volume, PriceModel::TopTier] {
        let tariff = tariff(model, &[("5", "1", "0", "1")]);
        assert_eq!(tariff.amount(Quantity::units(5)).unwrap().amount, 5_000_000);
        assert_eq!(tariff.amount("5.000001".parse().unwrap()), None);
        assert_eq!(tariff.amount(Quantity::units(-3)).unwrap().amount, 0);
    }
}

#[test]
fn bands_must_belong_together() {
    let mut rows = bands(PriceModel::Volume, &[("5", "1", "0", "1"), ("-", "1", "0", "1")]);
    rows[1].up_to = rows[0].up_to;
    assert_eq!(Tariff::new(&rows), Err(TariffError::SameBand));
    rows[1].model = PriceModel::Graduated;
    assert_eq!(Tariff::new(&rows), Err(TariffError::SeveralModels));
    rows[1].model = PriceModel::Volume;
    rows[1].flat.currency = *b"USD";
    assert_eq!(Tariff::new(&rows), Err(TariffError::SeveralCurrencies));
    rows[0].block = Quantity::ZERO;
    assert_eq!(Tariff::new(&rows), Err(TariffError::EmptyBlock));
    assert_eq!(Tariff::new(&rows[..0]), Err(TariffError::Empty));
    let packages = bands(PriceModel::Package, &[("1", "1", "0", "1"), ("2", "1", "0", "1")]);
    assert_eq!(Tariff::new(&packages), Err(TariffError::SameBand));
}
