"""Processes that end with the process that started them, however it ends."""

import multiprocessing
import os
import signal
import sys
import threading
from multiprocessing.connection import wait


def follow_parent() -> None:
    """End this `multiprocessing` worker at once when its parent is gone, even killed; at Ctrl-C without a word."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    if parent is not None:
        sentinel = parent.sentinel
        threading.Thread(target=lambda: (wait([sentinel]), os._exit(1)), daemon=True).start()


def follow_stdin() -> None:
    """End this process at once when its standard input closes: whoever started it holds the other end."""
    descriptor = sys.stdin.fileno()

    def watch() -> None:
        while os.read(descriptor, 1):
            pass
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
