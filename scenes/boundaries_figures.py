"""The figures of boundaries: what GINN's article shows, each by one command."""

FIGURES = ()
