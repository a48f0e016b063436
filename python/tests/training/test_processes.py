"""Interruption, threads and forks; each case in a process of its own, which must end in time."""

import signal
import subprocess
import sys
import time

import pytest

TIMEOUT_S = 120


def start(script, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output_of(script, *arguments):
    process = start(script, *arguments)
    try:
        output, errors = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode == 0, errors
    return output


def interrupt(script, *arguments):
    """Send SIGINT a moment after the script has printed a line; return the rest of its output."""
    process = start(script, *arguments)
    try:
        assert process.stdout.readline().strip() == "started", process.stderr.read()
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    return output.split()


INTERRUPTED_TRAINING = """
import sys, cantus
print("started", flush=True)
try:
    cantus.train(sys.argv[1], "mlp", epochs=10**6, out=sys.argv[2], progress=False)
except KeyboardInterrupt:
    print("KeyboardInterrupt")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_interrupts_a_training_which_can_be_resumed(store, tmp_path):
    import cantus

    output = interrupt(INTERRUPTED_TRAINING, store.path, tmp_path / "run")
    assert output == ["KeyboardInterrupt"]
    options = {"epochs": 10**6, "out": tmp_path / "run", "progress": False}
    with pytest.raises(cantus.DataError, match="interrupted"):
        cantus.train(store, "mlp", **options)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_interrupts_the_command_line_as_it_does_the_binary(store, tmp_path):
    arguments = ["train", store.path, "-m", "mlp", "--epochs", "1000000", "-o", str(tmp_path / "run")]
    command = [sys.executable, "-m", "cantus", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        lines = iter(process.stderr.readline, "")
        assert any("split by" in line for line in lines)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 130
    assert "--resume continues" in errors and "Traceback" not in errors


INTERRUPTED_FIT = """
import cantus, numpy as np
x = np.random.default_rng(0).standard_normal((500, 8))
layers = [{"type": "Dense", "units": 2, "activation": "softmax"}]
network = cantus.nn.Network({"input_shape": [8], "layers": layers})
before = network.weights
print("started", flush=True)
try:
    network.fit(x, (x[:, 0] > 0).astype(int), epochs=10**7)
except KeyboardInterrupt:
    print("KeyboardInterrupt", network.evaluate(x, (x[:, 0] > 0).astype(int))["accuracy"] > 0.9)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_interrupts_a_fit_whose_weights_are_kept():
    assert interrupt(INTERRUPTED_FIT) == ["KeyboardInterrupt", "True"]


INTERRUPTED_EXTRACTION = """
import sys, cantus
cantus.compose(sys.argv[1], n_tracks=30, duration=5.0, progress=False)
print("started", flush=True)
try:
    while True:
        cantus.extract(sys.argv[1], sys.argv[2], recipe="best", overwrite=True, progress=False, audit="off")
        cantus.extract(sys.argv[1], sys.argv[2], recipe="kernel-machine", overwrite=True, progress=False)
except KeyboardInterrupt:
    print("KeyboardInterrupt")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_interrupts_an_extraction(tmp_path):
    assert interrupt(INTERRUPTED_EXTRACTION, tmp_path / "music", tmp_path / "f") == ["KeyboardInterrupt"]


RAISING_PROGRESS = """
import sys, cantus
from cantus import _cantus, _progress
class Full(_progress.Progress):
    def __call__(self, *event):
        raise OSError("no space for the bar")
import cantus.training
cantus.training.Progress = Full
try:
    cantus.train(sys.argv[1], "mlp", epochs=10**6)
except OSError as error:
    print(error)
"""


def test_an_exception_of_the_progress_bar_ends_the_work(store):
    assert output_of(RAISING_PROGRESS, store.path) == "no space for the bar\n"


FORKED = """
import multiprocessing, sys, cantus, numpy as np

def work(number):
    store = cantus.Store(sys.argv[1])
    features, _ = store.to_numpy()
    model = cantus.Model.load(sys.argv[2])
    track = sys.argv[3] + "/" + store.tracks[number].path
    predictions = model.predict([track] * 4)
    run = cantus.train(store, "mlp-normalised", epochs=1, progress=False)
    layers = [{"type": "Dense", "units": 2, "activation": "softmax"}]
    network = cantus.nn.Network({"input_shape": [8], "layers": layers})
    network.fit(features.reshape(-1, 8)[:200], [0, 1] * 100, epochs=1)
    other = sys.argv[3] + "/" + store.tracks[-1].path
    cantus.extract([track, other], sys.argv[4] + str(number), progress=False)
    return float(features.sum()), predictions[0].probability, run.report["track_accuracy"]

expected = work(0)
with multiprocessing.get_context("fork").Pool(2) as pool:
    results = pool.map_async(work, [1, 2, 3, 4]).get(timeout=100)
assert all(result[0] == expected[0] for result in results)
print("done")
"""


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="forks of POSIX")
def test_a_child_made_by_fork_after_threads_were_used_does_not_hang(store, run, corpus, tmp_path):
    assert output_of(FORKED, store.path, run.path, corpus, tmp_path / "f") == "done\n"


PARALLEL_THREADS = """
import sys, threading, cantus, numpy as np
model = cantus.Model.load(sys.argv[2])
done = []

def work(number):
    run = cantus.train(sys.argv[1], "mlp-normalised", epochs=2, seed=number % 2, progress=False)
    model.predict_features(cantus.Store(sys.argv[1]).to_numpy()[0])
    done.append((number % 2, run.model.to_bytes()))

threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(len(done), len(set(done)))
"""


def test_trainings_in_several_threads_do_not_change_each_other(store, run):
    assert output_of(PARALLEL_THREADS, store.path, run.path).split() == ["6", "2"]


BUSY = """
import os, sys, tempfile, threading, cantus
tempfile.tempdir = sys.argv[4]
model = cantus.Model.load(sys.argv[2])
begun = threading.Semaphore(0)

class Bar:
    function = None
    def __init__(self, *arguments): self.function = self
    def __enter__(self): return self
    def __exit__(self, *exception): pass
    def __call__(self, *event): begun.release()

import cantus.training
cantus.training.Progress = Bar
n = 2 * os.cpu_count()
for _ in range(n):
    options = {"args": (sys.argv[1], "mlp"), "kwargs": {"epochs": 10**6}, "daemon": True}
    threading.Thread(target=cantus.train, **options).start()
for _ in range(2 * n):
    begun.acquire()
print(len(model.predict([sys.argv[3]] * 3)), len(cantus.Store(sys.argv[1])) > 0, flush=True)
os._exit(0)
"""


def test_trainings_in_other_threads_do_not_delay_a_prediction(store, run, paths, tmp_path):
    assert output_of(BUSY, store.path, run.path, paths[0], tmp_path).split() == ["3", "True"]


RELEASED = """
import sys, threading, time, cantus
n_ticks = 0

def tick():
    global n_ticks
    while not stopped.is_set():
        n_ticks += 1
        time.sleep(0.001)

stopped = threading.Event()
thread = threading.Thread(target=tick)
thread.start()
before = n_ticks
cantus.train(sys.argv[1], "mlp", epochs=30, progress=False)
during = n_ticks - before
stopped.set()
thread.join()
print(during > 20)
"""


def test_other_threads_run_during_a_training(store):
    assert output_of(RELEASED, store.path) == "True\n"
