"""Simulated truths of a case, by code that shares nothing with the model, and how well intervals hold them."""
