"""Grading with processes: right, wrong, broken and hostile submissions."""

import json
import os
import time

import numpy as np
import psutil
import pytest

from chunkenv import ChunkedExecution, evaluate
from chunkenv.course.grading import Grader, Isolation, Test, WrongAnswer, expect_array, expect_number, find_isolation
from chunkenv.errors import ArgumentError, MissingExtraError
from tests.worlds import Recorder

SQUARE = "def f(x):\n    return x * x\n"


def square(student):
    expect_number("f(3)", student.call("f", 3), 9)


def double(student):
    expect_array("g(rows)", student.call("g", np.array([1.0, 2.0]), times=2), [2.0, 4.0])


TESTS = (Test("square", "1", 60, "visible", square), Test("double", "2", 40, "hidden", double))


def submit(folder, source, name="solution.py"):
    (folder / name).write_bytes(source if isinstance(source, bytes) else source.encode())
    return folder


def judge(source, run=square, seconds=20.0):
    """What becomes of one test."""
    return Grader(TESTS, Isolation(), seconds).run_test(Test("one", "1", 10, "visible", run), source)


def test_scores_add_up_and_the_file_is_gradescopes(tmp_path):
    submit(tmp_path, SQUARE + "def g(rows, times):\n    print('seen')\n    return (rows + times).tolist()\n")
    path, written = tmp_path / "out" / "results.json", []

    def report(results):
        results.write(path)
        written.append(json.loads(path.read_text()))

    results = Grader(TESTS, Isolation()).grade(tmp_path, report)
    assert results.score == 60
    assert [each["score"] for each in written] == [0, 60, 60, 60]
    first, second = written[-1]["tests"]
    assert first == {
        "name": "square",
        "number": "1",
        "score": 60,
        "max_score": 60,
        "status": "passed",
        "output": "Right.",
        "visibility": "visible",
    }
    assert second["output"] == "g(rows) is 2 at index [0]; your answer has 3 there.\nseen\n"
    assert (second["status"], second["visibility"]) == ("failed", "after_published")
    assert (written[-1]["stdout_visibility"], written[-1]["extra_data"]) == (
        "hidden",
        {"isolation": "process", "board": {}, "delays": {}},
    )


def test_a_share_of_the_points():
    assert judge(SQUARE, lambda student: 0.25).score == 2.5


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "solution.py was not handed in (no Python file)"),
        ({"a.py": SQUARE, "b.py": SQUARE}, "was not handed in (a.py, b.py)"),
        ({"solution.py": b"x = '\xff'"}, "not UTF-8 at byte 5"),
        ({"solution.py": b"#" * 2**21}, "hand in at most"),
        ({"mine.py": "def f(x:\n"}, "SyntaxError in line 1"),
        ({"solution.py": "import no_such_module"}, "ModuleNotFoundError in line 1"),
    ],
)
def test_what_cannot_be_imported_has_no_points_and_one_sentence(tmp_path, files, sentence):
    for name, source in files.items():
        submit(tmp_path, source, name)
    results = Grader(TESTS, Isolation()).grade(tmp_path)
    assert results.score == 0
    for each in results.judgements:
        assert sentence in each.output
        assert "\n" not in each.output


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("import os\ndef f(x):\n    os._exit(0)", "ended with exit code 0"),
        ("import os\ndef f(x):\n    os.closerange(3, 99)\n    return 9", "your code ended"),
        ("def f(x):\n    return float('nan')", "your answer is nan"),
        ("def f(x):\n    raise SystemExit", "SystemExit in line 2"),
        ("import numpy as np\ndef f(x):\n    return np.ones(2**30).sum()", "Memory"),
        ("def f():\n    return 9", "TypeError"),
        ("def h(x):\n    return 9", "no function or class 'f'"),
        ("def f(x):\n    return object()", "a value of type object cannot be sent"),
        ("def f(x):\n    return 9 + len(__import__('os').listdir('.'))", "Right."),
    ],
)
def test_a_fault_is_one_sentence(source, sentence):
    judgement = judge(source)
    assert sentence in judgement.output.splitlines()[0]
    assert judgement.score == (10 if sentence == "Right." else 0)


HOSTILE = {
    "forks": (
        "import os, time\ndef f(x):\n    for _ in range(8): os.fork()\n    time.sleep(60)",
        "was ended because it",
    ),
    "a loop": ("def f(x):\n    while True: pass", "no answer within 3 s"),
    "a loop that hears no signal": (
        "import signal, time\ndef f(x):\n    for n in (2, 15): signal.signal(n, signal.SIG_IGN)\n    time.sleep(60)",
        "no answer within 3 s",
    ),
    "prints": ("def f(x):\n    print('x' * 10**8)\n    return 9", "Right."),
    "a thread": (
        "import threading, time\ndef f(x):\n    threading.Thread(target=time.sleep, args=(60,)).start()\n    return 9",
        "Right.",
    ),
    "a daemon": (
        "import os, time\ndef f(x):\n    if os.fork() == 0:\n        os.setsid()\n        os.fork() or time.sleep(60)\n"
        "        os._exit(0)\n    return 9",
        "Right.",
    ),
    "bytes of its own": (
        "import os\ndef f(x):\n    for n in range(3, 20):\n        try: os.write(n, b'\\0' * 7 + b'\\5' + b'x' * 50)\n"
        "        except OSError: pass\n    return 9",
        "cannot be read",
    ),
    "numpy patched": ("import numpy\nnumpy.isfinite = numpy.allclose = lambda *a: True\ndef f(x):\n    return 8", "9"),
    "chunkenv patched": (
        "from chunkenv.course.grading import answers\nanswers.expect_number = print\ndef f(x):\n    return 8",
        "your answer is 8",
    ),
    "memory of many": (
        "import os, time\ndef f(x):\n    for _ in range(3): os.fork()\n    block = b'x' * 2**28\n    time.sleep(60)",
        "of memory",
    ),
}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="os.fork")
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_code_ends_with_all_that_it_started(name):
    source, sentence = HOSTILE[name]
    before = set(psutil.Process().children(recursive=True))
    began = time.monotonic()
    judgement = judge(source, seconds=3 if "loop" in name else 20)
    assert time.monotonic() - began < 20
    assert sentence in judgement.output
    assert len(judgement.output) < 10_200
    assert set(psutil.Process().children(recursive=True)) <= before


def test_the_child_has_nothing_of_the_graders_environment(monkeypatch):
    monkeypatch.setenv("COURSE_SECRET", "answer")
    source = "import os\ndef f(x):\n    return [os.environ.get('COURSE_SECRET'), os.listdir(os.path.expanduser('~'))]"

    def ask(student):
        if student.call("f", 0) != [None, []]:
            raise WrongAnswer("the environment was handed on")

    assert judge(source, ask).score == 10


STEPS = """
class Steps:
    episodes = 0
    def reset(self):
        self.episodes += 1
    def infer(self, observation, request):
        assert self.episodes == 2 and request.rng.random() < 1
        return [[0.5, 0.5]] * 4
"""


def test_what_is_not_installed_here_costs_no_student_anything():
    def play(student):
        raise MissingExtraError("jax is not installed: run `pip install chunkenv[agents]`.")

    with pytest.raises(MissingExtraError, match="agents"):
        judge(SQUARE, play)


def test_code_gets_tuples_as_the_template_promises_them():
    def count(student):
        expect_number("f", student.call("f", [(0, 1), (-1, -1), (-1, -1)]), 2)

    assert judge("def f(pairs):\n    return pairs.count((-1, -1))\n", count).score == 10


def test_a_policy_is_played_here_and_asked_there():
    def play(student):
        policy = student.policy("Steps")
        policy.reset()
        rows = evaluate(lambda: ChunkedExecution(Recorder(), 4, 2, latency=1), policy, episodes=1, seed=0)
        return float(rows[0]["ticks"] > 0)

    judgement = judge(STEPS, play)
    assert judgement.output == "Right."


def test_a_chunk_that_cannot_be_executed_is_the_students_fault():
    source = "class Steps:\n    def infer(self, observation, request):\n        return [[float('nan')] * 2] * 4"

    def play(student):
        evaluate(lambda: ChunkedExecution(Recorder(), 4, 2), student.policy("Steps"), episodes=1, seed=0)

    judgement = judge(source, play)
    assert judgement.score == 0
    assert "cannot be executed" in judgement.output


def test_an_answer_that_a_test_did_not_expect_is_wrong():
    assert "cannot be judged, TypeError" in judge(SQUARE, lambda student: student.call("f", 3) + "text").output


def test_a_test_that_returns_no_share_is_the_instructors_mistake():
    with pytest.raises(ArgumentError, match="returned 2"):
        judge(SQUARE, lambda student: 2)


def test_random_numbers_and_sets_are_the_same_in_every_run():
    source = (
        "import random, numpy as np\ndef f(x):\n    return [random.random(), np.random.rand(), list({'a', 'b', 'c'})]"
    )
    seen = []
    for _ in range(2):
        judge(source, lambda student: seen.append(student.call("f", 0)))
    assert seen[0] == seen[1]


def test_only_root_on_linux_can_change_the_user(monkeypatch):
    monkeypatch.setattr("chunkenv.course.grading.isolation.LINUX", False)
    assert find_isolation().name == "process"
    assert Isolation(50_000).name == "user"


@pytest.mark.skipif(find_isolation().name != "user", reason="not root on Linux with a Python that others can read")
def test_as_root_the_code_has_a_user_of_its_own(tmp_path):
    (tmp_path / "secret").write_text("hidden")
    (tmp_path / "secret").chmod(0o600)
    reads = f"def f(x):\n    return open({str(tmp_path / 'secret')!r}).read()\n"
    source = "import os\ndef who():\n    return os.getuid()\n" + reads
    isolation, users = find_isolation(), []

    def ask(student):
        users.append(student.call("who"))
        student.call("f", 0)

    judgement = Grader(TESTS, isolation).run_test(Test("one", "1", 10, "visible", ask), source)
    assert users == [isolation.user]
    assert "PermissionError" in judgement.output
