# Development tasks. `just` lists them; `just check` is what CI runs.

_default:
    @just --list

# All checks that a change must pass
check:
    .ci/run

# Format the code
format:
    cargo fmt --all

# Build the API documentation and open it in a browser
doc:
    cargo doc --workspace --no-deps --open

# All benchmarks in short form: one table, and JSON with processor, limits and versions. Options: bench/README.md
bench *options:
    python3 bench/run.py {{options}}

# Compare instruction counts of kernels: each of OLD and NEW a git revision or a JSON file of `bench/counts.py`
bench-compare old new *options:
    python3 bench/counts.py --compare {{old}} {{new}} {{options}}

# Count the instructions of kernels anew, after an intended change; `.ci/bench-counts` compares with these counts
bench-counts:
    python3 bench/counts.py > target/counts.json && mv target/counts.json bench/counts/counts.json

# Benchmark: train the course's models in Cantus, TensorFlow and PyTorch, alternating; JSON lines. Options: bench/training/README.md
bench-training *options:
    python3 bench/training/run.py {{options}}

# Benchmark: matrix products beside the gemm crate, with AVX-512 and with AVX2; JSON lines. See bench/products/README.md
bench-products:
    grep -q avx512f /proc/cpuinfo && cargo run --quiet --release --manifest-path bench/products/Cargo.toml --features avx512 || true
    CANTUS_ISA=avx2 cargo run --quiet --release --manifest-path bench/products/Cargo.toml

# Benchmark: train on a feature store that is larger than the memory, and in memory; JSON lines. See bench/scale/README.md
bench-memory *options:
    python3 bench/scale/memory.py {{options}}

# Benchmark: cross-validate the recipes and other methods on the same folds of a folder of recordings; JSON lines. See bench/accuracy/README.md
bench-accuracy data *options:
    python3 bench/accuracy/run.py {{data}} {{options}}

# Benchmark: `cantus train` without a recipe beside other methods on several data sets; JSON lines. See bench/accuracy/README.md
bench-datasets +data:
    python3 bench/accuracy/datasets.py {{data}}

# Benchmark: accuracy with short recordings padded by repetition or zeros, and without padding; JSON lines. See bench/accuracy/README.md
bench-padding data *options:
    python3 bench/accuracy/padding.py {{data}} {{options}}

# Benchmark: load recordings and compute features in Cantus, librosa and torchaudio, alternating; JSON lines. Options: bench/audio/README.md
bench-audio *options:
    python3 bench/audio/run.py {{options}}

# Benchmark: load test of `cantus serve` on the loopback interface; JSON lines. See bench/serve/README.md
bench-serve *options:
    python3 bench/serve/run.py {{options}}

# Export every recipe's model and compare onnxruntime's predictions with `cantus predict`; JSON lines. See docs/export.md
onnxruntime-parity *options:
    python3 bench/export/onnxruntime_parity.py {{options}}

# Checks of the Python package: wheel, format, lints, types, tests
check-python:
    .ci/python

# Benchmark: the Python package beside librosa, soundfile, torchaudio and essentia; JSON lines. See bench/python/README.md
bench-python *options:
    python3 bench/python/run.py {{options}}

# Benchmark: an embedding model in Cantus and in onnxruntime: speed and equality; JSON lines. See bench/transfer/README.md
bench-transfer *options:
    python3 bench/transfer/run.py {{options}}

# Benchmark: predict one song, from process start to result, in Cantus and in Python with librosa and Keras; JSON lines. See bench/cold-start/README.md
bench-cold-start *options:
    python3 bench/cold-start/run.py {{options}}

# Kill commands by SIGKILL at random moments, 600 times or CANTUS_CRASH_KILLS times, and lose power at every call; results: docs/reliability.md
crash:
    cargo test -p cantus-cli --test crash -- --ignored --nocapture --test-threads 1

# Check licences, sources, versions and advisories of the dependencies, and that each is used; docs/reliability.md describes what needs which tool
supply-chain:
    cargo test -p cantus-checks --test supply_chain
    .ci/supply-chain

# Print the software bill of materials of the binary: CycloneDX, JSON. Options: packaging/sbom.py --help
sbom *options:
    @python3 packaging/sbom.py {{options}}

# Build the release binary twice, in two folders and without a network, and compare the hashes; options of `cargo build`
reproducible *options:
    packaging/reproducible {{options}}

# A server under clients that do harm, for ten minutes or `--minutes N`, and what docs/serve.md promises of it. See bench/serve/README.md
soak *options:
    python3 bench/serve/soak.py {{options}}

# Run every fuzz target, SECONDS in all; options: fuzz/README.md, results: docs/reliability.md
fuzz seconds *options:
    fuzz/run --seconds {{seconds}} {{options}}

# Run all lessons and write their output and pictures into the book; `cargo test --test binary book` fails if these are stale
book-lessons:
    rm -rf docs/src/lessons
    cargo run --bin cantus -- lesson --all --quiet -o docs/src/lessons
    rm -r docs/src/lessons/12/music docs/src/lessons/12/features

# Build the book in book/; needs mdbook (cargo install mdbook)
book:
    mdbook build docs

# Execute the notebooks of the Python package and write their outputs; needs the package, matplotlib, jupytext, nbclient and ipykernel
notebooks *names:
    python3 python/notebooks/make.py {{names}}
