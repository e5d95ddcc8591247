"""Mistakes that a user can fix: the value, what was expected, and the command that helps."""


class PortraitPipelineError(ValueError):
    """A mistake in the input, the settings or the order of the commands.

    Its message is one sentence for the person at the terminal: it names the argument, the value
    that was given, what was expected and, where there is one, the command that fixes it. The
    command line prints the message alone, without a traceback.
    """


class TrainingDivergedError(PortraitPipelineError):
    """A loss became NaN or infinite; the last good checkpoint is kept.

    Args:
        term: Name of the first loss that is not finite.
        step: The step, counted from 0, that could not be taken.
        value: The loss.
        learning_rate: The learning rate at that step.
    """

    def __init__(self, term: str, step: int, value: float, learning_rate: float) -> None:
        super().__init__(
            f"{term} is {value} at step {step} with learning_rate {learning_rate:g}, expected a"
            " finite number; the last good checkpoint is kept, train again with a smaller"
            " `learning_rate` or with `precision: 32-true`"
        )
        self.term, self.step, self.value, self.learning_rate = term, step, value, learning_rate


class TrackingLostError(PortraitPipelineError):
    """The tracker's store fails; a training continues without it.

    Its attribute `remedy` says what to do while the training runs.

    Args:
        store: Address of the store.
        reason: The error of the store or of the system.
    """

    def __init__(self, store: str, reason: str) -> None:
        self.remedy = (
            f"the MLflow store {store} failed ({reason}): start it, or free space on its disk"
        )
        super().__init__(f"{self.remedy}, then continue with `--params resume=true`")


class ProcessLostError(PortraitPipelineError):
    """One process of a distributed training ended before the others."""


class TrainingInterruptedError(RuntimeError):
    """A signal to stop came; the step was finished and the state saved before this was raised."""
