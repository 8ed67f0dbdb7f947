"""Sphinx configuration: `sphinx-build -W -b html docs docs/_build/html`.

Building runs the notebooks (kept in `docs/_build/.jupyter_cache` until one of them changes); with
REEUNCERT_DOCS_EXECUTE=off their pages are made without results.
"""

import os
import sys
from importlib.metadata import version as installed_version
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))
# Notebooks share one run.
os.environ.setdefault("REEUNCERT_NOTEBOOK_RUNS", str(HERE / "_build"))
(HERE / "_build").mkdir(exist_ok=True)

project = "reeuncert"
author = "The reeuncert developers"
project_copyright = "The reeuncert developers. Apache-2.0"
release = installed_version("reeuncert")
version = release

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "generated_pages",
    "mathml",
]
exclude_patterns = ["_build", "_ext", "jupyter_execute", "Thumbs.db", ".DS_Store"]

myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3

nb_execution_mode = os.environ.get("REEUNCERT_DOCS_EXECUTE", "cache")
nb_execution_cache_path = str(HERE / "_build" / ".jupyter_cache")
nb_execution_in_temp = True
nb_execution_timeout = 3600  # of a cell, on a machine that is busy
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_merge_streams = True

autodoc_typehints = "description"
autodoc_member_order = "bysource"
autosummary_generate = ["generated/api.md"]
napoleon_google_docstring = False
napoleon_numpy_docstring = True
napoleon_use_rtype = False

html_math_renderer = "mathml"
html_theme = "furo"
html_title = f"reeuncert {release}"
html_static_path = ["_static"]
html_css_files = ["wide.css"]
