"""Commands on pages exist, with each of their options and values: their own parsers read them; nothing is run."""

import re
import shlex
from itertools import product

import pytest
import typer

from chunkenv.cli.app import app
from tests.pages import BLOCK, DOCS, ROOT

PAGES = sorted(
    path for path in [*DOCS.rglob("*.md"), *ROOT.glob("*.md")] if path.parent.name not in ("api", "commands")
)
GROUP = typer.main.get_command(app)
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def command_lines(text: str) -> list[list[str]]:
    """The words of each line of a page's blocks that calls chunkenv or Python, without comments and prompts."""
    fenced = [block["code"] for block in BLOCK.finditer(text) if block["language"] in ("", "bash", "console")]
    indented = re.findall(r"^ {4}(?! )(?:.*\\\n)*.*", BLOCK.sub("", text), re.MULTILINE)
    whole = re.sub(r" *\\\n *", " ", "\n".join([*fenced, *indented]))
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
