"""Handwritten digits by the simplest of nets: one hidden layer, half of which drops out at each step."""

import numpy as np
from shared import BLUE, GREY, by_powers, image, panels, parser, save

import autodiff as ad
from autodiff import data, nn, optim

parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()
rng = np.random.default_rng(options.seed)

X, y = data.digits()
X_train, X_test, y_train, y_test = data.train_test_split(X.astype(np.float32), y, rng=rng)


def half_of_them_moved(x, y, rng):
    """A digit is the same digit a pixel away: half of the images are moved, each in a direction of its own."""
    moved = data.shifted(x.reshape(-1, 8, 8), by=1, rng=rng).reshape(-1, 64)
    return np.where(rng.random((len(x), 1)) < 0.5, x, moved), y


def accuracy(scores, labels):
    return np.mean(scores.argmax(axis=1) == labels)


layers = nn.Linear(64, 512, rng=rng), nn.ReLU(), nn.Dropout(0.5, rng=rng), nn.Linear(512, 10, rng=rng)
model = nn.Sequential(*layers).astype(np.float32)
epochs = 5 if options.quick else 100
optimizer = optim.AdamW(model.parameters(), lr=0.003)
history = ad.fit(
    model,
    data.batches(X_train, y_train, batch_size=64, rng=rng, transform=half_of_them_moved),
    nn.functional.cross_entropy,
    optimizer,
    epochs=epochs,
    validation=(X_test, y_test),
    metrics=[accuracy],
    schedule=optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs),
    compile=True,
    progress=False,
)
reached = history["validation accuracy"][-1]
print(f"{reached:.2%} of {len(X_test)} test images are recognised, {round((1 - reached) * len(X_test))} are not")

figure, (left, right) = panels(columns=2, width_ratios=[1, 1.15])
left.plot(history["epoch"], history["loss"], color=GREY, label="training, with dropout")
left.plot(history["epoch"], history["validation loss"], color=BLUE, label="test")
left.set(title="Loss in nats", xlabel="epoch")
left.legend()
by_powers(left.yaxis)
right.set_title("What raises (blue) and lowers (red) 40 hidden units")
right.set_axis_off()
weights = model[0].weight.numpy()
for k, unit in enumerate(weights[:40]):
    ax = right.inset_axes((k % 10 / 10, 0.75 - k // 10 * 0.25, 0.092, 0.23))
    image(ax, unit.reshape(8, 8), cmap="RdBu", vmin=-0.6, vmax=0.6)
save(figure, "example-digits-mlp.png")
