"""Eight float32 side by side as one number: the kernels' physics compiles for it as it does for a single float.

`Lanes` (eight floats) and `Mask` (eight truths) are types of numba with LLVM's vectors behind them. Arithmetic and
comparisons work lane by lane, alone or mixed with a float32, rounded as the scalar instructions are: each lane computes
to the bit what a single environment would. LLVM finds the instructions of the machine, whatever it is.

A group of eight environments lies in memory as one record in which every float of the scalar record is eight wide
(`as_group`), so that `group.bodies[k].vel.x` is the x velocity of body k in all eight. `as_lane` sees the same memory
as the scalar record of one of them, so that code which must look at a single environment needs no copy.

What works for floats and lanes alike: operators, `select`, `anywhere`, `everywhere`, `like`, `absolute`, `root`,
`sine`, `cosine`, `hyperbolic_tangent`, `arc_tangent`. They are plain functions in Python.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from chunkenv.kinetix.engine.layout import GROUP
from chunkenv.utils.compile import missing_numba

try:
    from llvmlite import ir
    from numba import extending, types
    from numba.core import cgutils
    from numba.core.imputils import lower_builtin, lower_cast
    from numba.core.typeconv.castgraph import Conversion
    from numba.core.typing import templates
    from numba.core.typing.templates import AbstractTemplate, signature
    from numba.extending import models, overload, register_model
    from numba.np.numpy_support import from_dtype
except ImportError as error:
    raise missing_numba("Kinetix", "kinetix") from error

WIDTH = GROUP

intrinsic: Any = extending.intrinsic  # what it makes is called with two arguments less than it is given
infer_global: Any = templates.infer_global

_FLOATS = ir.VectorType(ir.FloatType(), WIDTH)
_TRUTHS = ir.VectorType(ir.IntType(1), WIDTH)
_BITS = ir.IntType(WIDTH)


class Lanes(types.Type):
    """The type of eight float32."""

    bitwidth = 32 * WIDTH

    def __init__(self) -> None:
        super().__init__("lanes8")

    def can_convert_from(self, typingctx: Any, other: types.Type) -> Conversion | None:
        """A float32 is eight equal ones."""
        return Conversion.safe if other == types.float32 else None

    def unify(self, typingctx: Any, other: types.Type) -> types.Type | None:
        """A variable that is now a float32, now lanes, is lanes."""
        return self if other == types.float32 else None


class Mask(types.Type):
    """The type of eight truths."""

    def __init__(self) -> None:
        super().__init__("mask8")


class GroupRecord(types.Record):
    """A record laid out by hand: numpy has no name for the types of its fields."""

    @property
    def dtype(self) -> np.dtype:
        """Its size is all that numba asks for."""
        return np.dtype((np.void, self.size))


LANES, MASK = Lanes(), Mask()
register_model(GroupRecord)(models.RecordModel)


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: types.Type) -> None:
        super().__init__(manager, kind, _FLOATS)


@register_model(Mask)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: types.Type) -> None:
        super().__init__(manager, kind, _TRUTHS)


# --- operators ------------------------------------------------------------------------------------------------------


def _is_lanes(*kinds: types.Type) -> bool:
    """Whether these are lanes or floats that become some, and at least one of the first."""
    return LANES in kinds and all(kind in (LANES, types.float32) for kind in kinds)


def _emit_repeat(builder: Any, number: Any) -> Any:
    first = builder.insert_element(ir.Constant(_FLOATS, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), None)
    return builder.shuffle_vector(first, first, zeros)


@lower_cast(types.float32, LANES)
def _widen_float(context: Any, builder: Any, source: Any, target: Any, value: Any) -> Any:
    return _emit_repeat(builder, value)


def _operator(symbol: Any, result: types.Type, emit: Any) -> None:
    """Teach numba an operator between lanes, or between lanes and a float."""

    @infer_global(symbol)
    class _LanesTyping(AbstractTemplate):
        def generic(self, args: tuple, kws: dict) -> Any:
            return signature(result, LANES, LANES) if len(args) == 2 and _is_lanes(*args) else None

    @lower_builtin(symbol, LANES, LANES)
    def _lower(context: Any, builder: Any, kinds: Any, args: Any) -> Any:
        return emit(builder, *args)


def _comparison(sign: str) -> Any:
    def emit(builder: Any, a: Any, b: Any) -> Any:
        compare = builder.fcmp_unordered if sign == "!=" else builder.fcmp_ordered  # NaN differs from everything
        return compare(sign, a, b)

    return emit


for _symbol, _name in (("add", "fadd"), ("sub", "fsub"), ("mul", "fmul"), ("truediv", "fdiv")):
    for _kind in (_symbol, f"i{_symbol}"):
        _operator(getattr(operator, _kind), LANES, lambda builder, a, b, name=_name: getattr(builder, name)(a, b))
for _symbol, _sign in (("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">="), ("eq", "=="), ("ne", "!=")):
    _operator(getattr(operator, _symbol), MASK, _comparison(_sign))


@infer_global(operator.neg)
class _NegativeTyping(AbstractTemplate):
    def generic(self, args: tuple, kws: dict) -> Any:
        return signature(LANES, LANES) if args == (LANES,) else None


@lower_builtin(operator.neg, LANES)
def _lower_negative(context: Any, builder: Any, kinds: Any, args: Any) -> Any:
    return builder.fneg(args[0])


def _mask_operator(symbol: Any, name: str) -> None:
    @infer_global(symbol)
    class _MaskTyping(AbstractTemplate):
        def generic(self, args: tuple, kws: dict) -> Any:
            return signature(MASK, MASK, MASK) if args == (MASK, MASK) else None

    @lower_builtin(symbol, MASK, MASK)
    def _lower(context: Any, builder: Any, kinds: Any, args: Any) -> Any:
        return getattr(builder, name)(*args)


_mask_operator(operator.and_, "and_")
_mask_operator(operator.or_, "or_")


# --- functions of floats or lanes -----------------------------------------------------------------------------------


@intrinsic
def _select_lanes(typing, mask, yes, no):
    def emit(context: Any, builder: Any, kinds: Any, args: Any) -> Any:
        chosen = [context.cast(builder, args[k], kinds.args[k], LANES) for k in (1, 2)]
        return builder.select(args[0], *chosen)

    return LANES(mask, yes, no), emit


@intrinsic
def _repeat(typing, number):
    return LANES(number), lambda context, builder, kinds, args: _emit_repeat(builder, args[0])


@intrinsic
def bits(typing, mask):
    """A mask as a number whose bit l is the truth of lane l."""

    def emit(context: Any, builder: Any, kinds: Any, args: Any) -> Any:
        return builder.zext(builder.bitcast(args[0], _BITS), ir.IntType(64))

    return types.uint64(mask), emit


@intrinsic
def lane(typing, lanes, index):
    """The float of one lane."""
    return types.float32(lanes, index), lambda context, builder, kinds, args: builder.extract_element(*args)


@intrinsic
def _with_lane(typing, lanes, index, number):
    def emit(context: Any, builder: Any, kinds: Any, args: Any) -> Any:
        return builder.insert_element(args[0], args[2], args[1])

    return LANES(lanes, index, number), emit


def _exact(name: str) -> Any:
    """A function that LLVM has for vectors, exactly rounded."""

    @intrinsic
    def function(typing, lanes):
        def emit(context: Any, builder: Any, kinds: Any, args: Any) -> Any:
            kind = ir.FunctionType(_FLOATS, [_FLOATS])
            return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"{name}.v{WIDTH}f32"), args)

        return LANES(lanes), emit

    return function


_lanes_absolute, _lanes_root = _exact("llvm.fabs"), _exact("llvm.sqrt")


def select(condition, yes, no):
    """`yes` where the condition holds, else `no`; both are computed."""
    return yes if condition else no


@overload(select)
def _select(condition, yes, no):
    if condition == MASK:
        return lambda condition, yes, no: _select_lanes(condition, yes, no)
    return lambda condition, yes, no: yes if condition else no


def like(number, example):
    """The number, as wide as the example."""
    return number


@overload(like)
def _like(number, example):
    if example == LANES:
        return lambda number, example: _repeat(number)
    return lambda number, example: number


def anywhere(condition):
    """Whether it holds in any lane."""
    return condition


@overload(anywhere)
def _anywhere(condition):
    if condition == MASK:
        return lambda condition: bits(condition) != np.uint64(0)
    return lambda condition: condition


def everywhere(condition):
    """Whether it holds in all lanes."""
    return condition


@overload(everywhere)
def _everywhere(condition):
    if condition == MASK:
        return lambda condition: bits(condition) == np.uint64((1 << WIDTH) - 1)
    return lambda condition: condition


def absolute(x):
    """The value without its sign."""
    return abs(x)


@overload(absolute)
def _absolute(x):
    if x == LANES:
        return lambda x: _lanes_absolute(x)
    return lambda x: abs(x)


def root(x):
    """The square root."""
    return math.sqrt(x)


@overload(root)
def _root(x):
    if x == LANES:
        return lambda x: _lanes_root(x)
    return lambda x: math.sqrt(x)


def sine(x):
    """The sine of an angle."""
    return math.sin(x)


def cosine(x):
    """The cosine of an angle."""
    return math.cos(x)


def hyperbolic_tangent(x):
    """The hyperbolic tangent."""
    return math.tanh(x)


def arc_tangent(y, x):
    """The angle of a vector."""
    return math.atan2(y, x)


def _lane_by_lane(function: Any, of_float: Any) -> None:
    """Let a function of floats work on lanes, by the same library call for each: a vector one rounds otherwise."""

    def of_lanes(x):
        result = x
        for k in range(np.uint64(WIDTH)):
            result = _with_lane(result, k, of_float(lane(x, k)))
        return result

    def choose(x):
        return of_lanes if x == LANES else lambda x: of_float(x)

    overload(function)(choose)


for _function, _of_float in ((sine, math.sin), (cosine, math.cos), (hyperbolic_tangent, math.tanh)):
    _lane_by_lane(_function, _of_float)


@overload(arc_tangent)
def _arc_tangent(y, x):
    def of_lanes(y, x):
        result = x
        for k in range(np.uint64(WIDTH)):
            result = _with_lane(result, k, math.atan2(lane(y, k), lane(x, k)))
        return result

    return of_lanes if x == LANES else lambda y, x: math.atan2(y, x)


# --- groups in memory -----------------------------------------------------------------------------------------------


def _relaid(record: types.Record, relay: Any) -> GroupRecord:
    """The record with every field eight times as far from the start; `relay` gives the types of floats and counts."""
    fields = [
        (name, {"type": relay(field.type), "offset": field.offset * WIDTH}) for name, field in record.fields.items()
    ]
    return GroupRecord(fields, record.size * WIDTH, False)


def _wide(kind: types.Type) -> types.Type:
    """A type of a scalar record as it is in a group: floats are lanes, a count is an array with one for each lane."""
    if kind == types.float32:
        return LANES
    if isinstance(kind, types.Record):
        return _relaid(kind, _wide)
    if isinstance(kind, types.NestedArray):
        return types.NestedArray(_wide(kind.dtype), kind.shape)
    return types.NestedArray(kind, (WIDTH,))


def _narrow(kind: types.Type) -> types.Type:
    """A type of a scalar record as it is in one lane of a group: the same, only further apart."""
    if isinstance(kind, types.Record):
        return _relaid(kind, _narrow)
    if isinstance(kind, types.NestedArray):
        return types.NestedArray(_narrow(kind.dtype), kind.shape)
    return kind


def group_memory(dtype: np.dtype) -> np.ndarray:
    """Zeroed memory for a group of eight such records, as float32, for `as_group` and `as_lane`.

    It begins at a multiple of 64 bytes, so that no eight floats lie across two cache lines.
    """
    n = dtype.itemsize // 4 * WIDTH
    memory = np.zeros(n + 16, np.float32)
    start = -memory.ctypes.data % 64 // 4
    return memory[start : start + n]


def viewer(dtype: np.dtype) -> tuple[Any, Any]:
    """Two functions for kernels: `as_group(memory)`, eight such records as one; `as_lane(memory, l)`, one of them."""
    record = from_dtype(dtype)
    group_kind, lane_kind = _wide(record), _narrow(record)

    @intrinsic
    def as_group(typing, memory):
        def emit(context: Any, builder: Any, kinds: Any, args: Any) -> Any:
            return builder.bitcast(_data(context, builder, kinds, args, 0), context.get_value_type(group_kind))

        return group_kind(memory), emit

    @intrinsic
    def as_lane(typing, memory, index):
        def emit(context: Any, builder: Any, kinds: Any, args: Any) -> Any:
            own = builder.gep(_data(context, builder, kinds, args, 0), [args[1]])
            return builder.bitcast(own, context.get_value_type(lane_kind))

        return lane_kind(memory, index), emit

    return as_group, as_lane


def _data(context: Any, builder: Any, kinds: Any, args: Any, k: int) -> Any:
    """Where the data of an array argument begins."""
    return context.make_array(kinds.args[k])(context, builder, args[k]).data


def _places(context: Any, builder: Any, kinds: Any, args: Any) -> list:
    """Pointers into a memory (argument 0), one for each lane: what argument 1 says for it, and argument 2 further."""
    memory, starts = (_data(context, builder, kinds, args, k) for k in (0, 1))
    pointers = []
    for k in range(WIDTH):
        start = builder.load(builder.gep(starts, [ir.Constant(ir.IntType(64), k)]), align=4)
        place = builder.add(builder.zext(start, ir.IntType(64)), args[2])
        pointers.append(builder.gep(memory, [place]))
    return pointers


@intrinsic
def gather(typing, memory, starts, offset):
    """The floats memory[starts[l] + offset] of all lanes l."""

    def emit(context: Any, builder: Any, kinds: Any, args: Any) -> Any:
        result = ir.Constant(_FLOATS, ir.Undefined)
        for k, pointer in enumerate(_places(context, builder, kinds, args)):
            result = builder.insert_element(result, builder.load(pointer), ir.Constant(ir.IntType(32), k))
        return result

    return LANES(memory, starts, offset), emit


@intrinsic
def scatter(typing, memory, starts, offset, lanes):
    """Write lane l to memory[starts[l] + offset], for all l."""

    def emit(context: Any, builder: Any, kinds: Any, args: Any) -> Any:
        for k, pointer in enumerate(_places(context, builder, kinds, args)):
            builder.store(builder.extract_element(args[3], ir.Constant(ir.IntType(32), k)), pointer)
        return context.get_dummy_value()

    return types.void(memory, starts, offset, lanes), emit
