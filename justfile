# The commands of the day; each is plain cargo and may be typed by hand.

# Formatting, lints and tests.
check:
    cargo fmt --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo test --workspace

# Tests only.
test:
    cargo test --workspace

# More than 100,000 crashes of the journal on a simulated disk; about a minute.
simulate:
    PROPTEST_CASES=7000 cargo test --profile simulation -p trueup-journal --test it -- histories

# Looks for bytes that reach new code of every decoder, so many seconds each; what it finds stays in tests/fuzz/target.
# Needs `cargo install cargo-fuzz` and a C++ compiler, and no other toolchain.
fuzz seconds="60":
    #!/usr/bin/env bash
    set -euo pipefail
    cd tests/fuzz
    for target in $(cargo fuzz list --fuzz-dir .); do
        mkdir -p "target/found/$target"
        cargo fuzz run --fuzz-dir . -s none "$target" "target/found/$target" "corpus/$target" -- \
            -max_total_time={{seconds}} -timeout=10 -rss_limit_mb=2048
    done

# So many crashes of connectors, engine and journal together on a simulated disk, network and clock, on all processors.
simulate-engine crashes="100000":
    PROPTEST_CASES={{crashes}} cargo test -p trueup-runtime --lib -- --nocapture simulation::many

# The program killed so often while it is fed, in one process and in two: at the end it answers as one that never was.
kills count="1000":
    TRUEUP_KILLS={{count}} cargo test -p trueup-server --test kill -- --nocapture --test-threads 1

# Ten thousand generated worlds, the engine beside the oracle at every epoch.
worlds:
    PROPTEST_CASES=10000 cargo test --profile simulation -p trueup-tests --test it -- oracle::the_engine

# The demonstration.
demo:
    cargo run --release -- demo

# Benchmarks of formats and codecs.
bench:
    cargo bench -p trueup-benches
