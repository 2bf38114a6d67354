"""Activations, sums and products of maps in float64; and how far float32 may be from them."""

from engine.reference import broadcast

value = broadcast.value
bounds = broadcast.bounds
