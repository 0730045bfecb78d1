"""Three models of "Alice in Wonderland", character by character: each looks farther back, and writes better.

The bigram sees 1 character, the MLP 5, the transformer up to 48.  A blind guess among the 70 characters of the text has
a loss of ln 70 = 4.25 nats; the last tenth of the text is held back for testing.
"""

import textwrap

import numpy as np
from shared import COLORS, panels, parser, save

import autodiff as ad
from autodiff import data, nn, optim

options = parser.parse_args()
rng = np.random.default_rng(0)
text = data.alice()
tokenizer = data.CharTokenizer(text)
numbers = tokenizer.encode(text)
LENGTH, WIDTH, CHARACTERS = 48, 64, len(tokenizer)
X, Y = data.windows(numbers[:-15_000], LENGTH)
X_test, Y_test = data.windows(numbers[-15_000:], LENGTH, step=20 * LENGTH if options.quick else LENGTH)


class MLP(nn.Module):
    def __init__(self, seen=5):
        self.seen = seen
        self.embed = nn.Embedding(CHARACTERS, 16, rng=rng)
        self.net = nn.MLP([seen * 16, 192, CHARACTERS], rng=rng)

    def forward(self, x):
        past = ad.pad(self.embed(x), [(0, 0), (self.seen - 1, 0), (0, 0)])
        return self.net(ad.concatenate([past[:, k : k + x.shape[1]] for k in range(self.seen)], axis=-1))


class Transformer(nn.Module):
    def __init__(self):
        self.embed = nn.Embedding(CHARACTERS, WIDTH, rng=rng)
        self.positions = ad.Tensor(rng.normal(size=(LENGTH, WIDTH)))
        options = {"dropout": 0.1, "activation": "gelu", "batch_first": True, "norm_first": True, "rng": rng}
        self.layers = [nn.TransformerEncoderLayer(WIDTH, 4, 4 * WIDTH, **options) for _ in range(2)]
        self.head = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, CHARACTERS, rng=rng))

    def forward(self, x):
        x = self.embed(x) + self.positions[: x.shape[1]]
        for layer in self.layers:
            x = layer(x, is_causal=True)
        return self.head(x)


def train(model, steps, lr):
    """Train on pieces of the text drawn at random; return the losses on the test part, by step."""
    loss_of = ad.compile(lambda x, y: nn.functional.cross_entropy(model(x).reshape(-1, CHARACTERS), y.reshape(-1)))
    optimizer = optim.AdamW(model.parameters(), lr=lr)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=lr, total_steps=steps)
    losses = {}
    for step in range(1, steps + 1):
        rows = rng.integers(len(X), size=16)
        optimizer.zero_grad()
        loss_of(X[rows], Y[rows]).backward()
        optimizer.step()
        schedule.step()
        if step % (steps // 10) == 0:
            model.eval()
            with ad.no_grad():
                losses[step] = loss_of(X_test, Y_test).item()
            model.train()
    return losses


def write(model, length, start="Alice "):
    """Go on with a text: draw one character after the other."""
    model.eval()
    written = tokenizer.encode(start)
    with ad.no_grad():
        for _ in range(length):
            p = ad.softmax(model(written[None, -LENGTH:])[0, -1]).numpy().astype(float)
            written = np.append(written, rng.choice(CHARACTERS, p=p / p.sum()))
    return tokenizer.decode(written)


models = {"bigram": nn.Embedding(CHARACTERS, CHARACTERS, rng=rng), "MLP": MLP(), "transformer": Transformer()}
rates = {"bigram": 0.03, "MLP": 0.004, "transformer": 0.004}
steps = 20 if options.quick else 5000
figure, (left, right) = panels(columns=2, height=3.8, width_ratios=[1, 1.4])
for k, (name, model) in enumerate(models.items()):
    losses = train(model.astype(np.float32), steps, rates[name])
    sample = textwrap.fill(" ".join(write(model, 270).split()), 62)
    print(f"\n{name}: {losses[steps]:.3f} nats a character on the test part\n{sample}")
    left.plot(*zip(*losses.items(), strict=True), color=COLORS[k], label=f"{losses[steps]:.2f}  {name}")
    right.text(0, 1 - k * 0.36, name, color=COLORS[k], va="top")
    right.text(0, 0.94 - k * 0.36, sample, family="monospace", va="top", fontsize=8)
left.set(title="Test loss in nats a character", xlabel="step")
left.legend(loc="upper right")
right.set_axis_off()
save(figure, "example-characters.png")
