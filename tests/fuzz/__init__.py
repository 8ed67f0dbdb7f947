"""Readers of user files under random input: what each may raise, and what it must never do."""
