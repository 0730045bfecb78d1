"""What newcomers write first, out of habit from PyTorch, scikit-learn and NumPy: each gets one line with the repair."""

import re

import numpy as np
import pytest

import autodiff as ad
from autodiff import calculus, data, nn, optim
from autodiff.core.errors import SpellingError, UnsupportedError

F = nn.functional
MODEL = nn.MLP([2, 4, 2], rng=0)
VECTOR = ad.Tensor([1.0, 2.0])


def raises(kind, *parts):
    """The error is of this kind, and says all of these, in this order."""
    return pytest.raises(kind, match="(?s)" + ".*".join(map(re.escape, parts)))


@pytest.mark.parametrize(
    ("owner", "name", "parts"),
    [
        (ad, "tensor", ["ad has no 'tensor'; here it is ad.Tensor(data)."]),
        (ad, "randn", ["np.random.default_rng(0).normal(size=shape)"]),
        (ad, "manual_seed", ["rng=0"]),
        (ad, "cat", ["ad.concatenate([x, y], axis=0)"]),
        (ad, "Tensr", ["ad has no 'Tensr'. Did you mean ad.Tensor?"]),
        (ad, "hesian", ["Did you mean ad.hessian?"]),
        (ad, "foo", ["ad has no 'foo'; dir(ad) lists what it has."]),
        (nn, "Relu", ["Did you mean nn.ReLU?"]),
        (nn, "BatchNorm2D", ["nn has no 'BatchNorm2D'. Did you mean nn.BatchNorm2d?"]),
        (nn, "Bilinear", ["nn has no 'Bilinear'"]),
        (nn, "Parameter", ["ad.Tensor: every tensor in an attribute"]),
        (nn, "ParameterList", ["a plain list of tensors"]),
        (nn, "ParameterDict", ["a plain dict of tensors"]),
        (nn, "HingeEmbeddingLoss", ["nn.HingeLoss, of scores and targets -1 or 1"]),
        (F, "hinge_embedding_loss", ["nn.functional.hinge_loss of scores and targets -1 or 1"]),
        (F, "softmx", ["Did you mean nn.functional.softmax?"]),
        (optim, "Rprop", ["optim has no 'Rprop'"]),
        (optim, "SparseAdam", ["optim has no 'SparseAdam'"]),
        (optim, "AveragedModel", ["optim.EMA(model.parameters())"]),
        (optim.lr_scheduler, "StepLr", ["Did you mean optim.lr_scheduler.StepLR?"]),
        (optim.lr_scheduler, "LRScheduler", ["optim.lr_scheduler.Schedule"]),
        (optim.lr_scheduler, "ConstantLR", ["optim.lr_scheduler.LambdaLR(optimizer, lambda t: factor if t <"]),
        (optim, "adamw", ["Did you mean optim.AdamW?"]),
        (data, "DataLoader", ["data.batches(X, y, batch_size=32)"]),
        (data, "make_moons", ["data.moons(n, noise, rng)"]),
        (data, "mnist", ["data.fashion_mnist(folder), of a folder with the four files of MNIST"]),
        (data, "cifar", ["data has no 'cifar'; it has", "blobs", "digits"]),
        (data, "load_wine", ["data.from_sklearn of what scikit-learn returns (pip install scikit-learn)"]),
        (calculus, "solve_ivp", ["calculus.odeint(f, y0, times, full_output=True)"]),
        (calculus, "quad", ["calculus has no 'quad'; here it is calculus.integrate(f, a, b)."]),
        (calculus, "odient", ["Did you mean calculus.odeint?"]),
        (MODEL, "cuda", ["A module has no 'cuda'; here it is the model itself: all data is on the CPU."]),
        (MODEL, "fit", ["a loop: compute the loss, zero_grad, backward, step"]),
        (MODEL, "register_buffer", ["self.mean = nn.Buffer(np.zeros(3))"]),
        (MODEL, "register_parameter", ["self.w = ad.Tensor(...)"]),
        (VECTOR, "clone", ["Tensor has no 'clone'", "x.detach()"]),
        (VECTOR, "masked_fill", ["ad.where(mask, value, x)"]),
        (VECTOR, "add_", ["x = x + y"]),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_names_of_other_libraries(owner, name, parts):
    with raises(SpellingError, *parts) as caught:
        getattr(owner, name)
    assert "\n" not in str(caught.value)
    assert not hasattr(owner, name)


@pytest.mark.parametrize("module", [ad, calculus, nn, F, optim, data])
def test_names_that_tools_ask_for_are_missing_as_ever(module):
    with pytest.raises(AttributeError, match=r"^module 'autodiff") as caught:
        module.__wrapped__  # noqa: B018
    assert not isinstance(caught.value, SpellingError)


def test_what_is_suggested_exists():
    names = {"ad": ad, "calculus": calculus, "nn": nn}
    for table in (ad._SPELLINGS, calculus._SPELLINGS, nn._SPELLINGS):
        for ours in table.values():
            for dotted in re.findall(r"\b(?:ad|calculus|nn)(?:\.\w+)+", ours):
                owner, *path = dotted.split(".")
                thing = names[owner]
                for name in path:
                    thing = getattr(thing, name)


def test_an_attribute_of_ones_own_may_have_such_a_name():
    class Net(nn.Module):
        def __init__(self):
            self.fit = "mine"

        def predict(self, x):
            return x

    assert Net().fit == "mine"
    assert Net().predict(3) == 3


def test_the_file_tensor_py_can_still_be_imported():
    from autodiff.tensor import Tensor

    assert Tensor is ad.Tensor


def test_tensors_of_what_is_no_array():
    with raises(TypeError, "Tensor could not be made of a list", "inhomogeneous", "lists of equal length"):
        ad.Tensor([[1.0, 2.0], [3.0]])
    with raises(TypeError, "Tensor could not be made of a int with dtype=3", "np.zeros((2, 3))"):
        ad.Tensor(2, 3)
    with raises(ad.errors.LeavingTapeError, "np.asarray() of a Tensor"):
        ad.Tensor([ad.Tensor(1.0), ad.Tensor(2.0)])


def test_formats_and_rounding():
    assert f"{VECTOR.sum():.3f}" == "3.000"
    with raises(TypeError, "The format '.3f' is for one number", "shape (2,)", "has 2", "x.numpy().round(3)"):
        f"{VECTOR:.3f}"
    with raises(TypeError, "round() of a Tensor", "x.item()"):
        round(VECTOR.sum(), 2)
    assert round(VECTOR.sum().detach(), 2) == 3.0
    assert round(ad.Value(2.51234).detach(), 2) == 2.51


def test_plotting_tensors():
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    for draw in (ax.plot, ax.hist, lambda x: ax.plot([x[0], x[1]])):
        with raises(TypeError, "x.detach()"):
            draw(VECTOR)
        draw(VECTOR.detach() if draw in (ax.plot, ax.hist) else VECTOR.detach().numpy())
    assert ax.lines[0].get_ydata().tolist() == [1, 2]


def test_copies_of_what_is_off_the_tape():
    import copy

    x = VECTOR.detach()
    y = copy.copy(x)
    assert y is not x
    assert not np.shares_memory(x.data, y.data)
    assert not y.requires_grad


def test_a_forward_without_a_return():
    class Net(nn.Module):
        def forward(self, x):
            x * 2

    for loss in (F.mse_loss, F.hinge_loss, F.binary_cross_entropy_with_logits):
        with raises(TypeError, f"{loss.__name__} got None as", "Does forward() end without a return?"):
            loss(Net()(VECTOR), np.ones(2))
    with raises(TypeError, "mse_loss got None as targets"):
        F.mse_loss(VECTOR, None)
    with raises(TypeError, "cross_entropy got None as logits", "Does forward() end without a return?"):
        F.cross_entropy(Net()(VECTOR), [0, 1])


@pytest.mark.parametrize(
    ("logits", "labels", "parts"),
    [
        (np.zeros((3, 4)), np.eye(4, dtype=int)[:3], ["not one-hot rows: labels.argmax(axis=1)"]),
        (np.zeros((3, 4)), 2 * np.eye(4)[:3], ["target 2.0 at index 0, 0; targets are probabilities, from 0 to 1"]),
        (np.zeros((3, 1)), np.ones((3, 1)), ["of one class the loss is always 0", "binary_cross_entropy_with_logits"]),
        (np.zeros((3, 4)), np.zeros((3, 1), int), ["labels of shape (3, 1)", "Did you mean labels[:, 0]?"]),
        (np.zeros(3), np.zeros((3, 4)), ["Did you swap them?"]),
        (np.zeros((3, 4, 2)), np.zeros((3, 4), int), ["it takes logits (N, C, ...) and labels (N, ...)."]),
        (np.float64(1.0), 2, ["logits of shape ()", "a row of logits and one class number for each point"]),
        (np.zeros(4), [0, 1, 2, 3], ["a row of logits and one class number for each point"]),
        (np.zeros((3, 4)), ["a", "b", "c"], ["np.unique(labels, return_inverse=True)[1]"]),
        (np.zeros((3, 4)), [0, np.nan, 1], ["nan at row 1", "Leave out the rows without a label"]),
        (np.zeros((3, 4)), [0, 5, 1], ["class 5 in row 1; the logits have 4 classes, 0 to 3"]),
        (np.zeros((3, 4)), [0, -1, 1], ["class -1 in row 1; the logits have 4 classes, 0 to 3", "ignored is -100"]),
        (np.zeros((3, 4)), [0.0, 1.0, 2.0], ["dtype float64", "Use labels.astype(int)"]),
        (np.zeros((3, 4)), None, ["None as labels. Give the right classes."]),
        (np.zeros((0, 4)), np.zeros(0, int), ["no rows: the mean over an empty batch is not defined"]),
        (np.zeros((2, 4)), [-100, -100], ["only labels -100, which are ignored"]),
    ],
)
@pytest.mark.parametrize("options", [{}, {"weight": np.ones(4)}, {"label_smoothing": 0.1}])
def test_repairs_of_labels(logits, labels, parts, options):
    """The same with class weights and smoothing, which take another way."""
    with raises(ad.AutodiffError, "cross_entropy got", *parts):
        F.cross_entropy(ad.Tensor(logits), labels, **options)


def test_labels_that_are_ignored_are_not_among_the_wrong():
    with raises(ad.AutodiffError, "class 7 at index 0, 1; the logits have 4 classes", "what is ignored is 255"):
        F.cross_entropy(ad.Tensor(np.zeros((1, 4, 3))), [[255, 7, 9]], ignore_index=255)
    with raises(ad.AutodiffError, "nll_loss got None as log_probabilities", "without a return?"):
        F.nll_loss(None, [0])


def test_one_point_and_rows_of_probabilities_are_labels():
    """As in PyTorch: logits of one point need no rows, and rows of probabilities are targets."""
    logits = ad.Tensor([0.0, 2.0, 1.0])
    assert F.cross_entropy(logits, 1).item() == F.cross_entropy(logits[None], [1]).item()
    assert F.cross_entropy(logits[None], np.eye(3)[[1]]).item() == pytest.approx(F.cross_entropy(logits, 1).item())


@pytest.mark.parametrize(
    ("params", "parts"),
    [
        (MODEL, ["SGD got a MLP; it takes a list of parameters: model.parameters()."]),
        (MODEL.parameters, ["SGD got a function; call it: model.parameters()."]),
        (0.1, ["SGD got 0.1 as parameters; it takes a list of them first"]),
        (None, ["SGD got None as parameters"]),
        (MODEL.named_parameters(), ["SGD got a name with parameter 0, '0.weight'; give model.parameters()"]),
    ],
)
def test_parameters_of_an_optimizer(params, parts):
    with raises(ad.AutodiffError, *parts):
        optim.SGD(params, lr=0.1)


@pytest.mark.parametrize("state", ["model.npz", MODEL, None, [1, 2]])
def test_a_state_that_is_no_dict(state):
    before = MODEL.state_dict()
    with raises(TypeError, "load_state_dict of MLP got a", "a dict of arrays by name", "np.load(path)"):
        MODEL.load_state_dict(state)
    assert all(np.array_equal(before[name], now) for name, now in MODEL.state_dict().items())


def test_a_state_from_a_file(tmp_path):
    np.savez(tmp_path / "model.npz", **MODEL.state_dict())
    other = nn.MLP([2, 4, 2], rng=1)
    with np.load(tmp_path / "model.npz") as stored:
        other.load_state_dict(stored)
    assert np.array_equal(other[0].weight.data, MODEL[0].weight.data)


@pytest.mark.parametrize("transform", [ad.grad, ad.value_and_grad])
def test_the_gradient_of_a_result(transform):
    """As ``torch.autograd.grad(loss, params)``."""
    with raises(TypeError, "grad was given a Tensor; it takes a function", "loss.backward(), then read w.grad"):
        transform(VECTOR.sum(), [VECTOR])


@pytest.mark.parametrize(
    ("a", "b", "parts"),
    [
        ((5, 3), (2, 3), ["(5, 3) and (2, 3)", "rows of length 3 cannot meet columns of length 2", "a @ b.mT?"]),
        ((2,), (3, 3), ["rows of length 2 cannot meet columns of length 3."]),
        ((2, 3), (2,), ["rows of length 3 cannot meet columns of length 2."]),
        ((2, 3), (), ["(2, 3) and ()", "Use * instead"]),
    ],
)
def test_products_of_matrices_that_do_not_fit(a, b, parts):
    for x, y in ((ad.Tensor(np.ones(a)), np.ones(b)), (np.ones(a), ad.Tensor(np.ones(b)))):
        with raises(ad.errors.ShapeError, "matmul got shapes", *parts):
            x @ y
    with raises(ValueError, "broadcast"):
        ad.Tensor(np.ones((2, 3, 4))) @ np.ones((3, 4, 5))


def test_numbers_that_are_none():
    with raises(ValueError, "Dropout got p='a'"):
        nn.Dropout("a")
    with raises(ValueError, "moons got noise='a'"):
        data.moons(10, noise="a")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: calculus.derivative(abs, 3.0, dx=1e-6), "derivative got the keyword dx=.*leave it out, derivatives"),
        (lambda: calculus.integrate(abs, 0, 1, epsabs=1e-6), "integrate got the keyword epsabs=.*here it is atol="),
        (lambda: calculus.odeint(abs, 0, [0, 1], args=(1,)), "odeint got the keyword args=.*close over them"),
        (lambda: calculus.odeint(abs, 0, [0, 1], metod=""), "it takes f, y0, times, method, rtol"),
        (lambda: calculus.root(abs, 1.0, fprime=abs), "root got the keyword fprime=.*come from the tape"),
        (lambda: calculus.fixed_point(abs, 1.0, maxiter=5), "fixed_point got the keyword maxiter=.*max_steps="),
        (lambda: calculus.minimize(abs, 1.0, jac=abs), "minimize got the keyword jac=.*come from the tape"),
        (lambda: calculus.least_squares(abs, 1.0, xtol=1e-3), "least_squares got the keyword xtol=.*rtol="),
        (lambda: calculus.curve_fit(abs, [1], [1], [1], maxfev=5), "curve_fit got the keyword maxfev=.*max_steps="),
        (lambda: calculus.derivative(abs, 3.0, order=2), "derivative got the keyword order=.*here it is n="),
        (lambda: calculus.taylor(abs, 3.0, n=2), "taylor got the keyword n=.*here it is order="),
        (lambda: calculus.minimize(abs, 3.0, tol=0.1), "minimize got the keyword tol=.*here it is gtol="),
        (lambda: calculus.root(abs, 3.0, tol=0.1), "root got the keyword tol=.*here it is rtol="),
        (lambda: calculus.sdeint(abs, abs, 1.0, [0, 1], seed=0), "sdeint got the keyword seed=.*here it is rng="),
        (lambda: calculus.odeint(abs, 1.0, [0, 1], dt=0.1), "odeint got the keyword dt=.*here it is step="),
        (lambda: calculus.difference_table(abs, 1.0, h=0.1), "difference_table got the keyword h=.*steps="),
    ],
)
def test_keywords_of_scipy_are_answered_with_ours(call, said):
    with pytest.raises(UnsupportedError, match=said):
        call()


@pytest.mark.parametrize(
    ("call", "ours"),
    [
        (lambda: calculus.odeint(abs, 1.0, [0, 1], method="RK45"), "dopri5"),
        (lambda: calculus.odeint(abs, 1.0, [0, 1], method="Radau"), "radau"),
        (lambda: calculus.sdeint(abs, abs, 1.0, [0, 1], method="euler_maruyama"), "euler-maruyama"),
        (lambda: calculus.integrate(abs, 0, 1, method="monte_carlo"), "monte carlo"),
        (lambda: calculus.minimize(abs, 1.0, method="l-bfgs-b"), "L-BFGS-B"),
        (lambda: calculus.minimize(abs, 1.0, method="Gradient-Descent"), "gradient descent"),
        (lambda: calculus.root(abs, 1.0, method="bisect"), "bisection"),
    ],
)
def test_methods_of_other_spellings_are_answered_with_ours(call, ours):
    with raises(ad.errors.ArgumentError, f"Did you mean '{ours}'?"):
        call()
    with pytest.raises(ad.errors.ArgumentError, match=r"'radau'\.$"):
        calculus.odeint(abs, 1.0, [0, 1], method="midpoint")


def test_names_of_calculus_are_found_from_the_package():
    for name, ours in (
        ("quad", "calculus.integrate(f, a, b)"),
        ("BrownianPath", "calculus.BrownianPath"),
        ("jacfwd", "ad.jacobian(f)"),
        ("compare_derivatives", "autodiff.testing.compare_derivatives"),
    ):
        with raises(ad.errors.SpellingError, f"ad has no '{name}'; here it is {ours}."):
            getattr(ad, name)


def test_arrays_of_tracked_numbers_are_answered_with_stack():
    x = ad.Value(1.0)
    with raises(ad.errors.LeavingTapeError, "ad.stack([x, y]) for np.array([x, y])"):
        np.array([x, x])


def test_attributes_of_scipy_are_answered_with_ours():
    fit = calculus.curve_fit(lambda x, a: a * x, [1.0, 2.0], [1.0, 2.1], [1.0])
    trajectory = calculus.odeint(lambda t, y: -y, 1.0, [0, 1], full_output=True)
    solution = calculus.sdeint(lambda t, y: -y, lambda t, y: y, 1.0, [0, 1], rng=0, full_output=True)
    answer = calculus.root(lambda x: x - 1, 0.0, full_output=True)
    for result, name, ours in (
        (fit, "popt", "CurveFit has no 'popt'; here it is fit.x."),
        (fit, "perr", "fit.std"),
        (trajectory, "sol", "trajectory(t)"),
        (trajectory, "times", "trajectory.t"),
        (solution, "t", "solution.times"),
        (answer, "x", "iteration.value"),
    ):
        assert not hasattr(result, name)
        with raises(ad.errors.SpellingError, ours):
            getattr(result, name)
