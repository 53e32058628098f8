"""Storage that is not this machine's file system: in memory, and an S3 server of this process."""

import os
from collections.abc import Iterator
from unittest.mock import patch
from uuid import uuid4

import fsspec
import pytest

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "any",
    "AWS_SECRET_ACCESS_KEY": "any",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The URL of a bucket of an S3 server, which the environment leads to."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    with patch.dict(os.environ, CREDENTIALS | {"AWS_ENDPOINT_URL": f"http://{host}:{port}"}):
        fsspec.filesystem("s3", skip_instance_cache=True).mkdir("bucket")
        yield "s3://bucket"
    server.stop()


@pytest.fixture(params=["memory", "s3"])
def storage(request) -> str:
    """The URL of an empty folder."""
    root = request.getfixturevalue("s3") if request.param == "s3" else "memory://"
    return f"{root}/{uuid4().hex}"
