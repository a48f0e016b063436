# Chores. `just` lists them; `just check` is what CI runs.

_default:
    @just --list

# Everything that a change has to pass
check:
    .ci/run

# Format the code
format:
    cargo fmt --all

# The API documentation, in a browser
doc:
    cargo doc --workspace --no-deps --open
