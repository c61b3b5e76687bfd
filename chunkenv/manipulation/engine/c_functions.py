"""C functions of MuJoCo and numpy, called from compiled code by their addresses.

ogbench's controller and observation are numpy on top of MuJoCo. To be equal to it to the last bit, compiled code has to
call the very same functions: numpy's sine is not the C library's, and its BLAS adds in an order of its own.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.linalg import _umath_linalg  # pyright: ignore[reportAttributeAccessIssue] (its library brings LAPACK along)

from chunkenv.manipulation.scene.ogbench_imports import mujoco
from chunkenv.utils.compile import missing_numba

try:
    import numba
    from llvmlite import ir
    from numba import extending, types
    from numba.core import cgutils
except ImportError as error:
    raise missing_numba("Vectorised manipulation", "manipulation") from error

MUJOCO = (
    "mj_kinematics",
    "mj_comPos",
    "mj_jacSite",
    "mj_step",
    "mj_rnePostConstraint",
    "mj_getState",
    "mj_setState",
    "mju_mat2Quat",
    "mju_mulQuat",
    "mju_quat2Vel",
)
"""The functions of MuJoCo that the kernels call, in the order of `Native`."""

LINEAR = ("scipy_cblas_dsyrk64_", "scipy_cblas_dgemv64_", "scipy_cblas_ddot64_", "scipy_dgesv_64_")
"""What numpy multiplies matrices and solves linear equations with, in the order of `Native`."""

carray: Any = numba.carray  # pyright: ignore[reportPrivateImportUsage] (numba's documentation has it)
"""carray(pointer, shape): memory as an array, in compiled code."""

intrinsic: Any = extending.intrinsic  # what it makes is called with two arguments less than it is given

_POINTER = ctypes.sizeof(ctypes.c_void_p)
_LOOPS = object.__basicsize__ + 16  # where a ufunc has its loops and, next, their data: numpy/ufuncobject.h


class Native(NamedTuple):
    """Addresses of C functions; those of numpy's loops come with the address of what the loop is to be given.

    Those of the linear algebra are all 0 where numpy was built with another than that of its own wheels.
    """

    kinematics: int
    com_pos: int
    jac_site: int
    step: int
    rne_post_constraint: int
    get_state: int
    set_state: int
    mat2quat: int
    mul_quat: int
    quat2vel: int
    arctan2: tuple[int, int]
    cos: tuple[int, int]
    sin: tuple[int, int]
    syrk: int
    gemv: int
    dot: int
    gesv: int
    power: int


def native() -> Native:
    """The functions of this process."""
    library = ctypes.CDLL(mujoco._functions.__file__)  # what it is linked to is found through it
    power = _address(ctypes.CDLL(_umath_linalg.__file__).pow)
    loops = [_loop(ufunc) for ufunc in (np.arctan2, np.cos, np.sin)]
    return Native._make([*(_address(library[name]) for name in MUJOCO), *loops, *_linear(), power])


def _address(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def _loop(ufunc: np.ufunc) -> tuple[int, int]:
    """The loop over float64 that numpy has chosen for this machine."""
    number = ufunc.types.index("d" * ufunc.nin + "->d")
    loops, data = (_pointer(id(ufunc) + _LOOPS + k * _POINTER) for k in range(2))
    return _pointer(loops + number * _POINTER), _pointer(data + number * _POINTER)


def _pointer(address: int) -> int:
    return ctypes.c_void_p.from_address(address).value or 0


def _linear() -> list[int]:
    """As numpy's own wheels call them: with 64-bit integers; a build of someone else's may have others."""
    library = ctypes.CDLL(_umath_linalg.__file__)
    try:
        return [_address(library[name]) for name in LINEAR]
    except AttributeError:
        return [0] * len(LINEAR)


def _calling(result: Any, restype: Any) -> Callable[..., Any]:
    """The numba intrinsic that calls what stands at an address, with a tuple of arguments."""

    def call(typingctx: Any, address: Any, arguments: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            kinds = [context.get_value_type(kind) for kind in signature.args[1].types]
            pointer = builder.inttoptr(values[0], ir.FunctionType(restype, kinds).as_pointer())
            returned = builder.call(pointer, cgutils.unpack_tuple(builder, values[1], len(kinds)))
            return context.get_dummy_value() if result == types.void else returned

        return result(types.int64, arguments), codegen

    return intrinsic(call)


call = _calling(types.void, ir.VoidType())
"""call(address, arguments): call a C function that returns nothing."""

call_real = _calling(types.float64, ir.DoubleType())
"""call_real(address, arguments): call a C function that returns a double."""


def _pointing(kind: Any, element: Any) -> Callable[..., Any]:
    """The numba intrinsic that makes a pointer of an address, for `numba.carray`."""

    def pointer(typingctx: Any, address: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return builder.inttoptr(values[0], element.as_pointer())

        return types.CPointer(kind)(types.int64), codegen

    return intrinsic(pointer)


reals_at = _pointing(types.float64, ir.DoubleType())
"""reals_at(address): a pointer to doubles."""

counts_at = _pointing(types.int32, ir.IntType(32))
"""counts_at(address): a pointer to C's ints."""


@intrinsic
def take_number(typingctx: Any, address: Any) -> Any:
    """Count the int64 at an address up by one; what it was before. No two threads get the same."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointer = builder.inttoptr(values[0], ir.IntType(64).as_pointer())
        return builder.atomic_rmw("add", pointer, ir.Constant(ir.IntType(64), 1), "monotonic")

    return types.int64(types.int64), codegen
