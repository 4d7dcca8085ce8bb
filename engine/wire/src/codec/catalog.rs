//! The columns of what things are and where they belong: products, aliases, accounts, members.

use super::schema::columns;
use crate::code::Code;
use trueup_model::catalog::{Alias, AliasKind, Component, Product};
use trueup_model::org::{Account, MemberKind, Membership};
use trueup_model::time::Span;

columns! {
    Product<Code> => ProductBuilder, ProductColumns {
        16 product: Code,
        17 family: Option<Code>,
        18 publisher: Option<Code>,
    }
}

columns! {
    Component<Code> => ComponentBuilder, ComponentColumns {
        16 server: Code,
        17 package: Code,
        18 component: Code,
        19 suite: bool,
    }
}

columns! {
    Alias<Code> => AliasBuilder, AliasColumns {
        16 kind: AliasKind,
        17 raw: Code,
        18 canonical: Code,
        19 span: Span,
    }
}

columns! {
    Account<Code> => AccountBuilder, AccountColumns {
        16 account: Code,
        17 parent: Option<Code>,
        18 span: Span,
        20 zone: Option<String>,
    }
}

columns! {
    Membership<Code> => MembershipBuilder, MembershipColumns {
        16 kind: MemberKind,
        17 member: Code,
        18 account: Code,
        19 span: Span,
    }
}
