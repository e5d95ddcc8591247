"""What a user can mend: raised with the value, what was expected and the command that helps."""


class PortraitPipelineError(ValueError):
    """A mistake in the input, the settings or the order of the commands.

    Its message is one sentence for the person at the terminal: it names the argument, the value
    that was given, what was expected and, where there is one, the command that mends it. The
    command line prints the message alone, without a traceback.
    """
