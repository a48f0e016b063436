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

# Train the course's models here, in TensorFlow and in PyTorch, in turn; JSON lines. --shapes, --linear: see bench/training/README.md
bench-training *options:
    python3 bench/training/run.py {{options}}

# Cross-validate our recipes and what users would pick instead, on the same folds of a folder of recordings; JSON lines. See bench/accuracy/README.md
bench-accuracy data *options:
    python3 bench/accuracy/run.py {{data}} {{options}}

# Load sounds and compute features here, in librosa and in torchaudio, in turn; JSON lines. --part, --only: see bench/audio/README.md
bench-audio *options:
    python3 bench/audio/run.py {{options}}

# Ask `cantus serve` on loopback as fast as it answers; JSON lines. See bench/serve/README.md
bench-serve *options:
    python3 bench/serve/run.py {{options}}

# Export every recipe's model, ask it in onnxruntime, hold it against `cantus predict`; JSON lines. See docs/export.md
onnxruntime-parity *options:
    python3 bench/export/onnxruntime_parity.py {{options}}

# Ask for the genre of one song, process start to answer, here and in Python with librosa and Keras; JSON lines. See bench/cold-start/README.md
bench-cold-start *options:
    python3 bench/cold-start/run.py {{options}}

# The output and the pictures in the book, by running every lesson; `cargo test --test binary book` fails where they are stale
book-lessons:
    rm -rf docs/src/lessons
    cargo run --bin cantus -- lesson --all --quiet -o docs/src/lessons
    rm -r docs/src/lessons/12/music docs/src/lessons/12/features

# The book, in book/; needs mdbook (cargo install mdbook)
book:
    mdbook build docs
