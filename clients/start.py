"""Starts the `bookmesh` command: the only module of it that runs before generated code is imported.

Generated code that does not fit what is installed refuses to be imported, and the command with it. Then this says why.
"""

import sys


def main() -> None:
    """Runs one command, or tells why none can run."""
    try:
        from clients.cli import main as run  # noqa: PLC0415 - what may fail is this very import
    except Exception:
        from mesh.doctor.first_aid import first_aid  # noqa: PLC0415 - needed in this case alone

        findings = first_aid()
        if not findings:
            raise
        for finding in findings:
            print(finding.line(), file=sys.stdout if sys.argv[1:2] == ["doctor"] else sys.stderr)
        sys.exit(1)
    run()


if __name__ == "__main__":
    main()
