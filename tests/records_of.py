"""Small records made up by hand, for the tests of statistics and reports."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from gsm_cli.objectives import OBJECTIVES
from gsm_cli.records.run import Curves, Epoch, Failure, RunRecord, Test
from gsm_cli.records.store import Environment
from gsm_cli.settings import build

ABACUS = Environment(
    python="3.11",
    torch="2.0",
    numpy="2.0",
    system="Linux abacus",
    device="cpu",
    kernels="BEADS",
    features=[],
    threads=1,
)


def record(objective: str, seed: int, accuracies: Sequence[float] = (0.5, 0.8, 0.7), **settings: object) -> RunRecord:
    """A finished run whose validation accuracies are these, whose test accuracy is the best of them less 0.01."""
    config = build({"objective": objective, "seed": seed, "epochs": len(accuracies), **settings})
    tau = config.own.get("tau")
    epochs = [
        Epoch(
            unlabelled_bound=-30.0 + number,
            labelled_bound=-29.0 + number,
            classification=-1.0 / number,
            validation_accuracy=accuracy,
            validation_entropy=1.0 / number,
            modal_share=0.2,
            evaluations={"marginalize": 10.0, "supervised": 0.0}.get(objective, 1.0),
            relaxed_bound=None if tau is None else -25.0 + number,
            one_hot_bound=None if tau is None else -25.5 + number,
            dropped_mass=0.01 / number if "threshold" in OBJECTIVES[objective].settings else None,
            tau=None if tau is None else float(tau),
            kl_weight=1.0,
            learning_rate=1e-3,
            seconds=4.0 if objective == "marginalize" else 2.0,
        )
        for number, accuracy in enumerate(accuracies, start=1)
    ]
    best = max(accuracies)
    return RunRecord(
        config=config,
        version="0.0.0",
        environment=ABACUS,
        split="0" * 64,
        unlabelled=1000,
        images_per_epoch=950,
        classes=10,
        parameters=12345,
        epochs=Curves.of(epochs),
        test=Test(epoch=accuracies.index(best) + 1, accuracy=best - 0.01, bound=-25.0, modal_share=0.15),
    )


def failed(objective: str, seed: int) -> RunRecord:
    """A run that diverged in its second epoch."""
    whole = record(objective, seed)
    first = record(objective, seed, (0.5,)).epochs
    return replace(whole, epochs=first, test=None, failure=Failure(step=17, reason="the objective is not finite"))


def batch(differences: Mapping[str, Sequence[float]]) -> list[RunRecord]:
    """Runs of several objectives, each with one test accuracy per seed: 0.9 plus a difference."""
    return [
        record(objective, seed, (0.5, 0.91 + difference, 0.7))
        for objective, values in differences.items()
        for seed, difference in enumerate(values)
    ]
