import json
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import cantus


@pytest.fixture(autouse=True)
def no_embedding_models(monkeypatch, tmp_path):
    """The models of the user's folder would be tried, too."""
    monkeypatch.setenv("CANTUS_EMBEDDINGS", str(tmp_path / "no-models"))


def test_recipes_are_tried_and_the_best_is_trained(corpus, tmp_path):
    run = cantus.train(corpus, epochs=1, out=tmp_path / "run", progress=False)
    assert len(run.trials) == 5 and run.trials[0].name.startswith("best, ")
    scores = [trial.score for trial in run.trials]
    assert all(0 <= score <= 1 for score in scores) and all(trial.seconds > 0 for trial in run.trials)
    assert run.trials.chosen is run.trials[scores.index(max(scores))]
    assert run.trials.chosen.name.startswith(run.model.recipe)
    assert "was selected among 5 by cross-validation on the training part" in str(run.report)
    table = str(run.trials)
    assert len(table.splitlines()) == 5 and table.count("← chosen") == 1
    assert run.trials._repr_html_().count("<tr>") == 6
    assert pickle.loads(pickle.dumps(run.trials)) == run.trials
    # A second run of the folder repeats no trial.
    again = cantus.train(corpus, epochs=1, out=tmp_path / "run", overwrite=True, progress=False)
    assert [trial.score for trial in again.trials] == scores


def test_a_run_without_a_recipe_has_the_bytes_of_the_command_line(corpus, tmp_path):
    run = cantus.train(corpus, budget=0, epochs=2, seed=3, out=tmp_path / "a", progress=False)
    flags = ["--budget", "0", "--epochs", "2", "--seed", "3", "-o", str(tmp_path / "b")]
    command = [sys.executable, "-m", "cantus", "-q", "train", str(corpus), *flags]
    subprocess.run(command, capture_output=True, check=True)
    for name in ["model.safetensors", "report.json", "split.csv", "predictions.csv", "config.toml"]:
        assert Path(run.path, name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    assert [trial.reason for trial in run.trials] == [None] + ["not tried: no time left"] * 4
    assert run.trials.chosen == run.trials[0]


def test_a_store_and_a_named_recipe_have_no_trials(store, run):
    assert run.trials == [] and run.trials.chosen is None and str(run.trials) == ""
    of_store = cantus.train(store, epochs=1, progress=False)
    assert of_store.model.recipe == "mlp-normalised" and of_store.trials == []


INTERRUPTED = """
import sys, cantus
print("started", flush=True)
try:
    cantus.train(sys.argv[1], out=sys.argv[2], progress=False)
except KeyboardInterrupt:
    print("KeyboardInterrupt")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_interrupts_a_selection_whose_trials_are_kept(corpus, tmp_path):
    command = [sys.executable, "-c", INTERRUPTED, str(corpus), str(tmp_path / "run")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "started\n"
        deadline = time.monotonic() + 120
        while not (tmp_path / "run" / "selection.json").exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[0] == "KeyboardInterrupt\n"
    kept = json.loads((tmp_path / "run" / "selection.json").read_text())["trials"]
    run = cantus.train(corpus, budget=0, out=tmp_path / "run", resume=True, progress=False)
    assert run.trials[0].seconds == kept[0]["outcome"]["scored"]["seconds"]


def test_arguments_that_exclude_each_other_are_errors_of_one_line(corpus, store):
    cases = [
        ("folds", lambda: cantus.train(corpus, folds=3)),
        ("budget", lambda: cantus.train(corpus, "best", budget=1)),
        ("budget", lambda: cantus.train(store, budget=1)),
        ("budget", lambda: cantus.train(corpus, budget=-1)),
        ("budget", lambda: cantus.train(corpus, budget=float("nan"))),
        ("split='segment'", lambda: cantus.train(corpus, split="segment", progress=False)),
        ("validation", lambda: cantus.train(corpus, validation=1.5, progress=False)),
    ]
    for named, call in cases:
        with pytest.raises(cantus.ParameterError, match=named) as caught:
            call()
        assert "\n" not in str(caught.value)
    with pytest.raises(FileNotFoundError):
        cantus.train("/no/such/folder", progress=False)
