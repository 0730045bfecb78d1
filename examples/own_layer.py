"""A layer of one's own is a class with tensors in its attributes; nothing is registered."""

import numpy as np

import autodiff as ad
from autodiff import nn, optim


class Fourier(nn.Module):
    """A sum of sines with learnt frequencies, phases and amplitudes."""

    def __init__(self, n, rng):
        self.frequency = ad.Tensor(rng.normal(size=n) * 12)
        self.phase = ad.Tensor(rng.uniform(-np.pi, np.pi, size=n))
        self.amplitude = ad.Tensor(rng.normal(size=n) / n)

    def forward(self, x):
        return ad.sin(x[:, None] * self.frequency + self.phase) @ self.amplitude


x = np.linspace(-1, 1, 200)
target = np.sign(np.sin(6 * x))  # a square wave
model = Fourier(20, np.random.default_rng(0))
optimizer = optim.Adam(model.parameters(), lr=0.02)
for step in range(401):
    loss = nn.functional.mse_loss(model(x), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        print(f"step {step:3d}   mean squared error {loss:.4f}")
print([name for name, _ in model.named_parameters()])
