"""[tls] of an address book: where the certificates are, whose they are, and who has to show one."""

from dataclasses import dataclass
from pathlib import Path

from mesh.config.book_entries import Ground
from mesh.config.overlay import Overlay
from mesh.config.table import Table
from mesh.identity.spiffe import TRUST_DOMAIN, is_trust_domain


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSettings:
    """How callers and callees prove who they are."""

    certificates: Path
    """Absolute; the directory of the certificates, which certificate_files tells of."""
    made_here: bool = True
    """Nobody said where they are, so a start makes those that are missing."""
    trust_domain: str = TRUST_DOMAIN
    """Whose certificates count."""
    people: bool = False
    """People, too, are served with TLS alone: `default` and `admin` show a certificate, and ask for none."""


def read_tls(said: Overlay, ground: Ground, *, production: bool) -> TlsSettings:
    """Reads [tls]; faults are noted.

    Args:
        said: the table.
        ground: where relative paths begin.
        production: serve nobody in plain text, whatever the table says.
    """
    said.only(("certificates", "trust_domain", "people"))
    folder = said.said("certificates", Table.text)
    domain = said.said("trust_domain", Table.text)
    people = said.said("people", Table.flag)
    if domain and not is_trust_domain(domain):
        said.note("trust_domain", f"{domain!r} is no trust domain. Write a name such as books.example.org.")
    if production and people is False:
        said.note("people", "can't be false in production, where nobody is served in plain text.")
    return TlsSettings(
        certificates=ground.place(folder) if folder else ground.data / "certs",
        made_here=not folder and not production,
        trust_domain=domain or TRUST_DOMAIN,
        people=people or production,
    )
