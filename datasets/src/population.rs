//! Who and what a world consists of: accounts, people, machines and products, and how sources spell
//! them.
//!
//! A name is what makes someone the same in every source once case and blanks are evened out. The
//! logs write one of its spellings; where the directory knows them by another name, an alias says so.

use crate::random::Random;
use trueup_model::id::NameKind;
use trueup_model::identity::IdentityRules;

/// Where an account stands in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountIndex(pub usize);
/// Where a person stands in their list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PersonIndex(pub usize);
/// Where a machine stands in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MachineIndex(pub usize);
/// Where a product stands in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProductIndex(pub usize);

/// A node of the organization.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// The account above.
    pub parent: Option<AccountIndex>,
    /// The IANA name of its time zone.
    pub zone: String,
}

/// Someone who uses licenses.
#[derive(Clone, Debug)]
pub struct Person {
    /// How logs spell the name; all alike but for case and blanks.
    pub spellings: Vec<String>,
    /// The login that an alias gives for it, if the directory knows another name.
    pub canonical: Option<String>,
    /// The account that a membership names for the person.
    pub account: Option<AccountIndex>,
}

/// A computer.
#[derive(Clone, Debug)]
pub struct Machine {
    /// How logs spell the name; all alike but for case.
    pub spellings: Vec<String>,
    /// The name that an alias gives for it, if the inventory knows another one.
    pub canonical: Option<String>,
    /// The account that a membership names for the machine.
    pub account: Option<AccountIndex>,
}

/// Something that is licensed, as the catalog calls it.
#[derive(Clone, Debug)]
pub struct Product {
    /// Its name.
    pub name: String,
    /// The family that it belongs to.
    pub family: String,
    /// Who publishes it.
    pub publisher: String,
}

/// Everyone and everything.
#[derive(Clone, Debug, Default)]
pub struct Population {
    /// The organization, parents before children.
    pub accounts: Vec<Account>,
    /// People.
    pub people: Vec<Person>,
    /// Machines.
    pub machines: Vec<Machine>,
    /// Products.
    pub products: Vec<Product>,
}

/// The one spelling of a name under the default naming rules, and whether the rules could resolve it.
pub fn plain(kind: NameKind, name: &str) -> (String, bool) {
    let normalized = IdentityRules::default().normalize(kind, name);
    (normalized.name, normalized.resolved)
}

impl Population {
    /// Adds an account under another.
    pub fn account(
        &mut self,
        name: &str,
        parent: Option<AccountIndex>,
        zone: &str,
    ) -> AccountIndex {
        self.accounts.push(Account { name: name.to_owned(), parent, zone: zone.to_owned() });
        AccountIndex(self.accounts.len() - 1)
    }

    /// Adds a person whose name logs spell in these ways.
    pub fn person(&mut self, spellings: &[&str], account: Option<AccountIndex>) -> PersonIndex {
        let spellings = spellings.iter().map(|name| (*name).to_owned()).collect();
        self.people.push(Person { spellings, canonical: None, account });
        PersonIndex(self.people.len() - 1)
    }

    /// Adds a machine whose name logs spell in these ways.
    pub fn machine(&mut self, spellings: &[&str], account: Option<AccountIndex>) -> MachineIndex {
        let spellings = spellings.iter().map(|name| (*name).to_owned()).collect();
        self.machines.push(Machine { spellings, canonical: None, account });
        MachineIndex(self.machines.len() - 1)
    }

    /// Adds a product.
    pub fn product(&mut self, name: &str, family: &str, publisher: &str) -> ProductIndex {
        self.products.push(Product {
            name: name.to_owned(),
            family: family.to_owned(),
            publisher: publisher.to_owned(),
        });
        ProductIndex(self.products.len() - 1)
    }

    /// The account that use of a person on a machine counts for: the person's, else the machine's.
    pub fn account_of(&self, person: PersonIndex, machine: MachineIndex) -> Option<AccountIndex> {
        self.people[person.0].account.or(self.machines[machine.0].account)
    }

    /// The account and every account above it, nearest first.
    pub fn upwards(&self, account: AccountIndex) -> Vec<AccountIndex> {
        let mut path = vec![account];
        let mut at = account;
        while let Some(parent) = self.accounts[at.0].parent {
            path.push(parent);
            at = parent;
        }
        path
    }

    /// The name by which a person is known once aliases are applied.
    pub fn person_name(&self, person: PersonIndex) -> String {
        let person = &self.people[person.0];
        let name = person.canonical.as_ref().unwrap_or(&person.spellings[0]);
        plain(NameKind::User, name).0
    }

    /// The name by which a machine is known once aliases are applied.
    pub fn machine_name(&self, machine: MachineIndex) -> String {
        let machine = &self.machines[machine.0];
        let name = machine.canonical.as_ref().unwrap_or(&machine.spellings[0]);
        plain(NameKind::Device, name).0
    }
}

/// Given names, some with letters beyond ASCII.
const GIVEN: [&str; 24] = [
    "Ada", "Bruno", "Chiara", "Dmitri", "Elif", "Farid", "Greta", "Hugo", "Inés", "Jörg", "Katja",
    "Luís", "Mila", "Noor", "Olav", "Paula", "Quentin", "Rosa", "Sven", "Tomé", "Ute", "Vera",
    "Wim", "Zoë",
];
/// Family names, some with letters beyond ASCII.
const FAMILY: [&str; 24] = [
    "Aldana",
    "Brandt",
    "Castaño",
    "Duval",
    "Eklund",
    "Ferrer",
    "Gärtner",
    "Holm",
    "Ibarra",
    "Jansen",
    "Keller",
    "Lindqvist",
    "Moreau",
    "Nowak",
    "Ojeda",
    "Pereira",
    "Quist",
    "Rossi",
    "Suárez",
    "Taylor",
    "Ulbricht",
    "Vidal",
    "Winther",
    "Ybarra",
];

/// How an invented person's login is written in logs.
///
/// Mostly a login; now and then a full name with blanks and accents, a name with an `@` in it, or a
/// login in capitals beside the same in small letters.
pub fn invent_person(random: &mut Random, number: usize) -> Vec<String> {
    let (given, family) = (*random.pick(&GIVEN), *random.pick(&FAMILY));
    let login: String = given
        .chars()
        .take(1)
        .chain(family.chars())
        .filter(char::is_ascii_alphabetic)
        .collect::<String>()
        .to_lowercase();
    match random.below(20) {
        0 => vec![format!("{given} {family} {number}")],
        1 => vec![format!("{login}{number}@{}.example", family.to_lowercase())],
        2 | 3 => vec![format!("{login}{number}"), format!("{login}{number}").to_uppercase()],
        _ => vec![format!("{login}{number}")],
    }
}

/// How an invented machine is written in logs.
pub fn invent_machine(random: &mut Random, number: usize) -> Vec<String> {
    match random.below(12) {
        0 => vec![format!("DESKTOP-{number:03}QX"), format!("desktop-{number:03}qx")],
        1 => vec![format!("node{number:03}.hpc.example")],
        2 => vec![format!("lab_{number:03}")],
        _ => vec![format!("ws{number:04}")],
    }
}

#[cfg(test)]
mod tests;
