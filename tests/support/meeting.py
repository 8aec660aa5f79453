"""Where two threads wait for one another, so that both are inside before either goes on."""

import threading

ALONE = 1.0  # seconds after which nobody else comes


class Meeting:
    def __init__(self) -> None:
        self._gate = threading.Barrier(2)

    def wait(self) -> None:
        """Return when a second thread is here too, or when none comes."""
        try:
            self._gate.wait(ALONE)
        except threading.BrokenBarrierError:
            self._gate.reset()
