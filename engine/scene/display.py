"""The function that shows a scene in a notebook; the package sets it on import, since this room has no renderer."""

from collections.abc import Callable

# function of a scene that returns {MIME type: data}, or None, after which the scene is shown by its repr
mimebundle: Callable[..., dict] | None = None
