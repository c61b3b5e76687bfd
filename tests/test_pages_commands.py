"""Commands on pages exist, with each of their options and values: their own parsers read them. Cheap ones are run."""

import re
import shlex
from itertools import product

import pytest
import typer

from chunkenv.cli.app import app
from chunkenv.latency import load_recording
from tests.cli.calling import invoke
from tests.pages import BLOCK, DOCS, ROOT

PAGES = sorted(
    path for path in [*DOCS.rglob("*.md"), *ROOT.glob("*.md")] if path.parent.name not in ("api", "commands")
)
GROUP = typer.main.get_command(app)
INDENTED = re.compile(r"(?:^<!-- not run: (?P<reason>.+) -->\n\n)?(?P<code>(?:^ {4}.*\n?)+)", re.MULTILINE)
RUN = ("howto/course.md", "tutorials/measure_latency.md", "tutorials/teach.md")
NOT_RUN = {
    "bench": "a study takes minutes to days; tests/bench/test_bench_page.py runs one",
    "data": "it takes minutes, or data of the reader's; tests/cli/data run small ones",
    "play": "it plans, or opens a window; tests/cli/test_scene.py films an episode",
    "serve": "it serves until it is stopped; tests/cli/test_serve.py stops it",
    "train": "it learns for minutes to hours; tests/cli/train learn for a moment",
    "python": "a benchmark takes long, and a virtual environment is the reader's",
}
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def command_lines(text: str, to_run: bool = False) -> list[list[str]]:
    """The words of each line of a page's blocks that calls chunkenv or Python, without comments and prompts.

    With `to_run` only those of blocks that do not say why they are not run.
    """
    fenced = [block for block in BLOCK.finditer(text) if block["language"] in ("", "bash", "console")]
    blocks = [*fenced, *INDENTED.finditer(BLOCK.sub("", text))]
    lines = "\n".join(block["code"] for block in blocks if not (to_run and block["reason"]))
    whole = re.sub(r" *\\\n *", " ", lines)
    calls = re.findall(r"^(?: {4}|\$ )?((?:[A-Z_]+=\S+ )?(?:chunkenv|python) .*)$", whole, re.MULTILINE)
    return [shlex.split(call, comments=True) for call in calls]


def follow(words: list[str]):
    """The command or group that words name, and the words behind its name, or from a placeholder such as NAME on."""
    command = GROUP
    for place, word in enumerate(words):
        if not hasattr(command, "commands") or word.isupper():
            return command, words[place:]
        assert word in command.commands, f"there is no command {word!r}"
        command = command.commands[word]
    return command, []


def parse(words: list[str]) -> None:
    """Let the parser of its command read a line; it fails where the command would."""
    command, left = follow(words[words.index("chunkenv") + 1 :])
    assert not hasattr(command, "commands"), "the command is missing"
    command.make_context(command.name, left)


@each_page
def test_lines_of_chunkenv_can_be_read(page):
    for words in command_lines(page.read_text(encoding="utf-8")):
        if "chunkenv" in words:
            try:
                parse(words)
            except Exception as error:
                pytest.fail(f"{' '.join(words)}: {error}")


@each_page
def test_commands_in_sentences_are_there(page):
    for text in re.findall(r"`chunkenv ([a-z][^`]*)`", page.read_text(encoding="utf-8")):
        for words in product(*(word.split("|") for word in text.split())):
            command, left = follow(list(words))
            known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
            assert {word for word in left if word.startswith("--")} <= known | {"--help"}, text


@each_page
def test_scripts_and_their_options_are_there(page):
    for words in command_lines(page.read_text(encoding="utf-8")):
        for script in (
            word.split(":")[0] for word in words if word.startswith(("benchmarks/", "examples/", "docs/draw"))
        ):
            assert (ROOT / script).exists(), script
            options = {word for word in words if word.startswith("--")} if words[0] == "python" else set()
            text = (ROOT / script).read_text(encoding="utf-8")
            assert not [option for option in options if f'"{option}"' not in text], words


@each_page
def test_a_line_is_run_or_it_is_said_why_not(page):
    """By the block's own comment, or in `NOT_RUN` for all lines of a command."""
    if page not in [DOCS / name for name in RUN]:
        lines = command_lines(page.read_text(encoding="utf-8"), to_run=True)
        assert {words[1] if words[0] == "chunkenv" else "python" for words in lines} <= set(NOT_RUN)


@pytest.mark.parametrize("page", RUN)
def test_lines_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seconds = load_recording().seconds
    (tmp_path / "trace.jsonl").write_text("\n".join(map(str, seconds)))
    lines = command_lines((DOCS / page).read_text(encoding="utf-8"), to_run=True)
    assert lines
    for words in lines:
        result = invoke(*words[1:])
        assert result.exit_code == 0, f"{' '.join(words)}: {result.output}"


@pytest.mark.parametrize(
    "line", ["bench nothing", "train qc Pendulum-v1 --unheard 1", "bench", "train flow x --updates a"]
)
def test_a_line_that_is_wrong_is_found(line):
    (words,) = command_lines(f"As in\n\n    chunkenv {line}  # so\n")
    with pytest.raises(Exception, match=r"nothing|unheard|missing|'a'"):
        parse(words)


def test_lines_are_found_in_blocks_and_not_in_sentences():
    text = "chunkenv is\n```console\n$ chunkenv play a  # b\nit says\n```\n\n    chunkenv data \\\n        check c\n"
    assert command_lines(text) == [["chunkenv", "play", "a"], ["chunkenv", "data", "check", "c"]]


@pytest.mark.parametrize(
    ("before", "block"), [("", "```bash\nchunkenv play a\n```\n"), ("\n", "    chunkenv play a\n")]
)
def test_a_reason_stands_above_its_block(before, block):
    text = f"So:\n\n{block}\nAnd\n\n<!-- not run: it takes an hour -->\n{before}{block}"
    assert (len(command_lines(text)), len(command_lines(text, to_run=True))) == (2, 1)
