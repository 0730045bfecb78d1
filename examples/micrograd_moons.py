"""micrograd's demo on single numbers, with only its imports changed: an MLP learns two moons."""

import random

import numpy as np

from autodiff import Value, data
from autodiff.nn.scalar import MLP

np.random.seed(1337)
random.seed(1337)
X, y = data.moons(40, noise=0.1, rng=0)
y = y * 2 - 1  # to -1 or 1

model = MLP(2, [16, 16, 1])
print(model)
print("number of parameters", len(model.parameters()))


def loss():
    inputs = [list(map(Value, row)) for row in X]
    scores = list(map(model, inputs))
    losses = [(1 + -yi * score).relu() for yi, score in zip(y, scores, strict=True)]
    data_loss = sum(losses) * (1.0 / len(losses))
    reg_loss = 1e-4 * sum(p * p for p in model.parameters())
    accuracy = [(yi > 0) == (score.data > 0) for yi, score in zip(y, scores, strict=True)]
    return data_loss + reg_loss, sum(accuracy) / len(accuracy)


for k in range(15):
    total_loss, accuracy = loss()
    model.zero_grad()
    total_loss.backward()
    learning_rate = 1.0 - 0.9 * k / 15
    for p in model.parameters():
        p.data -= learning_rate * p.grad
    print(f"step {k:2d} loss {total_loss.data:.6f}, accuracy {accuracy:.1%}")
