"""What the reader of ONNX files says."""

import logging

import pytest


@pytest.fixture
def told(caplog):
    """What is said while reading, as one text."""
    caplog.set_level(logging.WARNING, logger="neuroscene")
    logging.getLogger("neuroscene").addHandler(caplog.handler)
    yield lambda: caplog.text
    logging.getLogger("neuroscene").removeHandler(caplog.handler)
