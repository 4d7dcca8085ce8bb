//! Every key of the configuration, with its default and what it means.

/// A key of the configuration.
pub(super) struct Key {
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    /// The default, as it stands in the file.
    pub(super) default: &'static str,
    /// What it means, in one sentence.
    pub(super) meaning: &'static str,
}

/// Every key, in the order of the file.
pub(super) const KEYS: &[Key] = &[
    Key {
        section: "engine",
        name: "workers",
        default: "1",
        meaning: "Worker threads; results do not depend on how many there are.",
    },
    Key {
        section: "engine",
        name: "epoch_facts_max",
        default: "100000",
        meaning: "An epoch closes when it holds this many facts.",
    },
    Key {
        section: "engine",
        name: "epoch_milliseconds",
        default: "10",
        meaning: "An epoch closes this long after its first fact.",
    },
    Key {
        section: "engine",
        name: "horizon_step_seconds",
        default: "60",
        meaning: "How often figures of the current period follow the clock.",
    },
    Key {
        section: "engine",
        name: "totals_milliseconds",
        default: "100",
        meaning: "How often totals over the trees are brought up to date at most.",
    },
    Key {
        section: "engine",
        name: "names_max",
        default: "4000000",
        meaning: "The most names that are kept; facts with further names are set aside.",
    },
    Key {
        section: "engine",
        name: "products_max",
        default: "100000",
        meaning: "The most products that are counted; facts of further products are set aside.",
    },
    Key {
        section: "engine",
        name: "future_tolerance_seconds",
        default: "300",
        meaning: "How far an event may lie ahead of its arrival before it is set aside.",
    },
    Key {
        section: "engine",
        name: "memory_mebibytes",
        default: "0",
        meaning: "From nine tenths of this on no more input is taken; 0 for nine tenths of what the system gives.",
    },
    Key {
        section: "policy",
        name: "file",
        default: "\"\"",
        meaning: "The policy file; empty for the default policy.",
    },
    Key {
        section: "api",
        name: "listen",
        default: "\"127.0.0.1:7117\"",
        meaning: "Where questions are answered over HTTP.",
    },
    Key {
        section: "api",
        name: "certificate_file",
        default: "\"\"",
        meaning: "The certificate that whoever asks is shown, in PEM form; with it all is encrypted (HTTPS).",
    },
    Key {
        section: "api",
        name: "key_file",
        default: "\"\"",
        meaning: "The key of that certificate.",
    },
    Key {
        section: "api",
        name: "authority_file",
        default: "\"\"",
        meaning: "The certificate of the authority (CA) whose certificates whoever asks must show; empty answers everyone.",
    },
    Key {
        section: "connectors",
        name: "listen",
        default: "\"127.0.0.1:7118\"",
        meaning: "Where connectors deliver.",
    },
    Key {
        section: "connectors",
        name: "token_file",
        default: "\"\"",
        meaning: "A file with the secret that connectors must show; empty admits everyone.",
    },
    Key {
        section: "connectors",
        name: "certificate_file",
        default: "\"\"",
        meaning: "The certificate that connectors are shown, in PEM form; with it they must show one too, and all is encrypted.",
    },
    Key {
        section: "connectors",
        name: "key_file",
        default: "\"\"",
        meaning: "The key of that certificate.",
    },
    Key {
        section: "connectors",
        name: "authority_file",
        default: "\"\"",
        meaning: "The certificate of the authority (CA) that issues those of connectors.",
    },
    Key {
        section: "connectors",
        name: "certificate_name",
        default: "\"\"",
        meaning: "For whom a connector's certificate must be, such as {source}.{tenant}.example.com; empty for anyone.",
    },
    Key {
        section: "connectors",
        name: "connections_max",
        default: "64",
        meaning: "The most connectors at a time; further ones are turned away.",
    },
    Key {
        section: "journal",
        name: "enabled",
        default: "true",
        meaning: "Whether input is kept, so that a restart continues where it stopped.",
    },
    Key {
        section: "journal",
        name: "folder",
        default: "\"trueup-journal\"",
        meaning: "Where input is kept.",
    },
    Key {
        section: "journal",
        name: "key_file",
        default: "\"\"",
        meaning: "A file of keys with which input is encrypted where it is kept; empty for in the open.",
    },
    Key {
        section: "snapshots",
        name: "enabled",
        default: "true",
        meaning: "Whether what was kept is put together now and then, so that a start need not read all of it.",
    },
    Key {
        section: "snapshots",
        name: "journal_bytes",
        default: "268435456",
        meaning: "A snapshot is taken when so much was written since the last one.",
    },
    Key {
        section: "snapshots",
        name: "interval_seconds",
        default: "900",
        meaning: "A snapshot is taken when something was written and the last one is so old.",
    },
    Key {
        section: "cluster",
        name: "hosts",
        default: "\"\"",
        meaning: "Where each process of a cluster meets the others, `host:port, host:port`; empty for one process.",
    },
    Key {
        section: "cluster",
        name: "process",
        default: "0",
        meaning: "Which of them this is, from 0; only the first has the journal and answers.",
    },
    Key {
        section: "cluster",
        name: "secret_file",
        default: "\"\"",
        meaning: "A file with the secret that the processes of a cluster must show each other.",
    },
    Key {
        section: "cluster",
        name: "certificate_file",
        default: "\"\"",
        meaning: "The certificate that the other processes are shown, in PEM form; with it all show one, and all is encrypted.",
    },
    Key {
        section: "cluster",
        name: "key_file",
        default: "\"\"",
        meaning: "The key of that certificate.",
    },
    Key {
        section: "cluster",
        name: "authority_file",
        default: "\"\"",
        meaning: "The certificate of the authority (CA) that issues those of processes.",
    },
    Key {
        section: "cluster",
        name: "certificate_names",
        default: "\"\"",
        meaning: "For whom the certificate of each process must be, in order, or one name for all; empty for the hosts.",
    },
    Key {
        section: "cluster",
        name: "patience_seconds",
        default: "60",
        meaning: "How long a process waits at its start for the others.",
    },
];
