"""Settings that are faulty, ignored, misspelt, unset or stood in for: what can be told from files and the environment.

It is the only place that lists the environment variables that bookmesh itself reads.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from mesh.config.address_book import StandIn
from mesh.config.manifest import Manifest
from mesh.config.problems import Problem, did_you_mean
from mesh.doctor.finding import Finding, error, note, warning
from mesh.hosting.bindings import find_secret
from mesh.secrets import SecretSource

PREFIX = "BOOKMESH_"

VARIABLES: Mapping[str, str] = {
    "BOOKMESH_BOOK": "the address book",
    "BOOKMESH_COMPANY": "the memory that the process which started this one shares with all that it starts",
    "BOOKMESH_DATA": "where embedded stores keep their data",
    "BOOKMESH_EMBEDDED_KV": "the embedded key-value server of the process that started this one",
    "BOOKMESH_LOG": "how logs are written",
    "BOOKMESH_OPERATOR_TOKEN": "the operator's token, for clients that can't read its file",
}
"""Every variable of bookmesh's own, and what it says; a test holds this to what the code reads."""


def configuration(problems: Iterable[Problem]) -> Iterator[Finding]:
    """What `bookmesh check` refuses."""
    for problem in problems:
        yield error("configuration", str(problem), "`bookmesh check` says whether it is mended.")


def ignored_settings(manifests: Iterable[Manifest]) -> Iterator[Finding]:
    """Keys that a manifest may have for wrangler's sake, and that do nothing here."""
    for manifest in manifests:
        if manifest.ignored:
            keys = ", ".join(manifest.ignored)
            yield note("ignored", f"{manifest.path} sets {keys}, which means nothing here.", "Expect nothing of it.")


def unknown_variables(environ: Collection[str]) -> Iterator[Finding]:
    """Environment variables that look like ours, and that nothing reads."""
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in VARIABLES:
            # The prefix alone would make every name resemble every other.
            near = did_you_mean(name.removeprefix(PREFIX), [each.removeprefix(PREFIX) for each in VARIABLES])
            mend = near.strip().replace("'", f"'{PREFIX}", 1) or "Unset it."
            yield warning("environment", f"{name} is set, and nothing reads it.", mend)


def secrets(
    manifests: Iterable[Manifest], source: SecretSource, stand_ins: Sequence[StandIn], environ: Collection[str]
) -> Iterator[Finding]:
    """Secrets that nobody has set, and what takes their place.

    Args:
        manifests: those that declare secrets.
        source: where secrets are found; stand-ins may be among it.
        stand_ins: those in force.
        environ: the names of all environment variables, to find the misspelt ones.
    """
    stood_in = {stand_in.secret_name: stand_in for stand_in in stand_ins}
    users: dict[str, list[str]] = {}
    for manifest in manifests:
        for secret in manifest.secrets:
            if secret.secret_name in stood_in or find_secret(secret, source) is None:
                users.setdefault(secret.secret_name, []).append(manifest.name)
    for name, services in users.items():
        # Capitals are the usual way to get the name of a variable wrong.
        near = next((each for each in sorted(environ) if each.upper() == name.upper() and each != name), "")
        hint = f" The environment has {near}, which is another name." if near else ""
        if name in stood_in:
            what = f"{name} is unset, and {stood_in[name].module} stands in for its provider.{hint}"
            yield warning("stand-in", what, "Set it to reach the real provider.")
        else:
            what = f"{name} of {', '.join(services)} is unset.{hint}"
            yield warning("secret", what, "Set it, if calls that need it should succeed.")
