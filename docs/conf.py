"""Sphinx configuration: `sphinx-build -W -b html docs docs/_build/html`."""

from importlib.metadata import version as installed_version

project = "reeuncert"
author = "The reeuncert developers"
project_copyright = "The reeuncert developers. Apache-2.0"
release = installed_version("reeuncert")
version = release

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build", "jupyter_execute", "Thumbs.db", ".DS_Store"]

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "off"

autodoc_typehints = "description"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_numpy_docstring = True
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"reeuncert {release}"
