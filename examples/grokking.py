"""Grokking: a net learns sums modulo 47 by heart, and understands them long after.

Half of the 47 * 47 sums are for training, the others for testing.  Weight decay makes the difference: what has been
learnt by heart takes larger weights than the rule.
"""

import numpy as np
from shared import BLUE, GREY, by_powers, panels, parser, save

import autodiff as ad
from autodiff import nn, optim

options = parser.parse_args()
rng = np.random.default_rng(0)
N = 47

sums = rng.permutation([(a, b) for a in range(N) for b in range(N)])
results = sums.sum(axis=1) % N
half = len(sums) // 2


class Adder(nn.Module):
    def __init__(self):
        self.embed = nn.Embedding(N, 64, rng=rng)
        self.net = nn.MLP([128, 256, N], rng=rng)

    def forward(self, x):
        return self.net(self.embed(x).reshape(-1, 128))


model = Adder().astype(np.float32)


@ad.compile
def loss_of(x, y):
    """The mean loss, and the share of sums that are right."""
    scores = model(x)
    return nn.functional.cross_entropy(scores, y), ad.mean(ad.argmax(scores, axis=1) == y)


optimizer = optim.AdamW(model.parameters(), lr=0.001, weight_decay=1.0)
steps = 100 if options.quick else 8000
seen = []
for step in range(1, steps + 1):
    loss, right = loss_of(sums[:half], results[:half])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 25 == 0:
        with ad.no_grad():
            test_loss, test_right = loss_of(sums[half:], results[half:])
        seen.append([step, loss.item(), test_loss.item(), right.item(), test_right.item()])
    if step % (steps // 4) == 0 or step in (200, 1000):
        print("step {:5d}   loss {:.4f}, test {:.4f}   right {:7.2%}, test {:7.2%}".format(*seen[-1]))

step, loss, test_loss, right, test_right = np.transpose(seen)
figure, (shares, losses) = panels(columns=2, sharex=True)
shares.plot(step, 100 * right, color=GREY, label="training")
shares.plot(step, 100 * test_right, color=BLUE, label="test")
shares.set(title="Sums that are right, in %", xlabel="step")
shares.legend(loc="center")
losses.plot(step, loss, color=GREY)
losses.plot(step, test_loss, color=BLUE)
losses.set(title="Loss in nats", xlabel="step")
by_powers(shares.xaxis)
by_powers(losses.yaxis)
save(figure, "example-grokking.png")
