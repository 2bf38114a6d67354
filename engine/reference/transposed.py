"""Transposed convolutions in float64; and how far float32 may be from them."""

from engine.reference import convolve

value = convolve.value
bounds = convolve.bounds
