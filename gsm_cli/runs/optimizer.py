"""Adam, as a run needs it: without PyTorch's compiler.

`torch.optim` imports `torch._dynamo` with its first optimizer, for more than a second in every process, and goes
through the parameters in Python at every step.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

FIRST, SECOND, LEAST = 0.9, 0.999, 1e-8  # decay of the mean and of the mean square; what is added to its root


class AdamW:
    """Adam (arXiv:1412.6980) with decoupled weight decay (arXiv:1711.05101), by PyTorch's fused kernel.

    A step takes learning rate x weight decay of every weight away; `l2` adds that times every weight to its gradient,
    as plain Adam has weight decay. A parameter counts the steps that moved it.
    """

    def __init__(self, parameters: Iterable[Tensor], weight_decay: float = 0.0, l2: float = 0.0) -> None:
        self.parameters = list(parameters)
        self.weight_decay, self.l2 = weight_decay, l2
        self.means, self.squares = ([torch.zeros_like(each) for each in self.parameters] for _ in range(2))
        self.steps = torch.zeros(len(self.parameters), device=self.parameters[0].device)

    @torch.no_grad()
    def step(self, loss: Tensor, learning_rate: float, greatest: float | None) -> None:
        """Move the parameters that a loss depends on, with gradients scaled to a norm of at most `greatest` in all."""
        gradients = torch.autograd.grad(loss, self.parameters, allow_unused=True)
        moved = [number for number, gradient in enumerate(gradients) if gradient is not None]
        present = [gradient.contiguous() for gradient in gradients if gradient is not None]
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(present)))
        self.steps[moved] += 1
        lists = (self.parameters, self.means, self.squares, self.steps.unbind())
        parameters, means, squares, steps = ([values[number] for number in moved] for values in lists)
        update = torch._fused_adam_ if self.l2 else torch._fused_adamw_
        update(
            parameters,
            present,
            means,
            squares,
            [],
            steps,
            lr=learning_rate,
            beta1=FIRST,
            beta2=SECOND,
            weight_decay=self.l2 or self.weight_decay,
            eps=LEAST,
            amsgrad=False,
            maximize=False,
            # what the gradients are divided by
            grad_scale=None if greatest is None or not norm > greatest else norm / greatest,
        )

    def state_dict(self) -> dict[str, Tensor]:
        """What the next steps depend on, by name."""
        moments = {"mean": self.means, "square": self.squares}
        named = {f"{kind}.{number}": each for kind, values in moments.items() for number, each in enumerate(values)}
        return {"steps": self.steps, **named}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from there."""
        for name, value in self.state_dict().items():
            value.copy_(state[name])
