"""One run: settings and a split in, a record out; resumable after every epoch."""

import time
from functools import partial
from math import isfinite
from pathlib import Path

from torch import Tensor

from gsm_cli import __version__
from gsm_cli.config import RunConfig
from gsm_cli.data.split import Split
from gsm_cli.files import is_there, move
from gsm_cli.fingerprint import fingerprint
from gsm_cli.model.bounds import Selective
from gsm_cli.records.curves import Curves, Epoch, chosen_epoch
from gsm_cli.records.run import Failure, RunRecord, Test
from gsm_cli.runs.checkpoint import Checkpoint, DamagedError
from gsm_cli.runs.environment import Device, environment
from gsm_cli.runs.evaluation import (
    NotFiniteError,
    analogies,
    classification,
    mean_bound,
    mean_dropped_mass,
    probabilities,
    read_model,
    relaxation,
)
from gsm_cli.runs.places import PLACE, News
from gsm_cli.runs.steps import Steps
from gsm_cli.schedules import is_probed
from gsm_cli.streams import Purpose

CHECKPOINT_SECONDS = 2.0  # between checkpoints at least, unless an epoch is longer


class Run(Steps):
    """A run in progress: what an epoch changes, and what a checkpoint keeps."""

    def __init__(self, config: RunConfig, split: Split, device: Device = "cpu") -> None:
        super().__init__(config, split, device)
        self.code = fingerprint()
        self.predict = partial(probabilities, draws=config.evaluation_draws, binary=config.binary_evaluation)
        self.epochs: list[Epoch] = []
        self.best: dict[str, Tensor] = {}  # the weights of the best epoch so far

    def epoch(self) -> Epoch:
        """Train on as many whole batches of unlabelled images as there are, then validate. Raises NotFiniteError."""
        config, number = self.config, len(self.epochs) + 1
        start, busy = time.perf_counter(), time.process_time()
        (unlabelled, labelled, log_q), evaluations = self.all_steps(number)
        middle, processor_seconds = time.perf_counter(), time.process_time() - busy
        last = number * self.steps - 1
        images, noise = self.split.validation, partial(self.stream, Purpose.EVALUATION, number)
        validation = classification(self.model, images, noise(), self.predict)
        tau = config.estimator.temperature(last, self.steps)
        estimator = self.averaging.at_step(last) if self.averaging else None
        probed = is_probed(number, config.epochs)
        soft, hard = relaxation(self.model, images, tau, noise) if tau and probed else (None, None)
        dropped = None
        if probed and isinstance(estimator, Selective):
            dropped = mean_dropped_mass(self.model, images, estimator, noise())
        if not all(isfinite(each) for each in (validation.entropy, soft, hard) if each is not None):
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
            code=self.code,
            config=self.config,
            device=self.device,
            split=self.split.digest,
            epochs=self.epochs,
            model=self.model.state_dict(),
            optimizer=self.optimizer.state_dict(),
            best=self.best,
        )

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint. Raises DamagedError, or GsmError if it is of another code or configuration."""
        found = Checkpoint.read(path, self.checkpoint())
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
            code=self.code,
            environment=environment(self.device),
            config=self.config,
            split=self.split.digest,
            unlabelled=len(self.pixels),
            classes=self.split.classes,
            parameters=sum(parameter.numel() for parameter in self.model.parameters()),
            epochs=Curves.of(self.epochs, len(self.split.validation.classes)),
            test=test,
            generated=generated,
            failure=failure,
        )


def train(config: RunConfig, split: Split, checkpoint: Path, device: Device = "cpu") -> RunRecord:
    """Train from the checkpoint, if there is one, to the end; the record is the same as without an interruption.

    The test set is read at the end alone. A run that diverges gives a record with a failure. Its place hears of
    every epoch, may end it before a step, to be resumed, and is told of a damaged checkpoint, which is set aside.
    """
    run, say = Run(config, split, device), PLACE.get().say
    if is_there(checkpoint):
        try:
            run.restore(checkpoint)
        except DamagedError:
            kept = checkpoint.with_name(f"{checkpoint.name}.damaged")  # under which nobody looks for one
            move(checkpoint, kept)
            words = f"starts again, because its checkpoint is damaged; that is kept as {kept.name}"
            say(News(config.name, words=words))
    try:
        if not run.epochs:
            run.warm_up()
        saved = time.monotonic()
        while len(run.epochs) < config.epochs:
            run.epochs.append(run.epoch())
            run.keep_best()
            if time.monotonic() - saved > CHECKPOINT_SECONDS or len(run.epochs) == config.epochs:
                run.checkpoint().save(checkpoint)
                saved = time.monotonic()
            say(News(config.name, number=len(run.epochs), epoch=run.epochs[-1]))
        test = read_test_set(run)
    except NotFiniteError as error:
        return run.record(failure=Failure(step=error.step, reason=str(error)))
    generated = analogies(run.model, split.shape, run.stream(Purpose.EVALUATION, 0)) if run.averaging else None
    return run.record(test, generated)


def read_test_set(run: Run) -> Test:
    """With the last weights, and with the best, which the model keeps. Raises NotFiniteError."""
    epochs, rng = len(run.epochs), run.stream(Purpose.EVALUATION, 0)
    bound = mean_bound(run.model, run.split.test, rng, run.steps * epochs) if run.averaging else None
    last = read_model(run.model, run.split, epochs, run.stream, run.predict)
    run.model.load_state_dict(run.best)
    same = run.chosen == epochs
    chosen = last if same else read_model(run.model, run.split, run.chosen, run.stream, run.predict)
    return Test(chosen=chosen, last=last, bound=bound)
