"""A process of `cantus serve` with a small model of synthesised music, and what the system counts of it."""

import os
import pathlib
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# The resident memory now and its highest value since the last reset, in the names of /proc/PID/status.
RESIDENT, HIGHEST = "VmRSS", "VmHWM"


def built():
    """The release binary."""
    subprocess.run(
        ["cargo", "build", "--release", "-p", "cantus-cli", "--bin", "cantus"], cwd=ROOT, check=True
    )
    return str(pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "cantus")


def small_model(binary, folder):
    """Trains a model on composed music: its run folder, and a WAV file of 30 s."""
    quiet = {"stdout": subprocess.DEVNULL, "check": True}
    subprocess.run(
        [binary, "compose", folder / "music", "--quiet", "--tracks", "4", "--duration", "30"], **quiet
    )
    subprocess.run([binary, "extract", folder / "music", "--quiet", "-o", folder / "features"], **quiet)
    training = ["-m", "mlp-normalised", "--epochs", "3", "-o", folder / "run"]
    subprocess.run([binary, "train", folder / "features", "--quiet", *training], **quiet)
    return folder / "run", sorted(folder.glob("music/*/*.wav"))[0]


def memory_mb(pid, field=RESIDENT):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) / 1024


class Server:
    """A server on a free port of the loopback interface, with an empty folder for temporary files."""

    def __init__(self, binary, model, temporary, *options):
        temporary.mkdir()
        self.temporary = temporary
        environment = os.environ | {"TMPDIR": str(temporary)}
        command = [binary, "serve", model, "--port", "0", "--quiet", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        self.pid = self.process.pid
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])

    def reset_highest_memory(self):
        pathlib.Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def memory_mb(self, field=RESIDENT):
        return round(memory_mb(self.pid, field), 1)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def temporary_files(self):
        """Files in its folder, and files that were removed and are still open."""
        links = [
            os.readlink(link) for link in pathlib.Path(f"/proc/{self.pid}/fd").iterdir() if link.is_symlink()
        ]
        return sum(len(files) for _, _, files in os.walk(self.temporary)) + sum(
            "(deleted)" in link for link in links
        )

    def settled_descriptors(self, expected, seconds):
        """Their number once it is at most the expected one, or after a time."""
        end = time.monotonic() + seconds
        while self.descriptors() > expected and time.monotonic() < end:
            time.sleep(0.1)
        return self.descriptors()

    def ask_to_end(self):
        self.process.send_signal(signal.SIGTERM)

    def exit_code(self, seconds):
        """That of its end within a time; None after that, and the process is killed."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None
