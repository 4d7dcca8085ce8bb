//! The columns of inventories: machines, installs, roles, and the factor tables that weigh them.

use super::schema::columns;
use crate::code::Code;
use trueup_model::factor::{Factor, FactorKind};
use trueup_model::hardware::{Install, Machine, MachineRole, Partition, RoleSignal};
use trueup_model::quantity::Quantity;
use trueup_model::time::{Span, Timestamp};

columns! {
    Machine<Code> => MachineBuilder, MachineColumns {
        16 device: Code;
        17 processors: u32;
        18 cores: u32;
        19 threads: u32;
        20 virtual_cores: u32;
        21 cap: Option<u32>;
        22 model: Option<Code>;
        23 host: Option<Code>;
        24 cluster: Option<Code>;
        25 partition: Partition;
        26 span: Span;
    }
}

columns! {
    Install<Code> => InstallBuilder, InstallColumns {
        16 product: Code;
        17 device: Code;
        18 user: Option<Code>;
        19 account: Option<Code>;
        20 span: Span;
        22 last_used: Option<Timestamp>;
    }
}

columns! {
    RoleSignal<Code> => RoleBuilder, RoleColumns {
        16 at: Timestamp;
        17 device: Code;
        18 role: MachineRole;
    }
}

columns! {
    Factor<Code> => FactorBuilder, FactorColumns {
        16 kind: FactorKind;
        17 product: Option<Code>;
        18 pool: Option<Code>;
        19 model: Option<Code>;
        20 up_to: Option<Quantity>;
        21 value: Quantity;
        22 per: Quantity;
        23 span: Span;
    }
}
