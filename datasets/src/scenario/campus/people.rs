//! The people and machines of the university, and where they belong.

use super::{BOSTON, MADRID, SYDNEY};
use crate::population::{
    AccountIndex, MachineIndex, PersonIndex, Population, ProductIndex, invent_machine,
    invent_person,
};
use crate::random::Random;

/// Someone at a machine.
pub(super) type Seat = (PersonIndex, MachineIndex);

/// Everyone and everything, by the names that the scenario calls them.
pub(super) struct People {
    pub(super) population: Population,
    pub(super) university: AccountIndex,
    pub(super) engineering: AccountIndex,
    pub(super) science: AccountIndex,
    pub(super) architecture: AccountIndex,
    pub(super) sydney: AccountIndex,
    pub(super) boston: AccountIndex,
    /// People of the departments in Madrid, at machines of their own.
    pub(super) staff: Vec<Seat>,
    /// The same who belong to an account by their own name.
    pub(super) members: Vec<Seat>,
    /// Machines of a teaching room, all logged on as one user.
    pub(super) room: Vec<Seat>,
    /// People in Sydney, whose names have no blanks.
    pub(super) australians: Vec<Seat>,
    /// People in Boston.
    pub(super) americans: Vec<Seat>,
    pub(super) products: Products,
}

/// What is licensed.
pub(super) struct Products {
    pub(super) core: ProductIndex,
    pub(super) signal: ProductIndex,
    pub(super) algebra: ProductIndex,
    pub(super) library: ProductIndex,
    pub(super) statistics: ProductIndex,
    pub(super) cad: ProductIndex,
    pub(super) collection: ProductIndex,
    pub(super) modeling: ProductIndex,
    pub(super) viewing: ProductIndex,
    pub(super) simulation: ProductIndex,
    pub(super) post: ProductIndex,
    pub(super) computing: ProductIndex,
    pub(super) engine: ProductIndex,
    pub(super) wiki: ProductIndex,
    pub(super) storage: ProductIndex,
}

impl Products {
    fn new(population: &mut Population) -> Self {
        let mut product = |name, family, publisher| population.product(name, family, publisher);
        let (matrix, drafting) = ("Matrix Works", "Drafting Systems");
        Self {
            core: product("Matrix Core", "Matrix", matrix),
            signal: product("Matrix Signal", "Matrix Toolboxes", matrix),
            algebra: product("Matrix Algebra", "Matrix Toolboxes", matrix),
            library: product("Matrix Library", "Matrix", matrix),
            statistics: product("Matrix Statistics", "Matrix Toolboxes", matrix),
            cad: product("Draft Suite", "Draft", drafting),
            collection: product("Draft Collection", "Draft", drafting),
            modeling: product("Draft Modeling", "Draft Components", drafting),
            viewing: product("Draft Viewing", "Draft Components", drafting),
            simulation: product("Fluid Simulation", "Fluid", "Fluid Dynamics"),
            post: product("Fluid Post", "Fluid", "Fluid Dynamics"),
            computing: product("Field Computing", "Field", "Field Solvers"),
            engine: product("Field Engine", "Field", "Field Solvers"),
            wiki: product("Campus Wiki", "Campus", "Campus Services"),
            storage: product("Campus Storage", "Campus", "Campus Services"),
        }
    }
}

/// How many people of each kind there are at scale 1.
const STAFF: usize = 48;
const ROOM: usize = 20;
const AUSTRALIANS: usize = 16;
const AMERICANS: usize = 10;

impl People {
    pub(super) fn new(scale: u32, random: &mut Random) -> Self {
        let mut population = Population::default();
        let university = population.account("Northgate University", None, MADRID);
        let mut under = |name, zone| population.account(name, Some(university), zone);
        let engineering = under("Faculty of Engineering", MADRID);
        let science = under("Faculty of Science", MADRID);
        let architecture = under("School of Architecture", MADRID);
        let sydney = under("Northgate Sydney", SYDNEY);
        let boston = under("Northgate Boston", BOSTON);
        let mut departments = Vec::new();
        for (name, faculty) in [
            ("Mechanics", engineering),
            ("Electronics", engineering),
            ("Physics", science),
            ("Mathematics", science),
            ("Design Studio", architecture),
        ] {
            departments.push(population.account(name, Some(faculty), MADRID));
        }
        let products = Products::new(&mut population);
        let times = usize::try_from(scale).unwrap_or(1);
        let mut maker = Maker { population, random, number: 0 };
        let (mut staff, mut members) = (Vec::new(), Vec::new());
        for number in 0..STAFF * times {
            let department = departments[number % departments.len()];
            let seat = maker.seat(number, department);
            staff.push(seat);
            if maker.population.people[seat.0.0].account.is_some() {
                members.push(seat);
            }
        }
        let room = maker.room(ROOM * times, departments[4]);
        let australians = maker.plain_named(AUSTRALIANS * times, sydney);
        let americans = maker.plain_named(AMERICANS * times, boston);
        Self {
            population: maker.population,
            university,
            engineering,
            science,
            architecture,
            sydney,
            boston,
            staff,
            members,
            room,
            australians,
            americans,
            products,
        }
    }
}

/// Makes people and machines with numbers of their own.
struct Maker<'a> {
    population: Population,
    random: &'a mut Random,
    number: usize,
}

impl Maker<'_> {
    /// A member of a department at a machine; by their own name, or by the machine's, or, rarely, by
    /// neither.
    fn seat(&mut self, index: usize, department: AccountIndex) -> Seat {
        let names = invent_person(self.random, self.number);
        let by_name = index.is_multiple_of(3);
        let nobody = index % 24 == 7;
        let person = self.person(&names, (by_name && !nobody).then_some(department));
        let hosts = invent_machine(self.random, self.number);
        let machine = self.machine(&hosts, (!nobody).then_some(department));
        // Every second one with a full name is known by a login.
        if self.population.people[person.0].spellings[0].contains(' ') && index.is_multiple_of(2) {
            let login = format!("login{:04}", self.number);
            self.population.people[person.0].canonical = Some(login);
        }
        self.number += 1;
        (person, machine)
    }

    /// A room whose machines all log on as one user.
    fn room(&mut self, machines: usize, department: AccountIndex) -> Vec<Seat> {
        let student = self.population.person(&["student", "Student"], None);
        let seats = (0..machines).map(|number| {
            let name = format!("room-{number:03}");
            (student, self.population.machine(&[&name], Some(department)))
        });
        seats.collect()
    }

    /// People whose names have no blanks, at machines of their own.
    fn plain_named(&mut self, count: usize, account: AccountIndex) -> Vec<Seat> {
        let mut seats = Vec::new();
        while seats.len() < count {
            let names = invent_person(self.random, self.number);
            if names[0].contains(' ') {
                continue;
            }
            let person = self.person(&names, None);
            let hosts = invent_machine(self.random, self.number);
            let machine = self.machine(&hosts, Some(account));
            self.number += 1;
            seats.push((person, machine));
        }
        seats
    }

    fn person(&mut self, spellings: &[String], account: Option<AccountIndex>) -> PersonIndex {
        let spellings: Vec<&str> = spellings.iter().map(String::as_str).collect();
        self.population.person(&spellings, account)
    }

    fn machine(&mut self, spellings: &[String], account: Option<AccountIndex>) -> MachineIndex {
        let spellings: Vec<&str> = spellings.iter().map(String::as_str).collect();
        self.population.machine(&spellings, account)
    }
}
