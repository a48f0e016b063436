"""Progress of long work: a tqdm bar if tqdm is installed, else a line of text on standard error."""

import sys
import threading
from typing import Any, Protocol


class _Bar(Protocol):
    """What is used of tqdm."""

    n: float

    def set_postfix_str(self, text: str, refresh: bool = ...) -> None: ...

    def update(self, n: float) -> object: ...

    def close(self) -> None: ...


class _TextBar:
    """A line on standard error that replaces itself."""

    def __init__(self, total: int, desc: str) -> None:
        self.n: float = 0
        self._total, self._desc, self._text, self._width = total, desc, "", 0

    def set_postfix_str(self, text: str, refresh: bool = True) -> None:
        self._text = text

    def update(self, n: float) -> None:
        self.n += n
        line = f"{self._desc}: {self.n}/{self._total} {self._text}"[:110]
        sys.stderr.write("\r" + line.ljust(self._width))
        sys.stderr.flush()
        self._width = len(line)

    def close(self) -> None:
        sys.stderr.write("\n")
        sys.stderr.flush()


def _new_bar(total: int, desc: str) -> _Bar:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return _TextBar(total, desc)
    bar: Any = tqdm(total=total, desc=desc)
    return bar  # type: ignore[no-any-return]


class Progress:
    """Shows the events of an extraction, a prediction or a training; a context manager that closes its bars.

    Parameters
    ----------
    what
        Name of the bar of recordings.
    shown
        Whether anything is shown.
    """

    def __init__(self, what: str, shown: bool) -> None:
        self._what, self._shown = what, shown
        self._bar: _Bar | None = None
        self._name = ""
        # Events of recordings come from several threads.
        self._lock = threading.Lock()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *exception: object) -> None:
        self._close()

    @property
    def function(self) -> "Progress | None":
        """The function that receives events; None if nothing is shown."""
        return self if self._shown else None

    def __call__(self, *event: Any) -> None:
        """Show ``(n_done, n, name)`` of recordings, or ``(stage, epoch, n_epochs, scores)`` of a training."""
        with self._lock:
            if len(event) == 3:
                n_done, n_recordings, name = event
                self._show(self._what, n_done, n_recordings, name)
            else:
                stage, epoch, n_epochs, scores = event
                names = {"loss", "accuracy", "val_loss", "val_accuracy", "score"}
                text = "  ".join(f"{name} {value:.3f}" for name, value in scores if name in names)
                self._show(stage, epoch, n_epochs, text)

    def _show(self, name: str, n_done: int, total: int, text: str) -> None:
        if self._bar is None or name != self._name:
            self._close()
            self._bar, self._name = _new_bar(total, name), name
        self._bar.set_postfix_str(text, refresh=False)
        self._bar.update(max(n_done - self._bar.n, 0))

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
