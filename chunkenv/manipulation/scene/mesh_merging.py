"""Meshes with fewer triangles: vertices that lie close together become one.

A frame of 64 pixels costs what its vertices cost: the arm of ogbench has 193,000 triangles, most of them far smaller
than a pixel.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

FEWEST = 200
"""Triangles below which a mesh is left as it is."""


class Mesh(NamedTuple):
    """One mesh.

    Attributes:
        vertices: float[V, 3], in m.
        faces: int[F, 3], three vertices each.
        normals: float[V, 3], of length 1.
    """

    vertices: np.ndarray
    faces: np.ndarray
    normals: np.ndarray


def merge_meshes(model: Any, distance: float) -> None:
    """Merge the vertices of all meshes of a model, in place: it is drawn faster, and is no model for physics any more.

    Args:
        model: MuJoCo's, not yet given to a drawing context.
        distance: the edge of the cubes whose vertices become one, in m.
    """
    for number in np.flatnonzero(model.mesh_facenum >= FEWEST).tolist():
        start, count = model.mesh_vertadr[number], model.mesh_vertnum[number]
        first, faces = model.mesh_faceadr[number], model.mesh_facenum[number]
        merged = merge_vertices(
            model.mesh_vert[start : start + count], model.mesh_face[first : first + faces], distance
        )
        if len(merged.faces) and len(merged.vertices) <= model.mesh_normalnum[number]:
            _replace(model, number, merged)


def merge_vertices(vertices: np.ndarray, faces: np.ndarray, distance: float) -> Mesh:
    """A mesh whose vertices within one cube of a grid are their mean; faces without an area are left out.

    Args:
        vertices: float[V, 3], in m.
        faces: int[F, 3].
        distance: the edge of a cube of the grid, in m.

    >>> square = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 1.01, 0.0]])
    >>> merged = merge_vertices(square, np.array([[0, 1, 2], [1, 3, 2]]), distance=0.1)
    >>> merged.faces.tolist(), merged.normals[0].tolist()
    ([[0, 1, 2]], [0.0, 0.0, 1.0])
    """
    cubes = np.floor(vertices / distance).astype(int)
    _, group = np.unique(cubes, axis=0, return_inverse=True)
    group = group.ravel()
    count = np.bincount(group)
    means = np.stack([np.bincount(group, vertices[:, axis]) / count for axis in range(3)], axis=1)
    merged = group[faces]
    flat = (merged == np.roll(merged, 1, axis=1)).any(axis=1)
    _, once = np.unique(np.sort(merged, axis=1), axis=0, return_index=True)
    kept = np.isin(np.arange(len(faces)), once) & ~flat
    return Mesh(means, merged[kept], _mean_normals(vertices[faces], merged, len(means)))


def _mean_normals(corners: np.ndarray, groups: np.ndarray, count: int) -> np.ndarray:
    """For each group the mean of the normals of its triangles, which count by their areas: float[count, 3]."""
    areas = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    sums = np.stack(
        [np.bincount(groups.ravel(), np.repeat(areas[:, axis], 3), minlength=count) for axis in range(3)], axis=1
    )
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.where(lengths > 0, sums / np.where(lengths > 0, lengths, 1), (0.0, 0.0, 1.0))


def _replace(model: Any, number: int, mesh: Mesh) -> None:
    """Write a mesh where a larger one was."""
    vertices, faces = len(mesh.vertices), len(mesh.faces)
    for name, count, values in (
        ("vert", vertices, mesh.vertices),
        ("face", faces, mesh.faces),
        ("normal", vertices, mesh.normals),
    ):
        begin = getattr(model, f"mesh_{name}adr")[number]
        getattr(model, f"mesh_{name}")[begin : begin + count] = values
        getattr(model, f"mesh_{name}num")[number] = count
    begin = model.mesh_faceadr[number]
    model.mesh_facenormal[begin : begin + faces] = mesh.faces
