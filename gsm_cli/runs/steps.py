"""The steps of a run: a batch in, the weights moved; what changes from step to step follows from its number."""

from contextlib import suppress
from functools import partial
from statistics import fmean

import torch
from torch import Tensor

from gsm_cli.config import RunConfig
from gsm_cli.data.split import Split
from gsm_cli.errors import OwnCodeError, UsageError
from gsm_cli.model.checks import NotALawError
from gsm_cli.model.terms import Batch, Terms, classifier_alone, labels_alone, semi_supervised, supervised
from gsm_cli.model.virtual_adversarial import virtual_adversarial_loss
from gsm_cli.runs.build import OTHER_VALUES, Averaging, binarise, build_model, shuffle, stream
from gsm_cli.runs.environment import Device
from gsm_cli.runs.evaluation import NotFiniteError
from gsm_cli.runs.optimizer import AdamW
from gsm_cli.runs.places import PLACE
from gsm_cli.schedules import kl_weight, learning_rate
from gsm_cli.streams import Purpose


class Steps:
    """A model with its optimizer and the images that it learns from."""

    def __init__(self, config: RunConfig, split: Split, device: Device) -> None:
        self.config = config
        self.split = split
        self.device = device
        self.pixels = torch.from_numpy(split.unlabelled.pixels).to(device)
        self.labelled = torch.from_numpy(split.labelled.pixels).to(device)
        self.classes = torch.from_numpy(split.labelled.classes).to(device)
        self.model = build_model(config, self.pixels.shape[1], split.classes, device)
        self.optimizer = AdamW(self.model.parameters(), config.weight_decay, config.l2)
        self.steps = len(self.pixels) // config.batch_size  # in an epoch
        if not self.steps:
            rule = f"--batch-size must be at most the {len(self.pixels)} unlabelled images"
            raise UsageError(f"{rule}, not {config.batch_size}: lower it")
        self.stream = partial(stream, config.seed, device=device)  # of a purpose, at an epoch or a step
        self.kl_weight = partial(kl_weight, config, steps=self.steps)  # at a step, as the next
        self.learning_rate = partial(learning_rate, config, steps=self.steps)
        self.averaging = Averaging(config, self.steps) if config.is_unlabelled else None

    def all_steps(self, number: int) -> tuple[list[float], float]:
        """The steps of an epoch: the means of the three terms, and of the evaluations for each unlabelled image."""
        first, rng = (number - 1) * self.steps, self.stream(Purpose.ORDER, number)
        rows = shuffle(len(self.pixels), self.steps, self.config.batch_size, rng)
        labelled = shuffle(len(self.labelled), self.steps, self.config.labelled_batch or len(self.labelled), rng)
        self.model.train()
        # one tensor, because a list of small ones would keep the memory between; nan where a step has no law
        terms, evaluations = torch.full((self.steps, 3), torch.nan, device=rng.device), []
        with suppress(NotALawError):
            for n in range(self.steps):
                step = self.step(first + n, rows[n], labelled[n])
                terms[n] = torch.stack([step.unlabelled_bound, step.labelled_bound, step.classification])
                evaluations.append(step.evaluations)
        whole = terms.isfinite().all(dim=1)
        if not whole.all():
            raise NotFiniteError(first + int(whole.int().argmin()))
        if number == 1 and self.config.objective_sha256:
            self.refuse_other_values(self.steps - 1, rows[-1], labelled[-1])
        return terms.double().mean(dim=0).tolist(), fmean(evaluations)

    def step(self, number: int, rows: Tensor, labelled_rows: Tensor) -> Terms:
        """One update, with the noise of this step alone; the objective's terms before it, without their graph."""
        PLACE.get().check()
        config, (batch, terms) = self.config, self.drawn(number, rows, labelled_rows)
        apart = config.classifier_step and config.is_unlabelled
        loss = -terms.objective(config.labelled_weight, 0.0 if apart else config.classification_weight)
        if config.vat_weight:
            images = torch.cat([batch.unlabelled, batch.labelled])
            noise = self.stream(Purpose.PERTURBATION, number)
            loss = loss + config.vat_weight * virtual_adversarial_loss(self.model, images, config.vat_radius, noise)
        self.optimizer.step(loss, self.learning_rate(number), config.clip)
        if apart:
            log_q = classifier_alone(self.model, batch, config.mc_samples, self.stream(Purpose.CLASSIFIER, number))
            self.optimizer.step(-config.classification_weight * log_q, self.learning_rate(number), config.clip)
        return terms.detach()

    def drawn(self, number: int, rows: Tensor, labelled_rows: Tensor) -> tuple[Batch, Terms]:
        """Binary images of a step and what it maximises, in its parts, with the noise of this step alone."""
        config, rng = self.config, self.stream(Purpose.NOISE, number)
        pixels, labelled = self.pixels.index_select(0, rows), self.labelled.index_select(0, labelled_rows)
        batch = Batch(binarise(pixels, rng), binarise(labelled, rng), self.classes[labelled_rows])
        if self.averaging is None:
            return batch, supervised(self.model, batch, config.mc_samples, rng)
        return batch, semi_supervised(
            self.model,
            batch,
            self.averaging.at_step(number),
            config.mc_samples,
            self.kl_weight(number),
            rng,
            config.own.get("entropy_weight", 1.0),
            self.stream(Purpose.AUXILIARY, number) if config.fresh_a else None,
        )

    def refuse_other_values(self, number: int, rows: Tensor, labelled_rows: Tensor) -> None:
        """Raise OwnCodeError if a step of somebody's own estimator comes out otherwise a second time.

        The weights stay, and so do the means of a normalisation.
        """
        self.model.eval()
        first, second = (self.drawn(number, rows, labelled_rows)[1].unlabelled_bound for _ in range(2))
        if not torch.equal(first, second):
            raise OwnCodeError(OTHER_VALUES.format(self.config.objective))

    def warm_up(self) -> None:
        """Let the model learn from the labelled images alone, with an optimizer of its own."""
        config = self.config
        optimizer = AdamW(self.model.parameters(), config.weight_decay, config.l2)
        size = config.labelled_batch or len(self.labelled)
        self.model.train()
        for number in range(1, config.warm_epochs + 1):
            rng = self.stream(Purpose.WARM, number)
            for rows in shuffle(len(self.labelled), max(1, len(self.labelled) // size), size, rng):
                PLACE.get().check()
                images = binarise(self.labelled.index_select(0, rows), rng)
                batch = Batch(images[:0], images, self.classes[rows])
                terms = labels_alone(self.model, batch, config.mc_samples, self.kl_weight(0), rng)
                bounded = config.labelled_weight * config.is_unlabelled
                loss = -terms.objective(bounded, config.classification_weight)
                optimizer.step(loss, config.learning_rate, config.clip)
