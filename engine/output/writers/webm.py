"""Video for the web without patents: VP9 in WebM."""

from engine.output.writers.video import VideoWriter


class WebmWriter(VideoWriter):
    """A WebM; see engine.output.writers.frame_writer.WholeWriter."""

    container = "webm"
    codec = (
        "-c:v", "libvpx-vp9", "-pix_fmt", "yuv420p", "-crf", "24", "-b:v", "0",
        # Rows in threads would make the bytes depend on timing; columns do not.
        "-row-mt", "0", "-tile-columns", "2", "-deadline", "good", "-cpu-used", "4",
    )  # fmt: skip
