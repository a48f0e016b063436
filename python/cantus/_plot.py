"""Curves of a training, drawn by matplotlib."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


History = Mapping[str, Sequence[float]]


def plot_history(*histories: History) -> "Figure":
    """Draw loss and accuracy by epoch, of the training and of the validation part; those of several trainings in one."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("plot_history needs matplotlib: pip install matplotlib") from error
    names = [name for name in ("loss", "accuracy") if all(name in history for history in histories)]
    figure, axes = plt.subplots(1, len(names), figsize=(5 * len(names), 3.5), squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        for key, label, color in [(name, "training", "C0"), (f"val_{name}", "validation", "C1")]:
            curves = [history[key] for history in histories if key in history]
            for number, curve in enumerate(curves):
                style = {"color": color, "linewidth": 1.5 if len(curves) == 1 else 0.8}
                axis.plot(range(1, len(curve) + 1), curve, label=label if number == 0 else None, **style)
        axis.set_xlabel("epoch")
        axis.set_ylabel(name)
        axis.legend()
    figure.tight_layout()
    return figure
