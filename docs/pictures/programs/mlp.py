"""A small net whose features are used twice: by the classifier, and by a penalty on their size."""

import autodiff as ad
from autodiff import data, nn

X, labels = data.moons(24, noise=0.1, rng=0)
features = nn.Sequential(nn.Linear(2, 8, rng=0), nn.Tanh(), nn.Linear(8, 6, rng=1), nn.ReLU())
head = nn.Linear(6, 2, rng=2)

with ad.trace():
    h = features(X)
    fit = nn.functional.cross_entropy(head(h), labels)
    penalty = ad.mean(h * h)
    loss = fit + 0.1 * penalty

page = ad.debug(loss, title="A small net, its features used twice")
