"""Handwritten digits by a convolutional net, which sees each of them in another place every epoch."""

import numpy as np
from shared import BLUE, GREY, ORANGE, by_powers, image, panels, parser, save

import autodiff as ad
from autodiff import data, nn, optim

parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()
epochs = 2 if options.quick else 50
rng = np.random.default_rng(options.seed)

X, y = data.digits()
X = X.reshape(-1, 1, 8, 8).astype(np.float32)
X_train, X_test, y_train, y_test = data.train_test_split(X, y, rng=rng)


def moved(x, y, rng):
    """Each image is moved by up to a pixel, elsewhere in every epoch: a digit is the same digit wherever it stands."""
    return data.shifted(x, by=1, rng=rng), y


def accuracy(scores, labels):
    return np.mean(scores.argmax(axis=1) == labels)


model = nn.Sequential(
    nn.Conv2d(1, 32, 3, padding=1, rng=rng),
    nn.ReLU(),
    nn.Conv2d(32, 64, 3, padding=1, rng=rng),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(64, 64, 3, padding=1, rng=rng),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Dropout(0.3, rng=rng),
    nn.Linear(256, 10, rng=rng),
).astype(np.float32)
print(model.summary((64, 1, 8, 8)))

optimizer = optim.Adam(model.parameters(), lr=0.003)
history = ad.fit(
    model,
    data.batches(X_train, y_train, batch_size=64, rng=rng, transform=moved),
    nn.functional.cross_entropy,
    optimizer,
    epochs=epochs,
    validation=(X_test, y_test),
    metrics=[accuracy],
    schedule=optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs),
    compile=True,
    progress=False,
)
scores = model.eval()(X_test).numpy()
right = scores.argmax(axis=1) == y_test
print(f"{np.mean(right):.2%} of {len(X_test)} test images are recognised, {np.sum(~right)} are not")

figure, (left, images) = panels(columns=2, width_ratios=[1, 1.15])
left.plot(history["epoch"], history["loss"], color=GREY, label="training, with dropout")
left.plot(history["epoch"], history["validation loss"], color=BLUE, label="test")
left.set(title="Loss in nats", xlabel="epoch")
left.legend()
by_powers(left.yaxis)
images.set_title("The test images that it is least sure of (orange: wrong)")
images.set_axis_off()
best = np.sort(scores, axis=1)
for k, i in enumerate(np.argsort(best[:, -1] - best[:, -2])[:21]):
    first, second = scores[i].argsort()[:-3:-1]
    ax = images.inset_axes((k % 7 / 7, 0.68 - k // 7 * 0.34, 0.12, 0.24))
    image(ax, X_test[i, 0], f"{first} or {second}", BLUE if right[i] else ORANGE)
save(figure, "example-digits-conv.png")
