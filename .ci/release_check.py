"""Fail where the version, the changelog, the citation, the tag, the repository or the built files do not agree.

    python .ci/release_check.py                                             # what must always agree
    python .ci/release_check.py --tag v0.2.0 --repository OWNER/NAME dist/*   # and what a release must be

Without a tag, the version that is being worked on needs no section in the changelog yet.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
LARGEST_WHEEL = 25_000_000
"""Bytes."""
SECTION = re.compile(r"^## \[(?P<version>[^]]+)\](?: - (?P<date>\d{4}-\d{2}-\d{2}))?$", re.MULTILINE)
"""The heading of a version in the changelog."""


def find(pattern: str, path: Path) -> str | None:
    """What the group of `pattern` finds first in a file, or None."""
    match = re.search(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)
    return match and match[1]


def package_version(root: Path) -> str:
    """The version in `chunkenv/__init__.py`, which is the one home of it."""
    version = find(r'^__version__ = "(.+)"$', root / "chunkenv" / "__init__.py")
    if version is None:
        sys.exit('chunkenv/__init__.py has no line `__version__ = "..."`; expected the version there.')
    return version


def check_citation(root: Path, version: str) -> list[str]:
    """CITATION.cff names the same version."""
    cited = find(r"^version: (.+)$", root / "CITATION.cff")
    return [] if cited == version else [f"CITATION.cff says version {cited}, the package {version}: make them equal."]


def check_changelog(root: Path, version: str) -> list[str]:
    """The version is the newest section of the changelog, with its date, and nothing is left under Unreleased."""
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = list(SECTION.finditer(text))
    if [heading["version"] for heading in headings[:2]] != ["Unreleased", version]:
        return [f"CHANGELOG.md: expected `## [Unreleased]`, then `## [{version}] - YYYY-MM-DD`, as its first sections."]
    unreleased, newest = headings[:2]
    found = []
    if text[unreleased.end() : newest.start()].strip():
        found.append(f"CHANGELOG.md: lines are left under [Unreleased]; move them under [{version}].")
    dates = newest["date"], find(r"^date-released: (.+)$", root / "CITATION.cff")
    if None in dates or len(set(dates)) > 1:
        found.append(f"CHANGELOG.md dates {version} {dates[0]}, CITATION.cff {dates[1]}: give both the same date.")
    return found


def check_tag(tag: str, version: str) -> list[str]:
    """The tag is the version with a v in front."""
    return [] if tag == f"v{version}" else [f"The tag is {tag}, the package {version}: expected the tag v{version}."]


def check_repository(root: Path, repository: str) -> list[str]:
    """The addresses that users are shown lead to the repository that makes the release."""
    home = f"https://github.com/{repository}"
    urls = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
    others = sorted({url for url in urls.values() if url != home and not url.startswith(f"{home}/")})
    cited = find(r"^repository-code: (.+)$", root / "CITATION.cff")
    others += [] if cited == home else [f"{cited} (CITATION.cff)"]
    return [
        f"{url} does not lie in {home}, which makes this release: mend pyproject.toml and CITATION.cff."
        for url in others
    ]


def check_files(files: list[Path], version: str) -> list[str]:
    """A wheel that is not too large, and a source distribution, of this version."""
    expected = {f"chunkenv-{version}-py3-none-any.whl", f"chunkenv-{version}.tar.gz"}
    names = {path.name for path in files}
    found = [] if names == expected else [f"Built are {sorted(names)}; expected {sorted(expected)}."]
    for path in files:
        size = path.stat().st_size
        if path.suffix == ".whl" and size > LARGEST_WHEEL:
            found.append(f"{path.name} has {size:,} bytes; expected {LARGEST_WHEEL:,} at most.")
    return found


def mistakes(
    root: Path, tag: str | None = None, repository: str | None = None, files: list[Path] | None = None
) -> list[str]:
    """A sentence for everything that does not agree."""
    version = package_version(root)
    found = check_citation(root, version)
    if tag is not None:
        found += check_tag(tag, version) + check_changelog(root, version)
    if repository is not None:
        found += check_repository(root, repository)
    if files:
        found += check_files(files, version)
    return found


def parse_arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description="Does everything that names the version agree?")
    parser.add_argument("--tag", help="the tag of the release, v0.2.0")
    parser.add_argument("--repository", help="OWNER/NAME of the repository that makes the release")
    parser.add_argument("files", nargs="*", type=Path, help="what `uv build` has built")
    return parser.parse_args()


if __name__ == "__main__":
    arguments = parse_arguments()
    if found := mistakes(ROOT, arguments.tag, arguments.repository, arguments.files):
        sys.exit("\n".join(found))
    print(f"{package_version(ROOT)}: all agree")
