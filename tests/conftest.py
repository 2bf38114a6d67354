"""Every test runs within WebGPU's portable limits, so that what passes here runs on any adapter."""

import os

# Before the engine is imported: the device reads it once.
os.environ["NEUROSCENE_PORTABLE"] = "1"
