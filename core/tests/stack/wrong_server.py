"""The web server whose stops are taken by handlers, as granian's are: too late in each worker."""

import signal
import sys
from unittest import mock

from granian._signals import set_sync_signals

from stack import web

if __name__ == "__main__":
    with (
        mock.patch.object(signal, "pthread_sigmask"),
        mock.patch.object(web, "on_stop"),
        mock.patch.object(web, "take_stops", set_sync_signals),
    ):
        sys.exit(web.main(sys.argv[1:]))
