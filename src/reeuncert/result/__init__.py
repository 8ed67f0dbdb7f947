"""What a sampler returned: diagnostics, tables, and files that can be written and read back."""
