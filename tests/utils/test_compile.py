"""Compiled kernels are cached where that is possible, and anew when anything that they are made of changes."""

from chunkenv.utils import compile as compiling


def test_no_writable_cache_is_no_error(monkeypatch):
    import numba

    numba.njit(lambda x: x)(1)  # the first compilation imports and compiles helpers of its own

    def njit(cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function 'double': no locator available")
        return original(**options)

    original = numba.njit
    monkeypatch.setattr(numba, "njit", njit)
    assert compiling.entry(lambda x: x + x)(2) == 4


def test_a_change_in_any_source_compiles_anew(tmp_path):
    sources = tuple(tmp_path / name for name in ("a.py", "b.py", "c.py"))
    for path in sources:
        path.write_text("as it was")
    fingerprint = compiling.fingerprint.__wrapped__
    fingerprints = [fingerprint(sources)]
    for path in sources:
        path.write_text("changed")
        fingerprints.append(fingerprint(sources))
    assert 0 not in fingerprints
    assert len(set(fingerprints)) == len(fingerprints)


def test_a_change_in_how_to_compile_compiles_anew(monkeypatch, tmp_path):
    (tmp_path / "compile.py").write_text("changed")
    before = compiling.fingerprint.__wrapped__(())
    monkeypatch.setattr(compiling, "__file__", str(tmp_path / "compile.py"))
    assert compiling.fingerprint.__wrapped__(()) not in (before, 0)


def test_sources_that_are_not_files_never_change(tmp_path):
    assert compiling.fingerprint.__wrapped__((tmp_path / "library.zip" / "a.py",)) == 0
