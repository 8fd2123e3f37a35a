"""How threads tell waiting streams that something has changed."""

import asyncio
import threading


class Bell:
    """Rung from any thread, heard in any event loop.

    Attributes:
        rung: how often.
    """

    def __init__(self) -> None:
        self.rung = 0
        self.ended = False
        self._waiting: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._lock = threading.RLock()  # a signal may ring while somebody begins to wait

    def ring(self) -> None:
        """Wake everybody who waits."""
        with self._lock:
            self.rung += 1
            for event, loop in self._waiting.items():
                if not loop.is_closed():
                    loop.call_soon_threadsafe(event.set)

    def end(self) -> None:
        """Nothing more will come: whoever waits, now or later, is sent home."""
        self.ended = True
        self.ring()

    async def wait(self, since: int, seconds: float) -> int:
        """Wait until it has been rung more than `since` times, or for some seconds; how often it has been."""
        event = asyncio.Event()
        with self._lock:
            if self.rung > since or self.ended:
                return self.rung
            self._waiting[event] = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            with self._lock:
                self._waiting.pop(event, None)
        return self.rung
