"""Video that plays everywhere: H.264 in MP4."""

from engine.output.writers.video import VideoWriter


class Mp4Writer(VideoWriter):
    """An MP4 that starts to play while it loads; see engine.output.writers.frame_writer.WholeWriter."""

    container = "mp4"
    codec = (
        "-c:v", "libx264", "-preset", "medium", "-profile:v", "high",
        # 16: smooth shading shows blocks above 18; `animation` keeps flat grounds flat, and aq-mode 3 the dark ones.
        "-crf", "16", "-tune", "animation", "-aq-mode", "3",
        "-movflags", "+faststart",
    )  # fmt: skip
