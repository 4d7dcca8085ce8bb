//! The tables of a world as CSV: the organization, who belongs where, names, products, purchases,
//! seats and metered use.
//!
//! Comma, UTF-8, ISO dates, RFC 3339 instants; an empty cell is unknown or open. The headers are the
//! field names of the built-in mappings. A date in an `end` column is the last valid day.

use crate::population::plain;
use crate::world::World;
use std::collections::BTreeSet;
use trueup_model::contract::LineKind;
use trueup_model::id::NameKind;
use trueup_model::quantity::Money;
use trueup_model::usage::SeatClass;

/// The file name of the list of seats, which speaks from a day on.
pub const SEATS: &str = "seats.csv";

/// A table under construction.
struct Table {
    text: String,
    columns: usize,
}

impl Table {
    fn new(header: &[&str]) -> Self {
        let mut table = Self { text: String::new(), columns: header.len() };
        table.row(header.iter().map(|name| (*name).to_owned()).collect());
        table
    }

    fn row(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.columns, "a row has a cell for each column");
        let quoted: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
        self.text.push_str(&quoted.join(","));
        self.text.push('\n');
    }

    fn bytes(self) -> Vec<u8> {
        self.text.into_bytes()
    }
}

/// A cell, in quotes where it must be.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", cell.replace('"', "\"\""));
    }
    cell.to_owned()
}

fn text_of<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// Every table of a world that has rows, with the names of their files.
pub fn tables(world: &World) -> Vec<(String, Vec<u8>)> {
    let mut found = vec![
        ("accounts.csv".to_owned(), accounts(world)),
        ("memberships.csv".to_owned(), memberships(world)),
        ("aliases.csv".to_owned(), aliases(world)),
        ("products.csv".to_owned(), products(world)),
        ("purchases.csv".to_owned(), purchases(world)),
    ];
    if !world.seats.is_empty() {
        found.push((SEATS.to_owned(), seats(world)));
    }
    if !world.usage.is_empty() {
        found.push(("usage.csv".to_owned(), usage(world)));
    }
    found
}

fn accounts(world: &World) -> Vec<u8> {
    let mut table = Table::new(&["account", "parent", "start", "end", "time_zone"]);
    for account in &world.population.accounts {
        let parent = account.parent.map(|parent| &world.population.accounts[parent.0].name);
        table.row(vec![
            account.name.clone(),
            text_of(parent),
            String::new(),
            String::new(),
            account.zone.clone(),
        ]);
    }
    table.bytes()
}

fn memberships(world: &World) -> Vec<u8> {
    let mut table = Table::new(&["kind", "member", "account", "start", "end"]);
    let people = world.population.people.iter();
    let people = people.map(|one| ("user", &one.spellings, &one.canonical, one.account));
    let machines = world.population.machines.iter();
    let machines = machines.map(|one| ("device", &one.spellings, &one.canonical, one.account));
    for (kind, spellings, canonical, account) in people.chain(machines) {
        let Some(account) = account else { continue };
        table.row(vec![
            kind.to_owned(),
            canonical.as_ref().unwrap_or(&spellings[0]).clone(),
            world.population.accounts[account.0].name.clone(),
            String::new(),
            String::new(),
        ]);
    }
    table.bytes()
}

fn aliases(world: &World) -> Vec<u8> {
    let mut table = Table::new(&["kind", "raw", "canonical", "start", "end"]);
    let mut seen: BTreeSet<(&str, String)> = BTreeSet::new();
    let mut add = |kind: &'static str, name_kind: NameKind, raw: &str, canonical: &str| {
        let same = plain(name_kind, raw).0 == plain(name_kind, canonical).0;
        if !same && seen.insert((kind, plain(name_kind, raw).0)) {
            let cells = [kind, raw, canonical, "", ""];
            table.row(cells.iter().map(|cell| (*cell).to_owned()).collect());
        }
    };
    for daemon in world.sites.iter().flat_map(|site| &site.server.daemons) {
        for feature in &daemon.features {
            let product = &world.population.products[feature.product.0].name;
            add("product", NameKind::Product, &feature.name, product);
        }
    }
    for person in &world.population.people {
        if let Some(canonical) = &person.canonical {
            add("user", NameKind::User, &person.spellings[0], canonical);
        }
    }
    for machine in &world.population.machines {
        if let Some(canonical) = &machine.canonical {
            add("device", NameKind::Device, &machine.spellings[0], canonical);
        }
    }
    table.bytes()
}

fn products(world: &World) -> Vec<u8> {
    let mut table = Table::new(&["product", "family", "publisher"]);
    for product in &world.population.products {
        table.row(vec![product.name.clone(), product.family.clone(), product.publisher.clone()]);
    }
    table.bytes()
}

fn purchases(world: &World) -> Vec<u8> {
    let mut table = Table::new(&[
        "line", "contract", "product", "metric", "quantity", "start", "end", "account", "cost",
        "currency", "kind",
    ]);
    for purchase in &world.purchases {
        let amount = purchase.cost.map(|cost| Money { currency: Money::NO_CURRENCY, ..cost });
        let currency =
            purchase.cost.map(|cost| String::from_utf8_lossy(&cost.currency).into_owned());
        let kind = match purchase.kind {
            LineKind::Base => "base",
            LineKind::Maintenance => "maintenance",
            LineKind::Upgrade => "upgrade",
            LineKind::Transfer => "transfer",
        };
        table.row(vec![
            purchase.line.clone(),
            purchase.contract.clone(),
            world.population.products[purchase.product.0].name.clone(),
            purchase.metric.name().to_owned(),
            purchase.quantity.to_string(),
            text_of(purchase.start),
            text_of(purchase.end),
            world.population.accounts[purchase.account.0].name.clone(),
            text_of(amount),
            currency.unwrap_or_default(),
            kind.to_owned(),
        ]);
    }
    table.bytes()
}

fn seats(world: &World) -> Vec<u8> {
    let mut table = Table::new(&["product", "user", "class", "start", "end", "account"]);
    for seat in &world.seats {
        let class = match seat.class {
            SeatClass::Full => "full",
            SeatClass::Guest => "guest",
            SeatClass::Service => "service",
        };
        table.row(vec![
            world.population.products[seat.product.0].name.clone(),
            world.population.people[seat.person.0].spellings[0].clone(),
            class.to_owned(),
            text_of(seat.start),
            text_of(seat.end),
            world.population.accounts[seat.account.0].name.clone(),
        ]);
    }
    table.bytes()
}

fn usage(world: &World) -> Vec<u8> {
    let header = ["id", "at", "product", "account", "user", "device", "quantity"];
    let mut table = Table::new(&header);
    for row in &world.usage {
        let person = row.person.map(|person| &world.population.people[person.0].spellings[0]);
        let machine = row.machine.map(|machine| &world.population.machines[machine.0].spellings[0]);
        table.row(vec![
            row.id.clone(),
            row.at.to_string(),
            world.population.products[row.product.0].name.clone(),
            world.population.accounts[row.account.0].name.clone(),
            text_of(person),
            text_of(machine),
            row.quantity.to_string(),
        ]);
    }
    table.bytes()
}

#[cfg(test)]
mod tests;
