"""Who shows a scene in a notebook: the package sets it when it is imported, since a scene knows no renderer."""

from collections.abc import Callable

# function of a scene -> {MIME type: data}; None shows the scene as Python writes any object
mimebundle: Callable[..., dict] | None = None
