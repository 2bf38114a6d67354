"""A dense layer of one vector in float64; and how far float32 may be from it."""

from engine.reference import convolve

value = convolve.value
bounds = convolve.bounds
