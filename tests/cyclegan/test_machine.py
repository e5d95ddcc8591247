"""Laws of the machine: what is refused, how durations are said."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from portrait_pipeline.cyclegan import machine
from portrait_pipeline.cyclegan.interruption import Interruption, listen_for_interruption
from portrait_pipeline.cyclegan.machine import in_words, peak_memory_mb, start_fabric
from portrait_pipeline.cyclegan.side_by_side import _workers, side_by_side
from portrait_pipeline.errors import PortraitPipelineError

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (4.2, "4 s"),
        (99, "99 s"),
        (150, "2 min"),
        (3600, "60 min"),
        (20_000, "5.6 h"),
        (1.2e6, "14 days"),
    ],
)
def test_durations_are_said_as_people_do(seconds, words):
    """Law: one number and the unit that fits."""
    assert in_words(seconds) == words


def test_the_precision_follows_the_machine(parameters):
    """Law: `auto` is 32-true on a CPU; bf16-mixed may be asked for."""
    assert start_fabric(parameters(precision="auto"))._precision.precision == "32-true"
    half = start_fabric(parameters(precision="bf16-mixed"))
    assert half._precision.precision == "bf16-mixed"


def test_what_the_machine_lacks_is_refused(parameters):
    """Law: absent devices, devices without processes, float16 on a CPU: one sentence each."""
    with pytest.raises(PortraitPipelineError, match=r"devices is 2.*torchrun --nproc-per-node=2"):
        start_fabric(parameters(devices=2))
    with pytest.raises(PortraitPipelineError, match=r"16-mixed.*training\.precision=auto"):
        start_fabric(parameters(precision="16-mixed"))
    if not torch.backends.mps.is_available():
        with pytest.raises(
            PortraitPipelineError, match=r"mps, but only.*training\.accelerator=auto"
        ):
            start_fabric(parameters(accelerator="mps"))


@pytest.mark.parametrize(
    ("world", "strategy", "given"),
    [("1", "auto", "auto"), ("1", "ddp", "ddp"), ("2", "auto", "ddp"), ("2", "ddp", "ddp")],
)
def test_several_processes_train_one_model(parameters, monkeypatch, world, strategy, given):
    """Law: `auto` is ddp as soon as torchrun started several; asked for, ddp holds for one too."""
    asked = []

    class Recorder:
        def __init__(self, **settings):
            asked.append(settings)

        def launch(self):
            pass

    monkeypatch.setattr(machine, "Fabric", Recorder)
    monkeypatch.setenv("WORLD_SIZE", world)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "1")
    start_fabric(parameters(strategy=strategy))
    assert (asked[0]["strategy"], asked[0]["num_nodes"]) == (given, int(world))


def test_memory_is_in_megabytes():
    """Law: this process has more than 50 MB and less than a terabyte."""
    assert 50.0 < peak_memory_mb(CPU) < 1e6


def test_results_come_in_order_from_two_threads_with_half_of_the_cores(two_threads):
    """Law: first is first; each has one of two threads; the caller keeps its own."""
    names = side_by_side(
        lambda: (threading.current_thread().name, torch.get_num_threads()),
        lambda: (threading.current_thread().name, torch.get_num_threads()),
        CPU,
    )
    assert [number for _, number in names] == [1, 1]
    assert all(name.startswith("translation-cycle") for name, _ in names)
    assert side_by_side(lambda: 1, lambda: 2, CPU) == (1, 2)
    assert torch.get_num_threads() == 2


def test_neither_half_takes_over_a_number_of_threads_set_elsewhere(two_threads):
    """Law: each half computes with one of two threads, whatever was set since the last pair.

    Both workers exist and have not used PyTorch yet when the process's default changes.
    """
    _workers.cache_clear()
    barrier = threading.Barrier(2)
    side_by_side(barrier.wait, barrier.wait, CPU)
    torch.set_num_threads(2)

    def number() -> int:
        barrier.wait()
        return torch.get_num_threads()

    assert side_by_side(number, number, CPU) == (1, 1)


def test_threads_started_afterwards_have_all_cores(two_threads):
    """Law: half of the threads is for the two halves alone, not for what the process does next."""
    _workers.cache_clear()
    side_by_side(torch.get_num_threads, torch.get_num_threads, CPU)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == 2


def test_an_error_in_either_half_is_raised(two_threads):
    """Law: nothing that goes wrong in a thread is lost."""
    for pair in ((lambda: 1 / 0, lambda: 1), (lambda: 1, lambda: 1 / 0)):
        with pytest.raises(ZeroDivisionError):
            side_by_side(*pair, CPU)


def test_a_second_interrupt_does_not_wait():
    """Law: Ctrl-C twice is a KeyboardInterrupt."""
    interruption = Interruption()
    interruption.request(signal.SIGTERM, None)
    assert interruption.signal_name == "SIGTERM"
    with pytest.raises(KeyboardInterrupt):
        interruption.request(signal.SIGINT, None)


def test_outside_the_main_thread_no_handler_is_set():
    """Law: a training in a thread of a web server leaves the signals alone."""
    seen = []

    def listen() -> None:
        with listen_for_interruption() as interruption:
            seen.append(interruption.requested)

    worker = threading.Thread(target=listen)
    worker.start()
    worker.join()
    assert seen == [False]
