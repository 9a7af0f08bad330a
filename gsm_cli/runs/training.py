"""One run: settings and a split in, a record out; resumable after every epoch."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor

from gsm_cli import __version__
from gsm_cli.config import RunConfig
from gsm_cli.data.split import Split
from gsm_cli.errors import UsageError
from gsm_cli.files import is_there
from gsm_cli.model.terms import Batch, Terms, semi_supervised, supervised
from gsm_cli.model.virtual_adversarial import virtual_adversarial_loss
from gsm_cli.objectives import SPARSE, SUPERVISED
from gsm_cli.records.run import Curves, Epoch, Failure, RunRecord, Test, chosen_epoch
from gsm_cli.runs.build import Averaging, build_model, temperature_at
from gsm_cli.runs.checkpoint import Checkpoint, DamagedError, set_aside
from gsm_cli.runs.environment import Device, environment
from gsm_cli.runs.evaluation import (
    NotFiniteError,
    analogies,
    are_finite,
    classification,
    mean_dropped_mass,
    read_model,
    relaxation,
)
from gsm_cli.runs.optimizer import AdamW
from gsm_cli.runs.schedules import is_probed, kl_weight, learning_rate
from gsm_cli.runs.streams import binarise, shuffle, stream
from gsm_cli.streams import Purpose

CHECKPOINT_SECONDS = 2.0  # between checkpoints at least, unless an epoch is longer

OnEpoch = Callable[[int, Epoch], None]  # with the number of the epoch, from 1 on
OnStep = Callable[[], None]
OnNote = Callable[[str], None]  # with what else happens, in words


class Run:
    """A run in progress: what an epoch changes, and what a checkpoint keeps."""

    def __init__(self, config: RunConfig, split: Split, device: Device = "cpu", on_step: OnStep = lambda: None) -> None:
        self.config = config
        self.split = split
        self.device = device
        self.on_step = on_step
        self.pixels = torch.from_numpy(split.unlabelled).to(device)
        self.labelled = torch.from_numpy(split.labelled.pixels).to(device)
        self.classes = torch.from_numpy(split.labelled.classes).to(device)
        self.averaging = None if config.objective == SUPERVISED else Averaging(config)
        self.model = build_model(config, split.unlabelled.shape[1], split.classes, device)
        self.optimizer = AdamW(self.model.parameters(), config.weight_decay)
        self.epochs: list[Epoch] = []
        self.best: dict[str, Tensor] = {}  # the weights of the best epoch so far
        self.steps = len(self.pixels) // config.batch_size  # in an epoch
        if not self.steps:
            rule = f"batch-size must be at most the {len(self.pixels)} unlabelled images"
            raise UsageError(f"{rule}, not {config.batch_size}: lower it")

    def epoch(self) -> Epoch:
        """Train on as many whole batches of unlabelled images as there are, then validate. Raises NotFiniteError."""
        config, number = self.config, len(self.epochs) + 1
        start, busy = time.perf_counter(), time.process_time()
        (unlabelled, labelled, log_q), evaluations = self.all_steps(number)
        middle, processor_seconds = time.perf_counter(), time.process_time() - busy
        last = number * self.steps - 1
        images, noise = self.split.validation, partial(self.stream, Purpose.EVALUATION, number)
        validation = classification(self.model, images, noise())
        tau, threshold = temperature_at(config, last), config.own["threshold"] if config.objective == SPARSE else None
        probed = is_probed(number, config.epochs)
        soft, hard = relaxation(self.model, images, tau, noise) if tau and probed else (None, None)
        dropped = mean_dropped_mass(self.model, images, float(threshold), noise()) if threshold and probed else None
        if not are_finite(validation.entropy, soft, hard):
            raise NotFiniteError(last)
        return Epoch(
            unlabelled_bound=unlabelled,
            labelled_bound=labelled,
            classification=log_q,
            validation_accuracy=validation.accuracy,
            validation_entropy=validation.entropy,
            modal_share=validation.modal_share,
            evaluations=evaluations,
            relaxed_bound=soft,
            one_hot_bound=hard,
            dropped_mass=dropped,
            tau=tau,
            kl_weight=self.kl_weight(last),
            learning_rate=self.learning_rate(last),
            seconds=middle - start,
            processor_seconds=processor_seconds,
            evaluation_seconds=time.perf_counter() - middle,
        )

    def all_steps(self, number: int) -> tuple[list[float], float]:
        """The steps of an epoch: the means of the three terms, and of the evaluations for each unlabelled image."""
        first, rng = (number - 1) * self.steps, self.stream(Purpose.ORDER, number)
        rows = shuffle(len(self.pixels), self.steps, self.config.batch_size, rng)
        labelled = shuffle(len(self.labelled), self.steps, self.config.labelled_batch or len(self.labelled), rng)
        self.model.train()
        terms = torch.empty(self.steps, 3, device=rng.device)  # a list of small tensors would keep the memory between
        evaluations = []
        for n in range(self.steps):
            step = self.step(first + n, rows[n], labelled[n])
            terms[n] = torch.stack([step.unlabelled_bound, step.labelled_bound, step.classification])
            evaluations.append(step.evaluations)
        finite = terms.isfinite().all(dim=1)
        if not finite.all():
            raise NotFiniteError(first + int(finite.int().argmin()))
        return terms.double().mean(dim=0).tolist(), fmean(evaluations)

    def step(self, number: int, rows: Tensor, labelled_rows: Tensor) -> Terms:
        """One update, with the noise of this step alone; the objective's terms before it, without their graph."""
        self.on_step()
        config, rng = self.config, self.stream(Purpose.NOISE, number)
        pixels, labelled = self.pixels.index_select(0, rows), self.labelled.index_select(0, labelled_rows)
        batch = Batch(binarise(pixels, rng), binarise(labelled, rng), self.classes[labelled_rows])
        if self.averaging is None:
            terms = supervised(self.model, batch, config.mc_samples, rng)
        else:
            average = self.averaging.at(temperature_at(config, number))
            kl_weight, entropy_weight = self.kl_weight(number), config.entropy_weight
            terms = semi_supervised(self.model, batch, average, config.mc_samples, kl_weight, rng, entropy_weight)
        loss = -terms.objective(config.labelled_weight, config.classification_weight)
        if config.vat_weight:
            images = torch.cat([batch.unlabelled, batch.labelled])
            noise = self.stream(Purpose.PERTURBATION, number)
            loss = loss + config.vat_weight * virtual_adversarial_loss(self.model, images, config.vat_radius, noise)
        self.optimizer.step(self.optimizer.gradients(loss), self.learning_rate(number), config.clip)
        return terms.detach()

    def stream(self, purpose: Purpose, counter: int) -> torch.Generator:
        return stream(self.config.seed, purpose, counter, self.device)

    def progress(self, step: int) -> float:
        """The share of the run before a step, in [0, 1)."""
        return step / (self.steps * self.config.epochs)

    def kl_weight(self, step: int) -> float:
        return kl_weight(self.config.kl_start, self.config.kl_warmup, self.progress(step))

    def learning_rate(self, step: int) -> float:
        return learning_rate(self.config.learning_rate, self.config.decay, self.progress(step))

    @property
    def chosen(self) -> int:
        """The epoch, from 1 on, that validation chooses so far."""
        return chosen_epoch([epoch.validation_accuracy for epoch in self.epochs])

    def keep_best(self) -> None:
        """Remember the weights if the last epoch is the best, by validation accuracy; the earliest of equals."""
        if self.chosen == len(self.epochs):
            self.best = {name: value.clone() for name, value in self.model.state_dict().items()}

    def checkpoint(self) -> Checkpoint:
        """Everything that the rest of the run depends on."""
        return Checkpoint(
            version=__version__,
            config=self.config,
            device=self.device,
            split=self.split.digest,
            epochs=self.epochs,
            model=self.model.state_dict(),
            optimizer=self.optimizer.state_dict(),
            best=self.best,
        )

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint. Raises DamagedError, or GsmError if it is of another version or configuration."""
        found = Checkpoint.read(path, self.checkpoint(), [each.shape for each in self.model.parameters()])
        self.epochs = list(found.epochs)
        self.model.load_state_dict(found.model)
        self.optimizer.load_state_dict(found.optimizer)
        self.best = found.best

    def record(
        self, test: Test | None = None, generated: str | None = None, failure: Failure | None = None
    ) -> RunRecord:
        """What is known of the run so far."""
        return RunRecord(
            version=__version__,
            environment=environment(self.device),
            config=self.config,
            split=self.split.digest,
            unlabelled=len(self.pixels),
            images_per_epoch=self.steps * self.config.batch_size,
            classes=self.split.classes,
            parameters=sum(parameter.numel() for parameter in self.model.parameters()),
            epochs=Curves.of(self.epochs),
            test=test,
            generated=generated,
            failure=failure,
        )


def train(
    config: RunConfig,
    split: Split,
    checkpoint: Path,
    on_epoch: OnEpoch = lambda number, epoch: None,
    device: Device = "cpu",
    on_step: OnStep = lambda: None,
    on_note: OnNote = lambda words: None,
) -> RunRecord:
    """Train from the checkpoint, if there is one, to the end; the record is the same as without an interruption.

    The test set is read at the end alone. A run that diverges gives a record with a failure. What `on_step` raises
    before a step ends the run, which can be resumed. A damaged checkpoint is set aside, and said to be so.
    """
    run = Run(config, split, device, on_step)
    if is_there(checkpoint):
        try:
            run.restore(checkpoint)
        except DamagedError:
            on_note(f"starts again, because its checkpoint is damaged; that is kept as {set_aside(checkpoint).name}")
    try:
        saved = time.monotonic()
        while len(run.epochs) < config.epochs:
            run.epochs.append(run.epoch())
            run.keep_best()
            if time.monotonic() - saved > CHECKPOINT_SECONDS or len(run.epochs) == config.epochs:
                run.checkpoint().save(checkpoint)
                saved = time.monotonic()
            on_epoch(len(run.epochs), run.epochs[-1])
        test = read_test_set(run)
    except NotFiniteError as error:
        return run.record(failure=Failure(step=error.step, reason=str(error)))
    untrained = config.objective == SUPERVISED  # its generative half
    generated = None if untrained else analogies(run.model, split.shape, run.stream(Purpose.EVALUATION, 0))
    return run.record(test, generated)


def read_test_set(run: Run) -> Test:
    """With the last weights, and with the best, which the model keeps. Raises NotFiniteError."""
    last = read_model(run.model, run.split, len(run.epochs), run.stream)
    run.model.load_state_dict(run.best)
    chosen = read_model(run.model, run.split, run.chosen, run.stream)
    if not are_finite(*chosen.bounds, *last.bounds):
        raise NotFiniteError(run.steps * len(run.epochs), "the bound of the test images")
    return Test(images=len(run.split.test.classes), chosen=chosen, last=last)
