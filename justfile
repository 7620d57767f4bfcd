# Everyday commands; `just` lists them.

# Lists the commands
default:
    @just --list

# Formatting and lints
check:
    cargo fmt --check && cargo clippy --locked --all-targets -- -D warnings

# The tests, or those whose names contain NAME
test NAME="":
    cargo test --locked {{NAME}}

# The vendors' own clients against scanq; needs Python 3
conformance:
    cargo build --locked && python3 -m venv target/venv && target/venv/bin/pip install -q -r tests/conformance/requirements.txt && SCANQ="$PWD/target/debug/scanq" target/venv/bin/pytest -q -p no:cacheprovider tests/conformance

# Fuzzes one of errors, pages, signatures, files and times for ten minutes
fuzz TARGET:
    cargo +nightly fuzz run {{TARGET}} -- -max_total_time=600

# Fails where a hot path takes more instructions than it may; needs valgrind
instructions:
    benches/instructions

# Runs scanq beside curl, the vendor's SDK and a bare client, and writes the tables
compare:
    benches/compare/run

# Serves both clouds on loopback until Ctrl-C
sandbox *FLAGS:
    cargo run --locked -- sandbox --print-env {{FLAGS}}

# Builds the book into docs/book and runs its commands
docs:
    mdbook build docs && cargo test --locked --test it docs::
