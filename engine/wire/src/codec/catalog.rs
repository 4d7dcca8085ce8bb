//! The columns of what things are and where they belong: products, aliases, accounts, members.

use super::schema::columns;
use crate::code::Code;
use trueup_model::catalog::{Alias, AliasKind, Component, Downgrade, Product, SuiteMember};
use trueup_model::org::{Account, MemberKind, Membership};
use trueup_model::time::{Span, Timestamp};

columns! {
    Product<Code> => ProductBuilder, ProductColumns {
        16 product: Code;
        17 family: Option<Code>;
        18 publisher: Option<Code>;
    }
}

columns! {
    Component<Code> => ComponentBuilder, ComponentColumns {
        16 server: Code;
        17 package: Code;
        18 component: Code;
        19 suite: bool;
    }
}

columns! {
    Alias<Code> => AliasBuilder, AliasColumns {
        16 kind: AliasKind;
        17 raw: Code;
        18 canonical: Code;
        19 span: Span;
    }
}

columns! {
    Account<Code> => AccountBuilder, AccountColumns {
        16 account: Code;
        17 parent: Option<Code>;
        18 span: Span;
        20 zone: Option<String>;
        21 anchor: Option<Timestamp>, since 2;
    }
}

columns! {
    Membership<Code> => MembershipBuilder, MembershipColumns {
        16 kind: MemberKind;
        17 member: Code;
        18 account: Code;
        19 span: Span;
    }
}

columns! {
    SuiteMember<Code> => SuiteMemberBuilder, SuiteMemberColumns {
        16 suite: Code;
        17 component: Code;
        18 mandatory: bool;
        19 percent: u32;
        20 span: Span;
    }
}

columns! {
    Downgrade<Code> => DowngradeBuilder, DowngradeColumns {
        16 higher: Code;
        17 lower: Code;
        18 span: Span;
    }
}
