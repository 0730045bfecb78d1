"""loss_of, forward and backward, in NumPy."""

from math import isfinite

import numpy as np

ones = np.ones((100,), np.float32)


def make():
    tanh1, tanh2, g_tanh2 = np.empty((3, 100, 16), np.float32)
    prediction = np.empty((100, 1), np.float32)
    g_tanh1 = tanh2  # the same memory, one after the other
    ravel = prediction.reshape((100,))

    def forward(X, target, weight1, bias1, weight2, bias2, weight3, bias3):
        np.add(X.dot(weight1.T, out=tanh1), bias1, out=tanh1)  # (100, 16)  test_golden.py:19: prediction = model(X)
        np.tanh(tanh1, out=tanh1)  # (100, 16)
        np.add(tanh1.dot(weight2.T, out=tanh2), bias2, out=tanh2)  # (100, 16)
        np.tanh(tanh2, out=tanh2)  # (100, 16)
        np.add(tanh2.dot(weight3.T, out=prediction), bias3, out=prediction)  # (100, 1)
        np.subtract(prediction, target, out=prediction)  # (100, 1)  test_golden.py:20: return nn.functional.mse_loss(pr
        mean_squared_error = ravel.dot(ravel) / 100
        return (np.array(mean_squared_error),)

    def backward(g, X, target, weight1, bias1, weight2, bias2, weight3, bias3, rooms):
        g_weight1, g_bias1, g_weight2, g_bias2, g_weight3, g_bias3 = rooms  # where gradients go
        np.multiply(prediction, g * 0.02, out=prediction)  # (100, 1)  test_golden.py:20: return nn.functional.mse_loss(
        prediction.dot(weight3, out=g_tanh2)  # (100, 16)  test_golden.py:19: prediction = model(X)
        prediction.T.dot(tanh2, out=g_weight3)  # (1, 16)
        ones.dot(prediction, out=g_bias3)  # (1,)
        np.subtract(1, np.multiply(tanh2, tanh2, out=tanh2), out=tanh2)  # (100, 16)
        np.multiply(g_tanh2, tanh2, out=g_tanh2)  # (100, 16)
        g_tanh2.dot(weight2, out=g_tanh1)  # (100, 16)
        g_tanh2.T.dot(tanh1, out=g_weight2)  # (16, 16)
        ones.dot(g_tanh2, out=g_bias2)  # (16,)
        np.subtract(1, np.multiply(tanh1, tanh1, out=tanh1), out=tanh1)  # (100, 16)
        np.multiply(g_tanh1, tanh1, out=g_tanh1)  # (100, 16)
        g_tanh1.T.dot(X, out=g_weight1)  # (16, 2)
        ones.dot(g_tanh1, out=g_bias1)  # (16,)
        if not isfinite(g_bias2.dot(g_bias2) + g_bias1.dot(g_bias1)):
            return None  # a 0 may have met an infinity
        return g_weight1, g_bias1, g_weight2, g_bias2, g_weight3, g_bias3

    return forward, backward
