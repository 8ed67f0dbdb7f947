"""Pages that are made from the package and its tables when the documentation is built, so that they cannot go stale."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import api_pages
import evidence_pages
import registry_pages

MAKERS = (api_pages, evidence_pages, registry_pages)
"""Modules with a function `pages() -> dict[path below docs/generated, text]`."""


def write_pages(app: Any) -> None:
    """Write all pages below ``docs/generated``; a page whose text is unchanged keeps its time stamp."""
    folder = Path(app.srcdir) / "generated"
    pages = {name: text for maker in MAKERS for name, text in maker.pages().items()}
    for old in folder.rglob("*.md"):
        if str(old.relative_to(folder)) not in pages:
            old.unlink()
    # Stubs of names that are gone would be warned of; autosummary writes the others again.
    shutil.rmtree(folder / "api", ignore_errors=True)
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Any) -> dict[str, Any]:
    """Register with Sphinx; before autosummary looks for names to document."""
    app.connect("builder-inited", write_pages, priority=100)
    return {"version": "1", "parallel_read_safe": True}
