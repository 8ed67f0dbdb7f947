"""A model small enough to be sampled in a test."""
