"""Lets the tests in this folder use the scene beside it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
