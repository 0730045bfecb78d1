"""The demo: train a small net, say how well it does, and leave pictures of it in a folder."""

from __future__ import annotations

import csv
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ..core.checks import require_whole
from ..core.errors import ArgumentError, MissingExtraError
from ..core.modes import no_grad
from ..core.origin import tracing
from ..core.progress import Progress
from ..core.summary import repr_text
from ..data import batches, digits, moons, spirals, train_test_split
from ..nn import MLP, ReLU, functional
from ..optim import Adam
from ..viz import draw, plots
from ..viz.debug import debug
from .metrics import accuracy, confusion_matrix

BATCH_SIZE = 64
MOST_PARAMETERS = 10_000_000
"""More would take hours, and perhaps more memory than there is."""
MOST_SHOWN = 24
"""How many misread digits are shown."""


@dataclass(frozen=True)
class Task:
    """A data set, with the settings that suit it."""

    load: Callable[[int], tuple[Any, Any]]
    epochs: int
    lr: float
    hidden: tuple[int, ...]
    classes: int


TASKS = {
    "digits": Task(lambda seed: digits(), epochs=40, lr=0.003, hidden=(128,), classes=10),
    "moons": Task(lambda seed: moons(1000, noise=0.15, rng=seed), epochs=40, lr=0.01, hidden=(16, 16), classes=2),
    "spirals": Task(lambda seed: spirals(1500, rng=seed), epochs=80, lr=0.01, hidden=(32, 32), classes=3),
}


@dataclass
class Demo:
    """Train an MLP on a small data set.

    Parameters
    ----------
    data : {"digits", "moons", "spirals"}
    epochs : int, optional
    lr : float, optional
        Learning rate of Adam.
    hidden : tuple of int, optional
        Widths of the hidden layers.
    seed : int
        Of everything that is drawn: the data, the split, the weights, the order of the batches.

    Raises
    ------
    ArgumentError, KindError
        If an argument is out of range, or the learning rate no number.
    """

    data: str = "digits"
    epochs: int | None = None
    lr: float | None = None
    hidden: tuple[int, ...] | None = None
    seed: int = 0
    history: list[dict[str, float]] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        try:
            task = TASKS[self.data]
        except (KeyError, TypeError):  # the latter of what no dict can look up
            found = repr_text(self.data)
            raise ArgumentError(f"The demo has no data set {found}; it has {', '.join(TASKS)}.") from None
        self.epochs = task.epochs if self.epochs is None else self.epochs
        self.lr = task.lr if self.lr is None else self.lr
        self.hidden = task.hidden if self.hidden is None else self.hidden
        require_whole("The demo", epochs=self.epochs)
        require_whole("The demo", least=0, seed=self.seed)
        widths: Any = self.hidden
        if not isinstance(widths, tuple | list) or not widths:
            raise ArgumentError(f"The demo got hidden={repr_text(widths)}; it takes widths, such as {task.hidden}.")
        for k, width in enumerate(widths):
            require_whole("The demo", **{f"hidden[{k}]": width})
        X, y = task.load(self.seed)
        sizes = [X.shape[1], *self.hidden, task.classes]
        parameters = sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))
        if parameters > MOST_PARAMETERS:
            raise ArgumentError(
                f"The demo got hidden={repr_text(self.hidden)}, which makes {parameters:,} parameters; "
                f"it trains at most {MOST_PARAMETERS:,}. Give narrower layers, such as {task.hidden}."
            )
        split = train_test_split(X.astype(np.float32), y, test=0.2, rng=self.seed)
        self.X_train, self.X_test, self.y_train, self.y_test = split
        self.model = MLP(sizes, ReLU, dtype=np.float32, rng=self.seed)
        self.optimizer = Adam(self.model.parameters(), lr=self.lr)
        self.classes = task.classes

    def predict(self, X: Any) -> Any:
        """The most likely class of each row."""
        with no_grad():
            return self.model(np.asarray(X, np.float32)).numpy().argmax(axis=1)

    def train(self) -> None:
        """Train for all epochs, a line for each, under a live bar.

        Raises
        ------
        ArgumentError
            If the loss becomes infinite or nan, for which the learning rate is too large.
        """
        assert self.epochs is not None
        loader = batches(self.X_train, self.y_train, batch_size=BATCH_SIZE, rng=self.seed)
        quiet = np.errstate(over="ignore", invalid="ignore")  # what diverges is told below, once
        with quiet, Progress(self.epochs * len(loader), f"training on {self.data}") as progress:
            for epoch in range(1, self.epochs + 1):
                total = 0.0
                for inputs, labels in loader:
                    loss = functional.cross_entropy(self.model(inputs), labels)
                    self.optimizer.zero_grad()
                    loss.backward()
                    self.optimizer.step()
                    total += loss.item() * len(labels)
                    progress.advance()
                if not math.isfinite(total):
                    raise ArgumentError(
                        f"The loss became {total} in epoch {epoch}: steps of lr={self.lr} are too long for this net. "
                        f"Use a smaller learning rate, such as {TASKS[self.data].lr}."
                    )
                progress.line(self._note(epoch, total / len(self.y_train)))

    def _note(self, epoch: int, train_loss: float) -> str:
        with no_grad():
            test_loss = functional.cross_entropy(self.model(self.X_test), self.y_test).item()
        row = {
            "epoch": epoch,
            "train loss": train_loss,
            "test loss": test_loss,
            "train accuracy": accuracy(self.predict(self.X_train), self.y_train),
            "test accuracy": accuracy(self.predict(self.X_test), self.y_test),
        }
        self.history.append(row)
        return (
            f"epoch {epoch:3d}/{self.epochs}   loss {train_loss:7.4f}   "
            f"train accuracy {row['train accuracy']:7.2%}   test accuracy {row['test accuracy']:7.2%}"
        )

    def confusion(self) -> str:
        """The confusion matrix of the test set as aligned text."""
        table = confusion_matrix(self.predict(self.X_test), self.y_test, self.classes)
        width = max(len(str(table.max())), 2) + 1
        head = "true \\ predicted" + "".join(f"{k:{width}d}" for k in range(self.classes))
        rows = [f"{k:16d}" + "".join(f"{n or '.':>{width}}" for n in row) for k, row in enumerate(table)]
        return "\n".join([head, *rows])

    def save(self, folder: str | Path) -> list[str]:
        """Write history, pictures and the drawn tape into ``folder``; return a line about each."""
        folder = writable(folder)
        with open(folder / "history.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, self.history[0])
            writer.writeheader()
            writer.writerows(self.history)
        lines = [f"{folder / 'history.csv'}: loss and accuracy by epoch"]
        try:
            lines += self._save_plots(folder)
        except MissingExtraError as error:
            lines.append(f"no plots: {error}")
        return lines + self._save_tape(folder)

    def _save_plots(self, folder: Path) -> list[str]:
        curves = {"train": [r["train loss"] for r in self.history], "test": [r["test loss"] for r in self.history]}
        ax = plots.loss_curve(curves)
        ax.set(title=f"Learning {self.data}", ylabel="mean cross-entropy (nats)")
        _write(ax, folder / "loss.png")
        lines = [f"{folder / 'loss.png'}: the loss curve"]
        predicted = self.predict(self.X_test)
        if self.data == "digits":
            wrong = np.flatnonzero(predicted != self.y_test)
            shown = wrong[:MOST_SHOWN]
            (folder / "misclassified.png").unlink(missing_ok=True)  # an earlier run's
            if not len(wrong):
                return [*lines, "no picture of misread digits: there are none"]
            titles = [f"says {predicted[i]}, is {self.y_test[i]}" for i in shown]
            ax = plots.image_grid(self.X_test[shown].reshape(-1, 8, 8), titles, columns=6)
            count = f"{len(shown)} of the {len(wrong)}" if len(shown) < len(wrong) else f"{len(wrong)}"
            ax.set_title(f"Misread test digits ({count})")
            _write(ax, folder / "misclassified.png")
            return [*lines, f"{folder / 'misclassified.png'}: {count} test digits that it takes for others"]
        ax = plots.decision_regions(self.predict, self.X_test, self.y_test)
        ax.set_title(f"What the net takes each point for ({self.data}, test set)")
        _write(ax, folder / "regions.png")
        return [*lines, f"{folder / 'regions.png'}: what it takes each point of the plane for"]

    def _save_tape(self, folder: Path) -> list[str]:
        """Draw the tape of one small batch, and write a page that steps through it."""
        model = self.model
        model.zero_grad()
        inputs, labels = self.X_train[:4], self.y_train[:4]
        with tracing():
            loss = functional.cross_entropy(model(inputs), labels)
        loss.backward()
        draw(loss).save(folder / "tape.svg")
        debug(loss, folder / "backprop.html")
        return [
            f"{folder / 'tape.svg'}: the tape of a batch of four",
            f"{folder / 'backprop.html'}: step through it, forwards and backwards",
        ]


def _write(ax: Any, path: Path) -> None:
    """Save the figure of ``ax``, without blank space around it."""
    ax.figure.savefig(path, dpi=150, bbox_inches="tight")


def writable(folder: str | Path) -> Path:
    """The folder, made if need be; raise if nothing can be written into it."""
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(folder, os.W_OK | os.X_OK) else "it is write-protected"
    except FileExistsError:
        reason = "it is a file"
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
    if reason:
        raise ArgumentError(f"The demo cannot write into the folder {folder}: {reason}. Give another one.")
    return folder


def run(demo: Demo, folder: str | Path) -> None:
    """Train, print how well it went, and write the pictures."""
    folder = writable(folder)  # before the work
    parameters = sum(p.size for p in demo.model.parameters())
    print(
        f"{demo.data}: {len(demo.y_train)} points to train on, {len(demo.y_test)} to test on; "
        f"an MLP {' - '.join(str(n) for n in [demo.X_train.shape[1], *(demo.hidden or ()), demo.classes])} "
        f"with {parameters:,} parameters"
    )
    started = time.perf_counter()
    demo.train()
    seconds = time.perf_counter() - started
    print(f"\ntest accuracy {demo.history[-1]['test accuracy']:.2%} after {len(demo.history)} epochs")
    print(f"\n{demo.confusion()}\n")
    for line in demo.save(folder):
        print(line)
    print(f"\ntrained in {seconds:.1f} s")
