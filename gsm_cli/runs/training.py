"""One run: settings and a split in, a record out; resumable after every epoch."""

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from io import BytesIO
from pathlib import Path

import torch
from torch import Tensor

from gsm_cli import __version__
from gsm_cli.config import Objective, Precision, RunConfig
from gsm_cli.data.split import Split
from gsm_cli.errors import GsmError, UsageError
from gsm_cli.files import write_atomic
from gsm_cli.model.generative import ADGM, M2
from gsm_cli.model.networks import Architecture
from gsm_cli.model.terms import Batch, semi_supervised, supervised
from gsm_cli.records.run import Epoch, Failure, RunRecord
from gsm_cli.runs.build import build_estimator
from gsm_cli.runs.environment import environment
from gsm_cli.runs.evaluation import analogies, mean_dropped_mass, relaxation, test, validate
from gsm_cli.runs.schedules import kl_weight, learning_rate, temperature
from gsm_cli.runs.streams import INITIALISATION, NOISE, ORDER, stream

CHECKPOINT_SECONDS = 2.0  # between checkpoints at least, unless an epoch is longer

OnEpoch = Callable[[Epoch], None]


def build_model(config: RunConfig, pixels: int, classes: int) -> M2:
    """The model with the initial weights of the seed; the global generator stays as it was."""
    architecture = Architecture(
        pixels=pixels,
        classes=classes,
        hidden=config.hidden,
        latent=config.latent,
        auxiliary=config.auxiliary,
        norm=config.norm,
        activation=config.activation,
        weight_std=config.weight_std,
        bf16=config.precision is Precision.BF16,
    )
    seed = stream(replace(config, device="cpu"), INITIALISATION).initial_seed()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return {"adgm": ADGM, "m2": M2}[config.model](architecture).to(config.device)


class Run:
    """A run in progress: what an epoch changes, and what a checkpoint keeps."""

    def __init__(self, config: RunConfig, split: Split) -> None:
        self.config = config
        self.split = split
        self.pixels = torch.from_numpy(split.unlabelled).to(config.device)
        self.labelled = torch.from_numpy(split.labelled.pixels).to(config.device)
        self.classes = torch.from_numpy(split.labelled.classes).to(config.device)
        self.model = build_model(config, split.unlabelled.shape[1], split.classes)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=config.learning_rate, fused=True)
        self.epochs: list[Epoch] = []
        self.best: dict[str, Tensor] = {}  # the weights of the best epoch so far
        self.steps = len(self.pixels) // config.batch_size  # in an epoch
        if not self.steps:
            most = len(self.pixels)
            raise UsageError(
                f"batch-size must be at most the {most} unlabelled images, not {config.batch_size}: lower it"
            )

    def epoch(self) -> Epoch:
        """Train on every unlabelled image once, then validate. Raises NotFiniteError."""
        config, number, start = self.config, len(self.epochs) + 1, time.perf_counter()
        first = (number - 1) * self.steps
        rng = stream(config, ORDER, number)
        rows = shuffle(len(self.pixels), self.steps, config.batch_size, rng)
        labelled_rows = shuffle(len(self.labelled), self.steps, config.labelled_batch or len(self.labelled), rng)
        self.model.train()
        terms = torch.stack([self.step(first + n, rows[n], labelled_rows[n]) for n in range(self.steps)])
        finite = terms.isfinite().all(dim=1)
        if not finite.all():
            raise NotFiniteError(first + int(finite.int().argmin()))
        seconds = time.perf_counter() - start
        last = first + self.steps - 1
        unlabelled, labelled, classification, evaluations = terms.double().mean(dim=0).tolist()
        images, tau = self.split.validation, temperature(config, last)
        accuracy, modal_share, spread = validate(self.model, images, config, number)
        soft, hard = relaxation(self.model, images, config, tau, number) if tau else (None, None)
        return Epoch(
            epoch=number,
            unlabelled_bound=unlabelled,
            labelled_bound=labelled,
            classification=classification,
            validation_accuracy=accuracy,
            validation_entropy=spread,
            modal_share=modal_share,
            evaluations=evaluations,
            relaxed_bound=soft,
            one_hot_bound=hard,
            dropped_mass=mean_dropped_mass(self.model, images, config, number),
            tau=tau,
            kl_weight=kl_weight(config, self.progress(last)),
            learning_rate=learning_rate(config, self.progress(last)),
            seconds=seconds,
        )

    def step(self, number: int, rows: Tensor, labelled_rows: Tensor) -> Tensor:
        """One update, with the noise of this step alone; the objective's terms before it and its evaluations, (4,)."""
        config, rng = self.config, stream(self.config, NOISE, number)
        labelled = binarise(self.labelled[labelled_rows], rng)
        batch = Batch(binarise(self.pixels[rows], rng), labelled, self.classes[labelled_rows])
        if config.objective is Objective.SUPERVISED:
            terms = supervised(self.model, batch, config.mc_samples, rng)
        else:
            weight = kl_weight(config, self.progress(number))
            average = build_estimator(config, temperature(config, number))
            terms = semi_supervised(self.model, batch, average, config.mc_samples, weight, rng)
        self.optimizer.zero_grad()
        loss = -terms.objective(config.labelled_weight, config.classification_weight)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(config, self.progress(number))
        self.optimizer.step()
        evaluations = torch.tensor(terms.evaluations, device=config.device)
        return torch.stack([terms.unlabelled, terms.labelled, terms.classification, evaluations]).detach()

    def progress(self, step: int) -> float:
        """The share of the run before a step, in [0, 1)."""
        return step / (self.steps * self.config.epochs)

    def keep_best(self) -> None:
        """Remember the weights if the last epoch is the best, by validation accuracy; the earliest of equals."""
        best = max(self.epochs, key=lambda epoch: epoch.validation_accuracy)
        if best is self.epochs[-1]:
            self.best = {name: value.clone() for name, value in self.model.state_dict().items()}

    def save(self, path: Path) -> None:
        """Write everything that the rest of the run depends on."""
        buffer = BytesIO()
        state = {
            "version": __version__,
            "digest": self.config.digest,
            "split": self.split.digest,
            "epochs": [asdict(epoch) for epoch in self.epochs],
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "best": self.best,
        }
        torch.save(state, buffer)
        write_atomic(path, buffer.getvalue())

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint. Raises GsmError if it is damaged, or of another version or configuration."""
        try:
            state = torch.load(path, map_location=self.config.device, weights_only=True)
            found = (state["version"], state["digest"], state["split"])
        except Exception as error:
            raise GsmError(f"{path} must be a checkpoint and is damaged: start the run again with --force") from error
        expected = (__version__, self.config.digest, self.split.digest)
        if found != expected:
            raise GsmError(
                f"{path} must be a checkpoint of {' '.join(expected)} (version, settings, split), "
                f"not of {' '.join(found)}: "
                "finish it with the version that wrote it, or start the run again with --force"
            )
        self.epochs = [Epoch(**epoch) for epoch in state["epochs"]]
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.best = state["best"]


class NotFiniteError(ArithmeticError):
    """The objective became nan or infinite at `step`."""

    def __init__(self, step: int) -> None:
        super().__init__(f"the objective is not finite at step {step}")
        self.step = step


def train(config: RunConfig, split: Split, checkpoint: Path, on_epoch: OnEpoch = lambda epoch: None) -> RunRecord:
    """Train from the checkpoint, if there is one, to the end; the record is the same as without an interruption.

    The test set is read once, at the end. A run that diverges gives a record with a failure.
    """
    run = Run(config, split)
    record = RunRecord(
        config=config,
        version=__version__,
        environment=environment(config.device),
        split=split.digest,
        unlabelled=len(split.unlabelled),
        classes=split.classes,
        parameters=sum(parameter.numel() for parameter in run.model.parameters()),
        epochs=run.epochs,
    )
    if checkpoint.exists():
        run.restore(checkpoint)
    saved = time.monotonic()
    while len(run.epochs) < config.epochs:
        try:
            run.epochs.append(run.epoch())
        except NotFiniteError as error:
            return replace(record, epochs=run.epochs, failure=Failure(error.step, str(error)))
        run.keep_best()
        if time.monotonic() - saved > CHECKPOINT_SECONDS or len(run.epochs) == config.epochs:
            run.save(checkpoint)
            saved = time.monotonic()
        on_epoch(run.epochs[-1])
    run.model.load_state_dict(run.best)
    best = max(run.epochs, key=lambda epoch: epoch.validation_accuracy)
    measured = test(run.model, split.test, config, best.epoch)
    untrained = config.objective is Objective.SUPERVISED  # its generative half
    generated = None if untrained else analogies(run.model, config)
    return replace(record, epochs=run.epochs, test=measured, generated=generated)


def shuffle(count: int, steps: int, size: int, rng: torch.Generator) -> Tensor:
    """Row numbers for `steps` batches (steps, size): permutations of all rows, one after the other."""
    passes = -(-steps * size // count)
    order = torch.cat([torch.randperm(count, generator=rng, device=rng.device) for _ in range(passes)])
    return order[: steps * size].view(steps, size)


def binarise(pixels: Tensor, rng: torch.Generator) -> Tensor:
    """A Bernoulli draw of grey levels 0 to 255 (N, D): 1 with the probability level / 255."""
    threshold = torch.randint(255, pixels.shape, generator=rng, device=pixels.device, dtype=torch.uint8)
    return (threshold < pixels).float()
