"""A small convolutional net."""

import numpy as np

import autodiff as ad
from autodiff import nn

rng = np.random.default_rng(0)
images = rng.normal(size=(4, 1, 8, 8))
labels = np.array([3, 1, 0, 2])


class Block(nn.Module):
    """Convolution, relu, and the largest of each two by two."""

    def __init__(self, n_in, n_out):
        self.weight = ad.Tensor(rng.normal(scale=0.4, size=(n_out, n_in, 3, 3)))
        self.bias = ad.Tensor(np.zeros(n_out))

    def forward(self, x):
        x = ad.conv2d(x, self.weight, self.bias, padding=1)
        return ad.max_pool2d(ad.relu(x), 2)


class ConvNet(nn.Module):
    """Two blocks and a linear layer."""

    def __init__(self):
        self.block1 = Block(1, 4)
        self.block2 = Block(4, 6)
        self.head = nn.Linear(24, 4, rng=0)

    def forward(self, x):
        x = self.block2(self.block1(x))
        return self.head(x.reshape(len(x), -1))


model = ConvNet()
with ad.trace():
    logits = model(images)
    loss = nn.functional.cross_entropy(logits, labels)

page = ad.debug(loss, title="A small convolutional net")
