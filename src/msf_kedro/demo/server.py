"""A server for this machine alone."""

import socket

import uvicorn
from starlette.types import ASGIApp

HOST = "127.0.0.1"


def listen(port: int) -> socket.socket:
    """A socket that only this machine can reach.

    Args:
        port: to listen at; 0 for one that is free.

    Raises:
        ValueError: the port is not to be had.
    """
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((HOST, port))
        made.listen()
    except OSError as error:
        made.close()
        raise ValueError(
            f"port {port} is not to be had ({error.strerror}); give another one with --port, or 0"
            " for any that is free"
        ) from error
    return made


def address(listening: socket.socket) -> str:
    """Where a browser finds it."""
    return f"http://{HOST}:{listening.getsockname()[1]}/"


def server(app: ASGIApp) -> uvicorn.Server:
    """A server of an application; `run(sockets=[…])` serves until it is interrupted."""
    return uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none"))
