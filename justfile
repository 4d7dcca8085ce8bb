# The commands of the day; each is plain cargo and may be typed by hand.

# Formatting, lints and tests.
check:
    cargo fmt --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo test --workspace

# Tests only.
test:
    cargo test --workspace

# The demonstration.
demo:
    cargo run --release -- demo

# Benchmarks of formats and codecs.
bench:
    cargo bench -p trueup-benches
