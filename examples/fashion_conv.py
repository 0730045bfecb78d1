"""Fashion-MNIST by a convolutional net: 60,000 articles of clothing to learn from, 10,000 others to recognise.

The images are not part of the package: on Debian and its kin, ``apt install dataset-fashion-mnist``.
"""

import sys

import numpy as np
from shared import BLUE, GREY, panels, parser, save

import autodiff as ad
from autodiff import data, nn, optim
from autodiff.core.errors import MissingDataError
from autodiff.training import confusion_matrix

parser.add_argument("--folder", help="where the four files of the set are")
options = parser.parse_args()
epochs, rows = (1, 1000) if options.quick else (12, None)

try:
    X_train, y_train = data.fashion_mnist(options.folder)
    X_test, y_test = data.fashion_mnist(options.folder, train=False)
except MissingDataError as error:
    print(error)
    sys.exit()
X_train, y_train, X_test, y_test = X_train[:rows, None], y_train[:rows], X_test[:rows, None], y_test[:rows]


def accuracy(scores, labels):
    return np.mean(scores.argmax(axis=1) == labels)


rng = np.random.default_rng(0)
model = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1, rng=rng),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(16, 32, 3, padding=1, rng=rng),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Dropout(0.25, rng=rng),
    nn.Linear(32 * 7 * 7, 128, rng=rng),
    nn.ReLU(),
    nn.Dropout(0.25, rng=rng),
    nn.Linear(128, 10, rng=rng),
).astype(np.float32)
print(model.summary((64, 1, 28, 28)))

optimizer = optim.Adam(model.parameters(), lr=0.002)
history = ad.fit(
    model,
    data.batches(X_train, y_train, batch_size=100, rng=rng),
    nn.functional.cross_entropy,
    optimizer,
    epochs=epochs,
    validation=data.batches(X_test, y_test, batch_size=500, shuffle=False),
    metrics=[accuracy],
    schedule=optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs),
    callbacks=[lambda row: print("epoch {epoch:2d}   test accuracy {validation accuracy:.2%}".format_map(row))],
    compile=True,
    progress=False,
)
reached = history["validation accuracy"][-1]
print(f"{reached:.2%} of {len(X_test):,} test images are recognised")

model.eval()
with ad.no_grad():
    found = np.concatenate([model(X_test[k : k + 500]).numpy().argmax(axis=1) for k in range(0, len(X_test), 500)])
figure, (left, right) = panels(columns=2, height=4.6, width_ratios=[1, 1.6])
left.plot(history["epoch"], history["loss"], color=GREY, label="training, with dropout")
left.plot(history["epoch"], history["validation loss"], color=BLUE, label="test")
left.set(title="Loss in nats", xlabel="epoch", xticks=range(0, epochs + 1, 2))
left.legend()
shares = confusion_matrix(found, y_test, 10) / np.bincount(y_test, minlength=10)[:, None]
right.imshow(shares, cmap="Blues", vmin=0, vmax=1)
for (row, column), share in np.ndenumerate(100 * shares):
    if round(share) > 0:
        right.text(column, row, f"{share:.0f}", color="white" if share > 50 else "black", ha="center", va="center")
right.set(title="Is a … and is taken for a …, in %", xticks=range(10), yticks=range(10), yticklabels=data.CLOTHES)
right.set_xticklabels(data.CLOTHES, rotation=45, ha="right", rotation_mode="anchor")
right.tick_params(length=0)
save(figure, "example-fashion-conv.png")
