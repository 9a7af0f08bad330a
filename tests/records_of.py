"""Small records made up by hand, for the tests of statistics and reports."""

from collections.abc import Mapping, Sequence

from gsm_cli.config import build
from gsm_cli.records.run import Epoch, Failure, RunRecord, Test


def record(objective: str, seed: int, accuracies: Sequence[float] = (0.5, 0.8, 0.7), **settings: object) -> RunRecord:
    """A finished run whose validation accuracies are these, whose test accuracy is the best of them less 0.01."""
    config = build({"objective": objective, "seed": seed, "epochs": len(accuracies), **settings})
    slow = 4.0 if objective == "marginalize" else 2.0
    epochs = [
        Epoch(
            epoch=number,
            unlabelled_bound=-30.0 + number,
            labelled_bound=-29.0 + number,
            classification=-1.0 / number,
            validation_accuracy=accuracy,
            validation_entropy=1.0 / number,
            modal_share=0.2,
            evaluations={"marginalize": 10.0, "supervised": 0.0}.get(objective, 1.0),
            relaxed_bound=None if config.tau is None else -25.0 + number,
            one_hot_bound=None if config.tau is None else -25.5 + number,
            dropped_mass=None if config.threshold is None else 0.01 / number,
            tau=config.tau,
            kl_weight=1.0,
            learning_rate=1e-3,
            seconds=slow,
        )
        for number, accuracy in enumerate(accuracies, start=1)
    ]
    best = max(accuracies)
    return RunRecord(
        config=config,
        version="0.0.0",
        environment={"python": "3.11", "device": "abacus"},
        split="0" * 64,
        unlabelled=1000,
        classes=10,
        parameters=12345,
        epochs=epochs,
        test=Test(accuracies.index(best) + 1, best - 0.01, -25.0, 0.15),
    )


def failed(objective: str, seed: int) -> RunRecord:
    """A run that diverged in its second epoch."""
    whole = record(objective, seed)
    return RunRecord(
        **{
            **vars(whole),
            "epochs": whole.epochs[:1],
            "test": None,
            "failure": Failure(17, "the objective is not finite"),
        }
    )


def batch(differences: Mapping[str, Sequence[float]]) -> list[RunRecord]:
    """Runs of several objectives, each with one test accuracy per seed: 0.9 plus a difference."""
    return [
        record(objective, seed, (0.5, 0.91 + difference, 0.7))
        for objective, values in differences.items()
        for seed, difference in enumerate(values)
    ]
