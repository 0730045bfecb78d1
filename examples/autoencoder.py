"""Handwritten digits squeezed through two numbers and unfolded again: a map of digits, drawn without their labels."""

import numpy as np
from shared import COLORS, image, panels, parser, save

import autodiff as ad
from autodiff import data, nn, optim

options = parser.parse_args()
epochs = 5 if options.quick else 200
rng = np.random.default_rng(0)

X, y = data.digits()
X_train, X_test, y_train, y_test = data.train_test_split(X.astype(np.float32), y, rng=rng)

encoder = nn.MLP([64, 128, 64, 2], nn.Tanh, rng=rng)
decoder = nn.Sequential(nn.MLP([2, 64, 128, 64], nn.Tanh, rng=rng), nn.Sigmoid())
model = nn.Sequential(encoder, decoder).astype(np.float32)

optimizer = optim.AdamW(model.parameters(), lr=0.003, weight_decay=0.01)
history = ad.fit(
    model,
    data.batches(X_train, X_train, batch_size=64, rng=rng),
    nn.functional.mse_loss,
    optimizer,
    epochs=epochs,
    validation=(X_test, X_test),
    schedule=optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs),
    compile=True,
    progress=False,
)

mean = X_train.mean(axis=0)
_, _, axes = np.linalg.svd(X_train - mean, full_matrices=False)
linear = (X_test - mean) @ axes[:2].T @ axes[:2] + mean
error = history["validation loss"][-1]
print(f"mean squared error of a grey value: {error:.4f} on {len(X_test)} test images")
print(f"with the two best linear features:  {np.mean((linear - X_test) ** 2):.4f}")
print(f"with none, all images their mean:   {np.mean((mean - X_test) ** 2):.4f}")

with ad.no_grad():
    codes = encoder(X_test).numpy()
    unfolded = model(X_test).numpy()
figure, (left, right) = panels(columns=2, height=4.2, width_ratios=[1.1, 1])
for (across, up), digit in zip(codes, y_test):
    left.text(across, up, digit, color=COLORS[digit % 5], fontsize=7, ha="center", va="center", clip_on=True)
left.set(title="The two numbers of each test image")
left.plot(*codes.T, ",", color="white")  # which makes room for the texts
right.set_title("Test images, and below them what became of them")
right.set_axis_off()
for digit in range(10):
    i = np.flatnonzero(y_test == digit)[0]
    for k, picture in enumerate((X_test[i], unfolded[i])):
        ax = right.inset_axes((digit % 5 / 5, 0.73 - digit // 5 * 0.52 - k * 0.22, 0.18, 0.21))
        image(ax, picture.reshape(8, 8), vmin=0, vmax=1)
save(figure, "example-autoencoder.png")
