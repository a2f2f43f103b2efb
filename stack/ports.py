"""Ports of this machine for servers that live for the length of a test or a measurement."""

import socket
from contextlib import ExitStack


def free_ports(count: int) -> list[int]:
    """So many ports of the loopback at which nobody listens, each another."""
    with ExitStack() as stack:
        chosen = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in chosen]
