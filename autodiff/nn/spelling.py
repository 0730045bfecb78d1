"""What PyTorch has and modules here have not: the line that says what to do instead."""

from __future__ import annotations

import inspect
from typing import Any

from ..core.errors import UnsupportedError

NAMES = {
    "to": "the model itself: all data is on the CPU; for a dtype there is model.astype(dtype)",
    "cuda": "the model itself: all data is on the CPU",
    "cpu": "the model itself: all data is on the CPU",
    "double": "model.astype(np.float64)",
    "float": "model.astype(np.float32)",
    "half": "model.astype(np.float16)",
    "requires_grad_": "model.freeze()",
    "register_parameter": "an attribute: self.w = ad.Tensor(...)",
    "register_buffer": "an attribute: self.mean = nn.Buffer(np.zeros(3))",
    "register_module": "an attribute: self.layer = nn.Linear(2, 3)",
    "add_module": "an attribute: self.layer = nn.Linear(2, 3)",
    "buffers": "model.named_buffers()",
    "modules": "model.named_modules()",
    "children": "model.named_modules()",
    "named_children": "model.named_modules()",
    "get_submodule": "dict(model.named_modules())[name]",
    "get_parameter": "dict(model.named_parameters())[name]",
    "apply": "a loop: for name, module in model.named_modules(): ...",
    "register_forward_hook": "ad.trace(): the results of every module are on the tape, with its name",
    "fit": "ad.fit(model, batches, loss, optimizer), or a loop: compute the loss, zero_grad, backward, step",
    "predict": "model(X) inside ad.no_grad()",
}
"""Attributes of modules."""

OPTIONS = {
    "device": "leave it out, all data is on the CPU",
    "inplace": "leave it out, results are new arrays",
    "axis": "here it is dim=, as in PyTorch",
    "start_axis": "here it is start_dim=, as in PyTorch",
    "end_axis": "here it is end_dim=, as in PyTorch",
    "size_average": "here it is reduction='mean' or reduction='sum'",
    "reduce": "here False is reduction='none'",
    "max_norm": "after each step of the optimizer, shorten the rows of layer.weight.data that are too long",
    "norm_type": "it belongs to max_norm=, which is not here either",
    "scale_grad_by_freq": "divide the rows of layer.weight.grad by np.bincount(indices) before the step",
    "sparse": "leave it out, gradients are whole arrays",
    "_weight": "set layer.weight.data",
    "_freeze": "use layer.freeze()",
    "align_corners": "leave it out, 'nearest' has no corners to align",
    "add_bias_kv": "concatenate a parameter to key and value",
    "add_zero_attn": "concatenate zeros to key and value",
    "proj_size": "only LSTM has it",
}
"""Keywords of constructors."""


def check_options(kind: type, args: tuple[Any, ...], options: dict[str, Any]) -> None:
    """Raise for arguments that the constructor of a module does not take, and say what to do instead."""
    takes = {}
    if kind.__init__ is not object.__init__:  # type: ignore[misc]
        takes = dict(list(inspect.signature(kind.__init__).parameters.items())[1:])  # type: ignore[misc]
    kinds = [p.kind for p in takes.values()]
    has = f"it takes {', '.join(takes) or 'no arguments'}"
    for name in options:
        if name not in takes and inspect.Parameter.VAR_KEYWORD not in kinds:
            raise UnsupportedError(
                f"{kind.__name__} got the keyword {name}=, which it does not have: {OPTIONS.get(name, has)}."
            )
    by_name = [name for name, p in takes.items() if p.kind is inspect.Parameter.KEYWORD_ONLY]
    if len(args) > len(takes) - len(by_name) and inspect.Parameter.VAR_POSITIONAL not in kinds:
        only = f", {', '.join(by_name)} only by name" if by_name else ""
        raise UnsupportedError(f"{kind.__name__} got {len(args)} arguments by position: {has}{only}.")
