"""Balances computed a second way: slow and plain, to test the fast one."""
