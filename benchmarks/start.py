"""From the command line to the first picture, in processes of their own.

The peer is a bare one: Python that imports numpy and wgpu, finds the adapter, makes a device, and ends. What we take
more is compiling, drawing and writing 800 x 600 pixels of 4 samples.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.results import command, spread, store

PEER = """
import numpy, wgpu
from wgpu.backends.wgpu_native import extras
extras.set_instance_extras(backends=["Vulkan"])
wgpu.gpu.request_adapter_sync().request_device_sync()
"""


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "a.png")
        peer = spread(lambda: subprocess.run([sys.executable, "-c", PEER], check=True, stderr=subprocess.DEVNULL), 5)
        rows = []
        for what, words in {
            "help": ["--help"],
            "list": ["list", "marching"],
            "first picture": ["render", "marching", "-o", path],
        }.items():
            median, least = spread(lambda words=words: command(*words), 5)
            rows.append({"what": what, "seconds": median, "least": least, "bare wgpu": peer[0], "bare least": peer[1]})
    store("start", rows)


if __name__ == "__main__":
    main()
