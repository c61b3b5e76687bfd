"""Functions of the grader's that a student's code calls before it answers."""

import numpy as np
import pytest

from chunkenv.course.grading import Grader, Isolation, StudentFault, Test, WrongAnswer, expect_array, expect_number
from chunkenv.course.grading import student as student_module


def judge(source, run, seconds=20.0):
    return Grader((), Isolation(), seconds).run_test(Test("one", "1", 10, "visible", run), source)


def refuse(x):
    raise WrongAnswer(f"{x} is not taken")


LATER = "def f(g, x):\n    global kept\n    kept = g\n    return g(x)\ndef late():\n    return kept(3)\n"


def test_functions_stay_here_and_take_arrays_and_tuples():
    calls = []

    def scale(rows, pair):
        calls.append(pair)
        return rows * 2, pair

    def run(student):
        answer = student.call("f", scale, np.array([1.0, 2.0]), lambda x: x + 1)
        expect_array("f", answer, [3.0, 5.0])

    source = "def f(g, x, h):\n    rows, pair = g(x, (1, 2))\n    return g(rows + h(0), pair[:1])[0] / 2"
    assert judge(source, run).output == "Right."
    assert calls == [[1, 2], [1]]


def test_a_call_that_is_refused_is_an_error_of_the_code_with_the_same_sentence():
    def run(student):
        for function, sentence in ((refuse, "3 is not taken"), (lambda: 0, "positional argument")):
            with pytest.raises(StudentFault, match=f"ValueError in line 2: .*{sentence}"):
                student.call("f", function)

    assert judge("def f(g):\n    return g(3)", run).score == 10


def test_a_function_is_gone_when_the_code_has_returned():
    def run(student):
        expect_number("f", student.call("f", lambda x: x + 1, 1), 2)
        student.call("late")

    assert "this function of the grader's is not there any more" in judge(LATER, run).output


def test_code_that_calls_for_ever_ends_in_time():
    judgement = judge(
        "def f(g):\n    while True:\n        g()", lambda student: student.call("f", lambda: 1), seconds=3
    )
    assert "no answer within 3 s" in judgement.output


def test_what_was_not_asked_for_is_no_answer():
    """A process that sends frames of its own cannot call what is not there."""
    source = "def f():\n    import chunkenv.course.grading.framing as framing\n    return {'asks': 0, 'args': []}"

    def run(student):
        assert student.call("f") == {"asks": 0, "args": []}

    assert judge(source, run).score == 10


class Clockwork:
    """A child that takes two seconds for every message, and once asks for something first."""

    def __init__(self):
        self.now, self.patience = 0.0, []
        self.answers = [{"value": 1}, {"asks": 0, "args": []}, {"value": 2}, {"value": 3}]

    def monotonic(self):
        return self.now

    def ask(self, frame, timeout):
        self.patience.append(timeout)
        self.now += 2.0
        return self.answers.pop(0)


def test_what_the_code_takes_counts_and_what_the_grader_does_between_questions_does_not(monkeypatch):
    child = Clockwork()
    monkeypatch.setattr(student_module, "time", child)
    student = student_module.Student(child, 10.0)
    for function in (lambda: 0, lambda: setattr(child, "now", child.now + 1), lambda: 0):
        child.now += 100.0
        student.call("f", function)
    assert child.patience == [10.0, 8.0, 5.0, 3.0]  # the function that was called for the code took one, too
