"""Compiles WGSL with a browser's compiler: a Chromium without a screen, its WebGPU on SwiftShader.

    python tools/browser.py FOLDER      every .wgsl in a folder, as --dump-wgsl or NEUROSCENE_DUMP_WGSL writes them

Prints what the browser says against each file, and ends with status 1 if there is anything.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from engine.gpu.compose import standard

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu-sandbox", "--no-first-run", "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan",
)  # fmt: skip
# Seconds that a browser may take for all texts.
PATIENCE = 900
PAGE = b"""<!DOCTYPE html><meta charset="utf-8"><script>
(async () => {
  const said = {};
  try {
    const texts = await (await fetch("/texts")).json();
    const adapter = await navigator.gpu.requestAdapter();
    const wanted = ["shader-f16", "subgroups"].filter((name) => adapter.features.has(name));
    const device = await adapter.requestDevice({requiredFeatures: wanted});
    for (const [name, code] of Object.entries(texts)) {
      if (code.includes("enable f16;") && !wanted.includes("shader-f16")) continue;
      device.pushErrorScope("validation");
      const found = await device.createShaderModule({code}).getCompilationInfo();
      await device.popErrorScope();
      const errors = found.messages.filter((m) => m.type === "error");
      if (errors.length) said[name] = errors.map((m) => `${m.lineNum}:${m.linePos} ${m.message}`).join("; ");
    }
  } catch (error) { said["WebGPU"] = String(error); }
  await fetch("/said", {method: "POST", body: JSON.stringify(said)});
})();
</script>"""


def browser() -> str | None:
    """The path of a Chromium, or None where none is installed."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def faults(texts: Mapping[str, str]) -> dict[str, str]:
    """What the browser's compiler says against WGSL texts: {name: errors}; a name is missing if there are none.

    Texts with `enable f16` are compiled only where the browser's adapter has that. Raises RuntimeError if there is no
    browser, or if it does not answer.
    """
    program = browser()
    if program is None:
        raise RuntimeError("No Chromium is installed here.")
    said: dict[str, str] = {}
    is_said = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._answer(json.dumps(dict(texts)).encode() if self.path == "/texts" else PAGE)

        def do_POST(self):
            said.update(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer(b"")
            is_said.set()

        def _answer(self, body):
            self.send_response(200)
            self.send_header("Content-Type", "text/html" if body is PAGE else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Nothing: stderr is for what goes wrong."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, tempfile.TemporaryDirectory() as folder:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        # HOME: what a browser writes besides its profile goes with the folder as well.
        running = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={folder}/profile", address],
            env=os.environ | {"HOME": folder}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            if not is_said.wait(PATIENCE):
                raise RuntimeError(f"{program} did not answer within {PATIENCE} s.")
        finally:
            running.terminate()
            running.wait()
            server.shutdown()
            shutil.rmtree(folder, ignore_errors=True)
            Path(folder).mkdir(exist_ok=True)
    return said


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    files = sorted(Path(sys.argv[1]).glob("*.wgsl"))
    texts = {path.name: standard(path.read_text(encoding="utf-8")) for path in files}
    said = faults(texts)
    for name, errors in said.items():
        print(f"{name}: {errors}")
    print(f"{len(texts)} modules, {len(said)} with errors")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
