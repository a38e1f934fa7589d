"""What routes ask of a request. Plain calls: FastAPI's injection would cost each request tens of microseconds."""

from typing import cast

from fastapi import Request

from gateway.models.records import RequestRecord
from gateway.resources import Resources
from gateway.services.room import Lease


def get_resources(request: Request) -> Resources:
    """The worker's resources."""
    return cast("Resources", request.app.state.resources)


def get_record(request: Request) -> RequestRecord:
    """The record of this request."""
    return cast("RequestRecord", request.state.record)


def get_lease(request: Request) -> Lease:
    """The request's part of the worker's room."""
    return cast("Lease", request.state.lease)
