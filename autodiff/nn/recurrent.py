"""Layers with a state that goes from step to step: plain, gated, and with a long short-term memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, ShapeError
from ..core.node import Array, ArrayLike, shape_of
from ..ops.dropout import dropout, require_probability
from ..ops.joining import concatenate, stack
from ..ops.recurrent import tanh_recurrence
from ..ops.shape import flip, swapaxes
from ..tensor import Tensor
from .functional import gru_step, linear, lstm_step, rnn_step
from .init import require_sizes, uniform
from .module import Module, shown

KINDS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
"""What the parameters of a layer in one direction are called, but for their end; the last belongs to ``proj_size``."""

State = Any
"""An array, or for a long short-term memory a pair of arrays."""


class Recurrent(Module):
    """What layers over whole sequences have in common: their parameters, directions and layers above each other."""

    gates: int
    weight_hh_l0: Tensor
    parts = 1
    """How many arrays the state is."""
    proj_size = 0
    own: Mapping[str, Any] = {}
    """What a subclass may be given besides, as it usually is."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: Any = float,
        rng: Any = None,
    ) -> None:
        name = type(self).__name__
        require_sizes(name, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        require_probability(dropout, name)
        if dropout and num_layers == 1:
            raise ArgumentError(f"{name} got dropout={dropout} and one layer: it drops between layers. Use nn.Dropout.")
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.bidirectional = bias, batch_first, bidirectional
        self.dropout, self.rng = dropout, np.random.default_rng(rng)
        n, n_out = self.gates * hidden_size, self.proj_size or hidden_size
        for k in range(num_layers):
            n_in = input_size if k == 0 else n_out * len(self.ways)
            shapes: dict[str, tuple[int, ...]] = {"weight_ih": (n, n_in), "weight_hh": (n, n_out)}
            shapes |= {"bias_ih": (n,), "bias_hh": (n,)} if bias else {}
            shapes |= {"weight_hr": (n_out, hidden_size)} if self.proj_size else {}
            for way in self.ways:
                for kind, shape in shapes.items():
                    p = uniform(1 / math.sqrt(hidden_size), shape, dtype=dtype, rng=self.rng, name=kind)
                    setattr(self, f"{kind}_l{k}{way}", p)

    @property
    def ways(self) -> tuple[str, ...]:
        """How the parameters of each direction are called at their end."""
        return ("", "_reverse") if self.bidirectional else ("",)

    def forward(self, x: ArrayLike, state: State = None) -> tuple[Array, State]:
        """The states of the last layer at every step, and those of all layers after the last step."""
        self._check(shape_of(x))
        if self.batch_first and len(shape_of(x)) == 3:
            x = swapaxes(x, 0, 1)
        first = self._first(x, state)
        last: list[tuple[Array, ...]] = []
        for k in range(self.num_layers):
            if k:
                x = dropout(x, self.dropout, training=self.training, rng=self.rng)
            both = []
            for way in self.ways:
                y, end = self._over(flip(x, 0) if way else x, tuple([s[len(last)] for s in first]), f"_l{k}{way}")
                both.append(flip(y, 0) if way else y)
                last.append(end)
            x = concatenate(both, -1) if self.bidirectional else both[0]
        ends = tuple([stack(some) for some in zip(*last, strict=True)])
        return swapaxes(x, 0, 1) if self.batch_first and len(shape_of(x)) == 3 else x, self._state(ends)

    def _over(self, x: Array, state: tuple[Array, ...], name: str) -> tuple[Array, tuple[Array, ...]]:
        """One layer in one direction: the products of the inputs of all steps are one product."""
        w_ih, w_hh, b_ih, b_hh, w_hr = (getattr(self, kind + name, None) for kind in KINDS)
        from_x = linear(x, w_ih, b_ih)
        states = []
        for t in range(len(x)):
            state = self.step(from_x[t], state, w_hh, b_hh)
            if w_hr is not None:
                state = linear(state[0], w_hr), *state[1:]
            states.append(state[0])
        return stack(states), state

    def step(self, from_x: Array, state: tuple[Array, ...], weight: Array, bias: Array | None) -> tuple[Array, ...]:
        """One step; subclasses write this."""
        raise NotImplementedError

    def _first(self, x: ArrayLike, state: State) -> tuple[Any, ...]:
        """The states before the first step."""
        lead = (self.num_layers * len(self.ways), *shape_of(x)[1:-1])
        shapes = [(*lead, n) for n in (self.proj_size or self.hidden_size, self.hidden_size)[: self.parts]]
        if state is None:
            return tuple([np.zeros(shape, self.weight_hh_l0.dtype) for shape in shapes])
        parts = state if self.parts > 1 else (state,)
        if not isinstance(parts, tuple | list) or [shape_of(s) for s in parts] != shapes:
            what = " and one ".join(f"of shape {shape}" for shape in shapes)
            raise ShapeError(f"{self!r} got a state that does not fit: it takes an array {what}.")
        return tuple(parts)

    def _state(self, parts: tuple[Array, ...]) -> State:
        return parts if self.parts > 1 else parts[0]

    def _check(self, shape: tuple[int, ...]) -> None:
        batch = "(batch, time, {})" if self.batch_first else "(time, batch, {})"
        if len(shape) not in (2, 3) or shape[-1] != self.input_size:
            raise ShapeError(
                f"{self!r} got an input of shape {shape}; it takes {batch.format(self.input_size)}, or (time, "
                f"{self.input_size}) for one sequence."
            )
        if shape[1 if self.batch_first and len(shape) == 3 else 0] == 0:
            raise ShapeError(f"{self!r} got an input of shape {shape}: a sequence of no steps has no states.")

    def __repr__(self) -> str:
        usual = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False}
        return shown(self, self.input_size, self.hidden_size, **usual, **self.own)


class RNN(Recurrent):
    """Plain recurrent layers, ``h' = tanh(x W^T + b + h U^T + c)``, over whole sequences [1]_.

    Shape: input ``(T, N, input_size)``, or ``(N, T, input_size)`` with ``batch_first``, or ``(T, input_size)`` for one
    sequence.  Returns the states of the last layer at all steps, ``(T, N, hidden_size)``, and those of all layers after
    the last step, ``(num_layers, N, hidden_size)``.  With two directions both stand side by side: twice
    ``hidden_size``, twice ``num_layers``.

    Parameters
    ----------
    input_size, hidden_size, num_layers : int
    nonlinearity : "tanh" or "relu"
    bias : bool
    batch_first : bool
        Whether the batch comes before time.
    dropout : float
        Probability to drop states between layers, while training.
    bidirectional : bool
        Whether other layers go from the end to the start.
    dtype, rng
        As for :class:`~autodiff.nn.Linear`.

    Attributes
    ----------
    weight_ih_l0, weight_hh_l0 : Tensor, shapes (hidden_size, input_size) and (hidden_size, hidden_size)
        Of the first layer; those of others end in ``_l1``, of the other direction in ``_l0_reverse``.  They start
        uniform within ``1 / sqrt(hidden_size)`` of 0.
    bias_ih_l0, bias_hh_l0 : Tensor, shape (hidden_size,)

    Raises
    ------
    ArgumentError
        If an option cannot be used.
    ShapeError
        When called with an input, or a state, that does not fit.

    References
    ----------
    .. [1] J. L. Elman, Cognitive Science 14 (1990) 179-211.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> y, h = nn.RNN(3, 5, rng=0)(np.ones((7, 2, 3)))
    >>> y.shape, h.shape
    ((7, 2, 5), (1, 2, 5))
    """

    gates = 1
    own = {"nonlinearity": "tanh"}

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: Any = float,
        rng: Any = None,
    ) -> None:
        self.nonlinearity = require_nonlinearity("RNN", nonlinearity)
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, dtype=dtype, rng=rng
        )

    def _over(self, x: Array, state: tuple[Array, ...], name: str) -> tuple[Array, tuple[Array, ...]]:
        if self.nonlinearity != "tanh":
            return super()._over(x, state, name)
        bias = getattr(self, f"bias_ih{name}") + getattr(self, f"bias_hh{name}") if self.bias else None
        from_x = linear(x, getattr(self, f"weight_ih{name}"), bias)
        y = tanh_recurrence(from_x, getattr(self, f"weight_hh{name}"), state[0])
        return y, (y[-1],)

    def step(self, from_x: Array, state: tuple[Array, ...], weight: Array, bias: Array | None) -> tuple[Array, ...]:
        """See :func:`autodiff.nn.functional.rnn_step`."""
        return (rnn_step(from_x, state[0], weight, bias, self.nonlinearity),)


class GRU(Recurrent):
    """Gated recurrent units over whole sequences [1]_.  Shapes, parameters and attributes as of :class:`RNN`.

    The three parts of each weight belong to the reset gate, the update gate and the new state.

    References
    ----------
    .. [1] K. Cho et al., EMNLP (2014), arXiv:1406.1078.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> y, h = nn.GRU(3, 5, batch_first=True, rng=0)(np.ones((2, 7, 3)))
    >>> y.shape, h.shape
    ((2, 7, 5), (1, 2, 5))
    """

    gates = 3

    def step(self, from_x: Array, state: tuple[Array, ...], weight: Array, bias: Array | None) -> tuple[Array, ...]:
        """See :func:`autodiff.nn.functional.gru_step`."""
        return (gru_step(from_x, state[0], weight, bias),)


class LSTM(Recurrent):
    """Long short-term memory over whole sequences [1]_.  Shapes, parameters and attributes as of :class:`RNN`.

    The state is a pair, ``(h, c)``.  The four parts of each weight belong to the input gate, the forget gate, the new
    content and the output gate.

    With ``proj_size`` above 0 each ``h`` is multiplied by one more weight, ``weight_hr_l0``, of shape ``(proj_size,
    hidden_size)``, and has that length from there on [2]_.

    References
    ----------
    .. [1] S. Hochreiter and J. Schmidhuber, Neural Computation 9 (1997) 1735-1780.
    .. [2] H. Sak, A. Senior and F. Beaufays (2014), arXiv:1402.1128.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> y, (h, c) = nn.LSTM(3, 5, bidirectional=True, rng=0)(np.ones((7, 2, 3)))
    >>> y.shape, h.shape, c.shape
    ((7, 2, 10), (2, 2, 5), (2, 2, 5))
    """

    gates = 4
    parts = 2
    own = {"proj_size": 0}

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        *,
        dtype: Any = float,
        rng: Any = None,
    ) -> None:
        if not 0 <= proj_size < hidden_size:
            raise ArgumentError(f"LSTM got proj_size={proj_size!r}; it is below hidden_size={hidden_size}, 0 for none.")
        self.proj_size = proj_size
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, dtype=dtype, rng=rng
        )

    def step(self, from_x: Array, state: tuple[Array, ...], weight: Array, bias: Array | None) -> tuple[Array, ...]:
        """See :func:`autodiff.nn.functional.lstm_step`."""
        h, c = state
        return lstm_step(from_x, h, c, weight, bias)


class RecurrentCell(Module):
    """What layers of one step have in common."""

    gates: int

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, *, dtype: Any = float, rng: Any = None
    ) -> None:
        require_sizes(type(self).__name__, input_size=input_size, hidden_size=hidden_size)
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rng, bound, n = np.random.default_rng(rng), 1 / math.sqrt(hidden_size), self.gates * hidden_size
        self.weight_ih = uniform(bound, (n, input_size), dtype=dtype, rng=rng, name="weight_ih")
        self.weight_hh = uniform(bound, (n, hidden_size), dtype=dtype, rng=rng, name="weight_hh")
        self.bias_ih = uniform(bound, (n,), dtype=dtype, rng=rng, name="bias_ih") if bias else None
        self.bias_hh = uniform(bound, (n,), dtype=dtype, rng=rng, name="bias_hh") if bias else None

    def _from(self, x: ArrayLike, *states: Any) -> tuple[Array, ...]:
        """What the input gives, and the states, which are 0 if there are none yet."""
        lead = shape_of(x)[:-1]
        if shape_of(x)[-1:] != (self.input_size,):
            raise ShapeError(
                f"{self!r} got an input of shape {shape_of(x)}; it takes (N, {self.input_size}) "
                f"or ({self.input_size},)."
            )
        for h in states:
            if h is not None and shape_of(h) != (*lead, self.hidden_size):
                raise ShapeError(
                    f"{self!r} got a state of shape {shape_of(h)}; for this input it is {(*lead, self.hidden_size)}."
                )
        zeros = np.zeros((*lead, self.hidden_size), self.weight_hh.dtype)
        return linear(x, self.weight_ih, self.bias_ih), *[zeros if h is None else h for h in states]

    def __repr__(self) -> str:
        own = {"nonlinearity": "tanh"} if isinstance(self, RNNCell) else {}
        return shown(self, self.input_size, self.hidden_size, bias=True, **own)


class RNNCell(RecurrentCell):
    """One step of :class:`RNN`.

    Shape: input ``(N, input_size)`` and state ``(N, hidden_size)``, 0 if not given; output the next state.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.RNNCell(3, 5, rng=0)(np.ones((2, 3))).shape
    (2, 5)
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        *,
        dtype: Any = float,
        rng: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, dtype=dtype, rng=rng)
        self.nonlinearity = require_nonlinearity("RNNCell", nonlinearity)

    def forward(self, x: ArrayLike, h: Any = None) -> Array:
        """See :func:`autodiff.nn.functional.rnn_step`."""
        from_x, h = self._from(x, h)
        return rnn_step(from_x, h, self.weight_hh, self.bias_hh, self.nonlinearity)


class GRUCell(RecurrentCell):
    """One step of :class:`GRU`.

    Shape: input ``(N, input_size)`` and state ``(N, hidden_size)``, 0 if not given; output the next state.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.GRUCell(3, 5, rng=0)(np.ones((2, 3))).shape
    (2, 5)
    """

    gates = 3

    def forward(self, x: ArrayLike, h: Any = None) -> Array:
        """See :func:`autodiff.nn.functional.gru_step`."""
        from_x, h = self._from(x, h)
        return gru_step(from_x, h, self.weight_hh, self.bias_hh)


class LSTMCell(RecurrentCell):
    """One step of :class:`LSTM`.

    Shape: input ``(N, input_size)`` and a pair of states ``(N, hidden_size)``, 0 if not given; output the next pair.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> h, c = nn.LSTMCell(3, 5, rng=0)(np.ones((2, 3)))
    >>> h.shape, c.shape
    ((2, 5), (2, 5))
    """

    gates = 4

    def forward(self, x: ArrayLike, state: Any = None) -> tuple[Array, Array]:
        """See :func:`autodiff.nn.functional.lstm_step`."""
        if state is not None and not (isinstance(state, tuple | list) and len(state) == 2):
            raise ShapeError(f"{self!r} got a state that is no pair; it takes (h, c), as it returns them.")
        from_x, h, c = self._from(x, *((None, None) if state is None else state))
        return lstm_step(from_x, h, c, self.weight_hh, self.bias_hh)


def require_nonlinearity(layer: str, nonlinearity: str) -> str:
    """The nonlinearity, if it is one."""
    if nonlinearity not in ("tanh", "relu"):
        raise ArgumentError(f"{layer} got nonlinearity={nonlinearity!r}; it is 'tanh' or 'relu'.")
    return nonlinearity
