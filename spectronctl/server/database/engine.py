"""
The persistent engine, alone in a process: statements come in on file descriptor 0, and responses leave by it.

It runs as a program of its own, without the rest of spectronctl, from `_connections.EngineProcess`. A frame is four
bytes of length, big-endian, and that many bytes. The first one is the store's URL, an empty one asks for an orderly
end, and every other one is a request in CBOR. Each gets a reply in its turn: 0 and the response, or 1 and an error.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator

HEAD_BYTES = 4


def run() -> None:
    """Serve one store until the other side asks for the end, or is gone."""
    # Without the SDK around it, which takes half a second to import: this process only hands bytes on.
    from surrealdb_embedded import SyncEmbeddedDB

    # A signal for the whole group (Ctrl-C, a service manager) is for the parent, which ends this process in order.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    channel = socket.socket(fileno=0)
    frames = _receive(channel)
    try:
        # The blocking client flushes its tables in the background; the asynchronous one of the same package never
        # does, and stops taking writes after two full ones.
        engine = SyncEmbeddedDB(next(frames).decode())
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent says it
        _send(channel, b"\1", str(error).encode())
        return
    _send(channel, b"\0", b"")
    for request in frames:
        if not request:
            engine.close()
            _send(channel, b"\0", b"")
            return
        try:
            response = engine.execute(request)
        except Exception as error:  # noqa: BLE001 - one request that fails ends no other
            _send(channel, b"\1", str(error).encode())
        else:
            _send(channel, b"\0", response)


def _receive(channel: socket.socket) -> Iterator[bytes]:
    while True:
        length = int.from_bytes(_receive_bytes(channel, HEAD_BYTES), "big")
        yield _receive_bytes(channel, length)


def _receive_bytes(channel: socket.socket, count: int) -> bytes:
    data = bytearray(count)
    # Received into place: a request may be 8 MB, and joining its pieces would copy it once more.
    view = memoryview(data)
    while view:
        received = channel.recv_into(view)
        if not received:  # the parent died: what it was promised is in the log already
            os._exit(0)
        view = view[received:]
    return bytes(data)


def _send(channel: socket.socket, kind: bytes, data: bytes) -> None:
    try:
        channel.sendall((len(data) + 1).to_bytes(HEAD_BYTES, "big") + kind + data)
    except OSError:  # as above
        os._exit(0)


def _die_with(parent: int) -> None:
    """
    End at once when the parent does, even in a statement, which would keep the store's files until it ends.

    Linux only: elsewhere the end of the channel is noticed after the statement.
    """
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:  # it died before that
            os._exit(0)


if __name__ == "__main__":
    _die_with(int(sys.argv[2]))
    sys.path.insert(0, sys.argv[1])
    run()
    os._exit(0)
