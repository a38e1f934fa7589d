"""A server that speaks S3, on loopback: moto's."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

KEY_ID, SECRET_KEY, REGION = "test-key", "test-secret", "eu-west-1"


@dataclass(frozen=True)
class FakeS3:
    """`client` sees the server as its owner does."""

    url: str
    client: Any

    def add_bucket(self, name: str) -> None:
        self.client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})

    def keys(self, bucket: str) -> list[str]:
        return [item["Key"] for item in self.client.list_objects_v2(Bucket=bucket).get("Contents", ())]


@contextlib.contextmanager
def running_s3() -> Iterator[FakeS3]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=url, aws_access_key_id=KEY_ID, aws_secret_access_key=SECRET_KEY, region_name=REGION
    )
    try:
        yield FakeS3(url, client)
    finally:
        client.close()
        server.stop()
