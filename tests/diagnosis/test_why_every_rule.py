"""``why`` answers for every row of the table, at its samples, and finds the gradient that ``backward`` finds."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.core.node import Node
from autodiff.core.rule import TABLE
from autodiff.diagnosis.why import why
from autodiff.ops import public

public.names()  # load every topic
RULES = [r for r in TABLE.values() if r.vjps and r.samples and r.forward.__module__.startswith("autodiff.")]


def as_node(x):
    data = np.asarray(x)
    return ad.Tensor(data) if data.dtype.kind in "fc" else x


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_is_explained(rule):
    for sample in list(rule.samples(np.random.default_rng(0)))[:3]:
        inputs = [as_node(x) for x in sample.args]
        with np.errstate(all="ignore"):
            y = rule.op(inputs, **sample.params) if rule.variadic else rule.op(*inputs, **sample.params)
            if not isinstance(y, Node) or not y.tracked:
                continue
            loss = ad.real(y * 0.5).sum() if np.iscomplexobj(y.data) else (y * 0.5).sum()
            loss.backward()
            for x in (x for x in inputs if isinstance(x, Node)):
                answer = why(x, loss)
                assert answer.cause
                assert "\n" not in str(answer)
                if x.grad is not None:
                    np.testing.assert_array_equal(answer.gradient, x.grad)
