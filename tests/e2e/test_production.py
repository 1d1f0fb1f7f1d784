"""`--env production`: nothing without TLS, and everything with it."""

import subprocess
import sys
from pathlib import Path

from tests.alone import ISBNDB_ALONE
from tests.e2e.conftest import Deployment

GRPCURL = Path(sys.executable).with_name("grpcurl")

LEAF = "isbndb-biography-worker-production"


def secret(deployment: Deployment) -> None:
    """Production knows no stand-in, so it needs a key; nobody listens where it is sent."""
    deployment.environ |= {"ISBNDB_API_KEY": "none", "ISBNDB_URL": "http://127.0.0.1:9", **ISBNDB_ALONE}


def grpcurl(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs grpcurl to its end."""
    command = [str(GRPCURL), "-max-time", "10", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_no_start_without_certificates(deployment: Deployment) -> None:
    """Without certificates nothing starts, which is told with the status of a bad configuration."""
    secret(deployment)
    ended = deployment.run("up", "--env", "production")
    assert (ended.returncode, "tls.certificates" in ended.stderr, "ca.pem" in ended.stderr) == (64, True, True)
    assert ("Traceback" in ended.stderr, "listening" in ended.stderr) == (False, False)
    assert not (deployment.data / "certs").exists()


def test_tls_for_everybody(deployment: Deployment) -> None:
    """With certificates people are served with TLS alone, and an operator's certificate opens Admin."""
    secret(deployment)
    certs = deployment.data / "certs"
    made = deployment.run("certs", "--env", "production", "--operator", "ann")
    again = deployment.run("certs", "--env", "production", "--operator", "ann")
    assert (made.returncode, made.stdout.count("made  "), again.stdout.count("kept  ")) == (0, 4, 4), made.stderr
    assert "PRIVATE" not in made.stdout + made.stderr
    with deployment.up("--separate", env="production"):
        health = deployment.run("health", "--env", "production")
        plain = grpcurl("-plaintext", deployment.address("7420"), "list")
        trusted = ("-cacert", str(certs / "ca.pem"))
        people = grpcurl(*trusted, "-servername", "localhost", deployment.address("7420"), "list")
        ann = (*trusted, "-cert", str(certs / "ann.pem"), "-key", str(certs / "ann.pem"), "-servername", "localhost")
        admin = "bookmesh.books.v1.AdminService/GetHealth"
        asked = grpcurl(*ann, deployment.address("7422"), admin)
        nobody = grpcurl(*trusted, "-servername", "localhost", deployment.address("7422"), admin)
        refused = grpcurl(*trusted, "-servername", "localhost", deployment.address("7421"), admin)
    assert (health.returncode, "books-api-proxy" in health.stdout) == (0, True), health.stderr
    assert (plain.returncode, "BooksService" in people.stdout) == (1, True), people.stderr
    assert ("bindings" in asked.stdout, nobody.returncode, "Unauthenticated" in refused.stderr) == (True, 1, True)
