"""How Sphinx builds the site: `python -m sphinx -W -n -b html docs docs/_build/html` (extra `docs`)."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

DOCS = Path(__file__).parent
ROOT = DOCS.parent
sys.path[:0] = [str(ROOT), str(DOCS)]  # the package of this clone, and the directives beside this file

from site_docstrings import setup_docstrings  # noqa: E402
from site_reference import write_pages  # noqa: E402
from sphinx.application import Sphinx  # noqa: E402

import chunkenv  # noqa: E402

SOURCE = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Source"]

project = "chunkenv"
author = "The chunkenv developers"
copyright = author
version = release = chunkenv.__version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinxext.opengraph",
]
exclude_patterns = ["_build"]
source_suffix = {".md": "markdown"}
highlight_language = "none"  # indented blocks are commands, formulas and sentences

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

autodoc_typehints = "none"  # signatures show them, and docstrings say the shapes and units
autodoc_member_order = "bysource"
default_role = "code"  # docstrings put names in single backticks
napoleon_use_rtype = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = "chunkenv"
html_logo = "_static/logo.svg"
html_favicon = "_static/logo.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_theme_options = {
    "source_repository": SOURCE,
    "source_branch": "main",
    "source_directory": "docs/",
    "light_css_variables": {"color-brand-primary": "#0b6e69", "color-brand-content": "#0b6e69"},
    "dark_css_variables": {"color-brand-primary": "#5cc8b8", "color-brand-content": "#5cc8b8"},
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
ogp_site_url = "https://{}.github.io/{}/".format(*SOURCE.split("/")[-2:])
ogp_social_cards = {"enable": False}  # they would draw a picture of each page with matplotlib


def lead_outside(app: Sphinx, docname: str, text: list[str]) -> None:
    """Files of the repository that are no pages are shown there: `[setup](../CONTRIBUTING.md)`."""
    page = Path(app.env.doc2path(docname))

    def address(match: re.Match[str]) -> str:
        target = (page.parent / match[1]).resolve()
        if target.is_relative_to(DOCS) or not target.is_relative_to(ROOT):
            return match[0]
        kind = "tree" if target.is_dir() else "blob"
        return f"]({SOURCE}/{kind}/main/{target.relative_to(ROOT)}{match[2] or ''})"

    text[0] = re.sub(r"\]\(((?:\.\./)+[^)#]+)(#[^)]*)?\)", address, text[0])


def setup(app: Sphinx) -> None:
    """Connect what this site adds to Sphinx."""
    app.connect("source-read", lead_outside)
    app.connect("builder-inited", write_pages)
    setup_docstrings(app)
