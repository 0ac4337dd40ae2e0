"""One stack for all tests that need it; it ends with them."""

import pytest

from engine import SLIM, has_image
from stack import Stack


@pytest.fixture(scope="session")
def stack():
    assert has_image(SLIM), f"no image {SLIM}; run `make image-service` first"
    stack = Stack()
    try:
        stack.up("spark-service", "object-store")
        stack.service.wait_healthy()
        yield stack
    finally:
        stack.down()
