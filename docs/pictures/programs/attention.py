"""One block of a transformer: causal attention with two heads, and a net for each place."""

import numpy as np

import autodiff as ad
from autodiff import nn

n, width, n_heads = 6, 8, 2
rng = np.random.default_rng(1)
causal = np.tril(np.ones((n, n), dtype=bool))


class Attention(nn.Module):
    """Each place looks at those before it."""

    def __init__(self):
        self.queries = nn.Linear(width, width, bias=False, rng=1)
        self.keys = nn.Linear(width, width, bias=False, rng=2)
        self.values = nn.Linear(width, width, bias=False, rng=3)
        self.mix = nn.Linear(width, width, rng=4)

    def forward(self, x):
        q, k, v = (split(layer(x)) for layer in (self.queries, self.keys, self.values))
        scores = q @ k.mT / np.sqrt(width / n_heads)
        weights = ad.softmax(ad.where(causal, scores, -np.inf), axis=-1)
        mixed = ad.transpose(weights @ v, (1, 0, 2))
        return self.mix(mixed.reshape(n, width))


def split(x):
    """(n, width) as (heads, n, width / heads)."""
    return ad.transpose(x.reshape(n, n_heads, width // n_heads), (1, 0, 2))


attention = Attention()
net = nn.MLP([width, 16, width], activation=nn.GELU, rng=5)
embedding = ad.Tensor(rng.normal(size=(10, width)), name="embedding")
words = np.array([3, 1, 4, 1, 5, 9])

with ad.trace():
    x = embedding[words]
    x = x + attention(x)
    x = x + net(x)
    logits = x @ embedding.T
    loss = nn.functional.cross_entropy(logits[:-1], words[1:])

page = ad.debug(loss, title="A block of a transformer")
