"""The convolutional net of ``cnn`` in NumPy: clean, and with buffers in the memory order that is fastest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .harness import Step
from .mlp import cross_entropy_in_place, softmax_loss
from .updates import F32, Vector, in_place, one_by_one

if TYPE_CHECKING:
    from .cnn import Task

LR = 1e-3
ROWS_AT_ONCE = 4
"""So many rows of an image are convolved at a time: what fits into a core's own cache."""


def by_hand(task: Task) -> Step:
    """Clean NumPy: the usual form, windows laid out as rows of a matrix (im2col)."""
    X, T, params = task.X, task.T, [p.copy() for p in task.params]
    W1, b1, W2, b2, W3, b3 = params
    update = one_by_one("adam", params, LR)

    def windows_of(x: Any) -> Any:
        n, c = x.shape[:2]
        seen = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(2, 3))
        return seen.transpose(0, 2, 3, 1, 4, 5).reshape(-1, c * 9), (n, *seen.shape[2:4])

    def conv(x: Any, W: Any, b: Any) -> Any:
        columns, shape = windows_of(x)
        y = columns @ W.reshape(len(W), -1).T + b
        return y.reshape(*shape, -1).transpose(0, 3, 1, 2), columns

    def conv_back(g: Any, W: Any, columns: Any, shape: Any) -> Any:
        rows = g.transpose(0, 2, 3, 1).reshape(-1, len(W))
        gW, gb = (rows.T @ columns).reshape(W.shape), rows.sum(0)
        if shape is None:
            return gW, gb, None
        n, _, height, width = g.shape
        spread = (rows @ W.reshape(len(W), -1)).reshape(n, height, width, -1, 3, 3)
        gx = np.zeros(shape, F32)
        for i in range(3):
            for j in range(3):
                gx[:, :, i : i + height, j : j + width] += spread[..., i, j].transpose(0, 3, 1, 2)
        return gW, gb, gx

    def pool(x: Any) -> Any:
        n, c, height, width = x.shape
        blocks = x[:, :, : height // 2 * 2, : width // 2 * 2].reshape(n, c, height // 2, 2, width // 2, 2)
        return blocks.max(axis=(3, 5)), blocks

    def pool_back(g: Any, top: Any, blocks: Any, shape: Any) -> Any:
        gx = np.zeros(shape, F32)
        n, c, height, _, width, _ = blocks.shape
        won = blocks == top[:, :, :, None, :, None]
        gx[:, :, : 2 * height, : 2 * width] = (won * g[:, :, :, None, :, None]).reshape(n, c, 2 * height, 2 * width)
        return gx

    def step() -> float:
        y1, columns1 = conv(X, W1, b1)
        h1, blocks1 = pool(np.maximum(y1, 0))
        y2, columns2 = conv(h1, W2, b2)
        h2, blocks2 = pool(np.maximum(y2, 0))
        flat = h2.reshape(len(X), -1)
        loss, g = softmax_loss(flat @ W3.T + b3, T)
        gW3, gb3 = g.T @ flat, g.sum(0)
        g = pool_back((g @ W3).reshape(h2.shape), h2, blocks2, y2.shape) * (y2 > 0)
        gW2, gb2, g = conv_back(g, W2, columns2, h1.shape)
        g = pool_back(g, h1, blocks1, y1.shape) * (y1 > 0)
        gW1, gb1, _ = conv_back(g, W1, columns1, None)
        update((gW1, gb1, gW2, gb2, gW3, gb3))
        return float(loss)

    return step


class Layer:
    """Convolution, pooling and relu in buffers, arrays ``(C, H, W, N)``: every shifted slice is one long run.

    Bias and relu come after the pooling, which is the same and a quarter of the work.
    """

    def __init__(self, x: Any, W: Any, b: Any, gW: Any, gb: Any) -> None:
        channels, height, width, n = x.shape
        outputs, tall, wide = len(W), height - 2, width - 2
        self.W, self.gW, self.gb, self.b = W.reshape(outputs, -1), gW.reshape(outputs, -1), gb, b[:, None, None, None]
        self.y = np.empty((outputs, tall, wide, n), F32)
        self.gx = np.empty_like(x)
        self.strips = []  # for each: copies of windows, where they are in x and in gx, as columns, and their place in y
        for top in range(0, tall, ROWS_AT_ONCE):
            bottom = min(top + ROWS_AT_ONCE, tall)
            windows = np.empty((channels, 3, 3, bottom - top, wide, n), F32)
            parts = []
            for i in range(3):
                for j in range(3):
                    seen = slice(None), slice(top + i, bottom + i), slice(j, j + wide)
                    parts.append((windows[:, i, j], x[seen], self.gx[seen]))
            place = self.y.reshape(outputs, -1)[:, top * wide * n : bottom * wide * n]
            self.strips.append((parts, windows.reshape(channels * 9, -1), place))
        tall, wide = tall // 2, wide // 2
        self.top, self.h = np.empty((2, outputs, tall, wide, n), F32)
        self.won = np.empty(self.h.shape, bool)
        self.quarters = [self.y[:, i : 2 * tall : 2, j : 2 * wide : 2] for i in range(2) for j in range(2)]
        self.left_over = [part for part in (self.y[:, 2 * tall :], self.y[:, :, 2 * wide :]) if part.size]
        self.ones = np.ones(self.h[0].size, F32)
        self.product = np.empty_like(self.gW)

    def forward(self) -> Any:
        """The result, in a buffer."""
        for parts, columns, y in self.strips:
            for window, seen, _ in parts:
                np.copyto(window, seen)
            np.matmul(self.W, columns, out=y)
        first, second, *others = self.quarters
        np.maximum(first, second, out=self.top)
        for part in others:
            np.maximum(self.top, part, out=self.top)
        np.add(self.top, self.b, out=self.h)
        return np.maximum(self.h, 0, out=self.h)

    def backward(self, g: Any, on: bool) -> Any:
        """From the gradient of the result, overwritten, to those of the parameters and, to go on, of the images."""
        np.greater(self.h, 0, out=self.won)
        np.multiply(g, self.won, out=g)
        np.dot(g.reshape(len(g), -1), self.ones, out=self.gb)
        for part in self.quarters:
            np.equal(part, self.top, out=self.won)
            np.multiply(g, self.won, out=part)
        for part in self.left_over:
            part[...] = 0
        self.gW[...] = 0
        self.gx[...] = 0
        for parts, columns, gy in self.strips:
            np.dot(gy, columns.T, out=self.product)
            np.add(self.gW, self.product, out=self.gW)
            if on:
                np.matmul(self.W.T, gy, out=columns)
                for window, _, place in parts:
                    np.add(place, window, out=place)
        return self.gx


def buffers(task: Task) -> Step:
    """NumPy that makes no array, with the images innermost."""
    vector = Vector(task.params)
    (W1, b1, W2, b2, W3, b3), (gW1, gb1, gW2, gb2, gW3, gb3) = vector.params, vector.gradients
    images = np.moveaxis(task.X, 0, -1)
    x, n = np.empty(images.shape, F32), len(task.X)
    first = Layer(x, W1, b1, gW1, gb1)
    second = Layer(first.h, W2, b2, gW2, gb2)
    flat, g = second.h.reshape(-1, n), np.empty_like(second.h)
    logits, ones = np.empty((n, 10), F32), np.ones(n, F32)
    loss_of = cross_entropy_in_place(logits, task.T)
    update = in_place("adam", vector, LR)

    def step() -> float:
        np.copyto(x, images)  # a new batch comes in the usual order
        first.forward()
        second.forward()
        np.dot(flat.T, W3.T, out=logits)
        np.add(logits, b3, out=logits)
        loss = loss_of()
        np.dot(logits.T, flat.T, out=gW3)
        np.dot(ones, logits, out=gb3)
        np.dot(W3.T, logits.T, out=g.reshape(-1, n))
        first.backward(second.backward(g, on=True), on=False)
        update()
        return loss

    return step
