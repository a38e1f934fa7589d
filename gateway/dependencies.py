"""What routes ask for by annotation. Coroutines, for FastAPI runs plain functions in threads."""

from typing import Annotated, cast

from fastapi import Depends, Request

from gateway.models.records import RequestRecord
from gateway.resources import Resources
from gateway.services.room import Lease


async def get_resources(request: Request) -> Resources:
    """The worker's resources."""
    return cast("Resources", request.app.state.resources)


async def get_record(request: Request) -> RequestRecord:
    """The record of this request."""
    return cast("RequestRecord", request.state.record)


async def get_lease(request: Request) -> Lease:
    """The request's part of the worker's room."""
    return cast("Lease", request.state.lease)


ResourcesDep = Annotated[Resources, Depends(get_resources)]
RecordDep = Annotated[RequestRecord, Depends(get_record)]
LeaseDep = Annotated[Lease, Depends(get_lease)]
