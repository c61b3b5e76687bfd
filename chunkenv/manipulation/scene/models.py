"""MuJoCo models without what is only seen: the same physics, to the bit, in a tenth of the memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from chunkenv.manipulation.scene.ogbench_imports import mjcf_utils, mujoco

OF_GEOMS = ("bvh", "body_bvh", "body_geom", "geom", "mat", "mesh", "name", "skin", "tex", "text")
"""How the names of the arrays begin that tell of geoms, meshes, materials and textures, and where these are."""


def compile_model(mjcf_model: Any, visual: bool) -> Any:
    """The model of a scene, with or without the meshes and textures that nothing collides with.

    Masses and inertias come from the visual meshes too, so the light model gets those of the whole one.

    Args:
        mjcf_model: the scene, as ogbench builds it.
        visual: whether it will be rendered.
    """
    text, assets = mjcf_utils.to_string(mjcf_model), mjcf_utils.get_assets(mjcf_model)
    whole = mujoco.MjModel.from_xml_string(text, assets)
    return whole if visual else _lighten(whole, text, assets)


def _lighten(whole: Any, text: str, assets: dict[str, bytes]) -> Any:
    spec = mujoco.MjSpec.from_string(text, assets)
    spec.assets = assets
    _state_masses(spec, whole)
    _drop_visual_meshes(spec)
    _drop_textures(spec)
    light = spec.compile()
    _copy_physics(whole, light)
    return light


def _state_masses(spec: Any, whole: Any) -> None:
    """Masses and inertial frames as they were with all geoms: the trees that collisions search lie in these frames."""
    for body in spec.bodies[1:]:
        number = whole.body(body.name).id
        body.explicitinertial = True
        body.mass, body.inertia = whole.body_mass[number], whole.body_inertia[number]
        body.ipos, body.iquat = whole.body_ipos[number], whole.body_iquat[number]


def _drop_visual_meshes(spec: Any) -> None:
    for geom in list(spec.geoms):
        if geom.type == mujoco.mjtGeom.mjGEOM_MESH and geom.contype == 0 and geom.conaffinity == 0:
            _hide(spec, geom)
    used = {geom.meshname for geom in spec.geoms}
    for mesh in list(spec.meshes):
        if mesh.name not in used:
            spec.delete(mesh)


def _hide(spec: Any, geom: Any) -> None:
    """Take a geom's mesh away: what ogbench knows by name stays as a speck."""
    if "unnamed" in geom.name:
        spec.delete(geom)
    else:
        geom.type, geom.meshname, geom.size = mujoco.mjtGeom.mjGEOM_SPHERE, "", [1e-3, 0, 0]


def _drop_textures(spec: Any) -> None:
    for material in spec.materials:
        material.textures = [""] * len(material.textures)
    for texture in list(spec.textures):
        spec.delete(texture)


def _copy_physics(whole: Any, light: Any) -> None:
    """Everything that is not about geoms and pictures: a body's geoms count for its mass even where they are gone."""
    for name in dir(light):
        values = getattr(light, name)
        if name.startswith(("_", *OF_GEOMS)) or not isinstance(values, np.ndarray):
            continue
        values[:] = getattr(whole, name)
    light.stat.meaninertia = whole.stat.meaninertia
