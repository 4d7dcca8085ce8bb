//! Who works at Helios Engineering, on which machine.

use super::BERLIN;
use crate::population::{AccountIndex, MachineIndex, PersonIndex, Population, ProductIndex};

/// Someone at a machine.
pub(super) type Seat = (PersonIndex, MachineIndex);

/// Everyone and everything, by the names that the scenario calls them.
pub(super) struct People {
    pub(super) population: Population,
    pub(super) group: AccountIndex,
    pub(super) gmbh: AccountIndex,
    pub(super) uk: AccountIndex,
    pub(super) iberia: AccountIndex,
    pub(super) mesh: ProductIndex,
    pub(super) studio: ProductIndex,
    pub(super) modeler: ProductIndex,
    pub(super) flow: ProductIndex,
    pub(super) cfd: ProductIndex,
    pub(super) render: ProductIndex,
    pub(super) docs: ProductIndex,
    pub(super) api: ProductIndex,
    /// Six in Germany, six in the United Kingdom, four in Spain.
    pub(super) german: Vec<Seat>,
    pub(super) british: Vec<Seat>,
    pub(super) spanish: Vec<Seat>,
    /// Employed in Germany, seconded to the United Kingdom.
    pub(super) seconded: Seat,
    /// Jobs of the night.
    pub(super) batch: Seat,
    /// A visitor on a machine that nobody put on the list.
    pub(super) visitor: Seat,
    /// Who only writes documents.
    pub(super) writers: Vec<PersonIndex>,
    /// A guest and a service account among the seats.
    pub(super) guest: PersonIndex,
    pub(super) service: PersonIndex,
}

impl People {
    pub(super) fn new() -> Self {
        let mut population = Population::default();
        let group = population.account("Helios Engineering", None, BERLIN);
        let gmbh = population.account("Helios GmbH", Some(group), BERLIN);
        let uk = population.account("Helios UK Ltd", Some(group), "Europe/London");
        let iberia = population.account("Helios Iberia SL", Some(group), "Europe/Madrid");
        let mut product = |name, family, publisher| population.product(name, family, publisher);
        let meridian = "Meridian Software";
        let mesh = product("Meridian Mesh", "Meridian Simulation", meridian);
        let studio = product("Meridian Studio", "Meridian Design", meridian);
        let modeler = product("Meridian Modeler", "Meridian Design", meridian);
        let flow = product("Meridian Flow", "Meridian Simulation", meridian);
        let cfd = product("Aurora CFD", "Aurora", "Aurora Simulation");
        let render = product("Aurora Render", "Aurora", "Aurora Simulation");
        let docs = product("Borealis Docs", "Borealis", "Borealis Cloud");
        let api = product("Borealis API", "Borealis", "Borealis Cloud");
        let mut staff = |account, names: &[(&[&str], &[&str])]| -> Vec<Seat> {
            let seats = names.iter().map(|(user, host)| {
                (population.person(user, None), population.machine(host, Some(account)))
            });
            seats.collect()
        };
        let german = staff(gmbh, &GERMAN);
        let british = staff(uk, &BRITISH);
        let spanish = staff(iberia, &SPANISH);
        let batch = staff(gmbh, &[(&["batch@grid"], &["hel-de-grid1"])])[0];
        let seconded_host = population.machine(&["hel-de-07"], Some(gmbh));
        let seconded = (population.person(&["tnakamura"], Some(uk)), seconded_host);
        let visitor =
            (population.person(&["guest3"], None), population.machine(&["hel-lab-09"], None));
        let writers = ["pvidal", "qroth", "rhughes"].map(|name| population.person(&[name], None));
        let guest = population.person(&["auditor1"], None);
        let service = population.person(&["svc-index"], None);
        // The directory knows him by his login.
        population.people[spanish[0].0.0].canonical = Some("jlgil".to_owned());
        Self {
            population,
            group,
            gmbh,
            uk,
            iberia,
            mesh,
            studio,
            modeler,
            flow,
            cfd,
            render,
            docs,
            api,
            german,
            british,
            spanish,
            seconded,
            batch,
            visitor,
            writers: writers.to_vec(),
            guest,
            service,
        }
    }
}

/// How logs spell people and their machines.
type Spelled = (&'static [&'static str], &'static [&'static str]);

const GERMAN: [Spelled; 6] = [
    (&["akeller"], &["hel-de-01"]),
    (&["bbrandt"], &["hel-de-02"]),
    (&["cgaertner"], &["hel-de-03"]),
    (&["djansen"], &["hel-de-04"]),
    (&["eholm"], &["hel-de-05"]),
    (&["fnowak"], &["hel-de-06"]),
];
const BRITISH: [Spelled; 6] = [
    (&["gtaylor"], &["hel-uk-01"]),
    (&["hevans"], &["hel-uk-02"]),
    (&["ipatel"], &["hel-uk-03"]),
    (&["jclarke"], &["hel-uk-04"]),
    (&["kmoore", "KMOORE"], &["hel-uk-05", "HEL-UK-05"]),
    (&["lwright"], &["hel-uk-06"]),
];
const SPANISH: [Spelled; 4] = [
    (&["José Luis Gil"], &["hel-es-01"]),
    (&["mferrer"], &["hel-es-02"]),
    (&["ncastaño"], &["hel-es-03"]),
    (&["osuarez"], &["hel-es-04"]),
];
