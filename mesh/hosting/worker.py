"""A service's code as the mesh finds it: the module that its manifest names, with its Env, entrypoints and lifespan."""

import dataclasses
import importlib
import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from mesh.config.manifest import Manifest
from mesh.config.problems import ConfigurationError, Problem
from mesh.contract import service_of

Lifespan = Callable[[Any], AbstractAsyncContextManager[Any]]
"""Opens what a service needs from its Env, gives the state that its entrypoints share, and closes it all again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A service: its manifest and its code."""

    manifest: Manifest
    """What it declares."""
    env_type: type
    """Its Env, a dataclass whose annotations say what each binding is."""
    entrypoints: Mapping[str, type]
    """Its entrypoint classes by name: "Default", "Admin"."""
    lifespan: Lifespan | None
    """What is opened before its entrypoints and closed after them; None for a service that holds nothing."""

    def entrypoint(self, env: object, state: object, name: str) -> object:
        """One entrypoint object; with a lifespan it gets the shared state beside its Env."""
        make: Callable[..., object] = self.entrypoints[name]
        return make(env) if self.lifespan is None else make(env, state)


def load_worker(manifest: Manifest) -> Worker:
    """Imports the module that a manifest names.

    Raises:
        ConfigurationError: there is no such module, or it lacks an Env or a Default.
    """
    where = f"{manifest.path}:main"
    module = _import(manifest.main, where)
    problems: list[Problem] = []
    env_type = getattr(module, "Env", None)
    if not (isinstance(env_type, type) and dataclasses.is_dataclass(env_type)):
        problems.append(Problem(where, f"{manifest.main} has no dataclass called Env. Import it from env.py."))
    entrypoints = {
        name: found
        for name, found in vars(module).items()
        if inspect.isclass(found) and found.__module__ == module.__name__ and _serves(found)
    }
    if "Default" not in entrypoints:
        problems.append(Problem(where, f"{manifest.main} has no entrypoint class called Default."))
    if problems or not isinstance(env_type, type):
        raise ConfigurationError(problems)
    return Worker(
        manifest=manifest,
        env_type=env_type,
        entrypoints=entrypoints,
        lifespan=getattr(module, "lifespan", None),
    )


def _import(name: str, where: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and name.startswith(error.name):
            what = f"there is no module {name}. It names the Python module that holds the entrypoints."
            raise ConfigurationError([Problem(where, what)]) from None
        raise
    except (TypeError, ValueError):
        what = f"{name!r} is no name of a Python module, such as services.books.entrypoints."
        raise ConfigurationError([Problem(where, what)]) from None


def _serves(found: type) -> bool:
    try:
        service_of(found)
    except TypeError:
        return False
    return True
