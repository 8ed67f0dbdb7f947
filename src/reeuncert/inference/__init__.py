"""Samplers, starting points, prior simulation, and the labelled result tree."""
