"""Sections of the report, one a file: each says what its template shows."""
