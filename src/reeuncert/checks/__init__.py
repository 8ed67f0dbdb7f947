"""Checks of a result: whether its intervals deserve belief. One file per check; the registry lists them."""
