"""Things that go wrong on a machine while the package runs, and what is left afterwards."""
