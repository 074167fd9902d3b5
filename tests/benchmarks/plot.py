"""The plot of the README."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt


def draw(rates: Mapping[str, Sequence[float | None]], file: Path) -> None:
    """Bars of orders per second by contestant: creates, and updates below."""
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "the same file for the same figures"})
    figure, axes = plt.subplots(figsize=(9, 0.7 * len(rates) + 0.8))
    for offset, number, label in ((-0.2, 0, "creates"), (0.2, 1, "80 % updates")):
        places = [place + offset for place in range(len(rates))]
        bars = axes.barh(places, [pair[number] or 0 for pair in rates.values()], height=0.38, label=label)
        axes.bar_label(bars, [f"{pair[number]:,.0f}" if pair[number] else "" for pair in rates.values()], padding=3)
    axes.set_yticks(range(len(rates)), list(rates))
    axes.invert_yaxis()
    axes.set_xlabel("messages per second")
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.1)
    axes.legend(loc="lower right")
    figure.savefig(file, bbox_inches="tight", metadata={"Date": None})
