"""Results of a sampler: diagnostics, tables, and files."""
