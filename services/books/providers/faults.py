"""The only place that words what can go wrong between the proxy and a provider that it speaks to itself."""

from dataclasses import dataclass

from bookmesh.mesh.v1.error_reason_pb2 import (
    ERROR_REASON_CIRCUIT_OPEN,
    ERROR_REASON_PROVIDER_BAD_ANSWER,
    ERROR_REASON_PROVIDER_KEY_REFUSED,
    ERROR_REASON_PROVIDER_RATE_LIMITED,
    ERROR_REASON_PROVIDER_TIMEOUT,
    ERROR_REASON_PROVIDER_UNAVAILABLE,
    ERROR_REASON_QUOTA_SPENT,
    ERROR_REASON_SECRET_MISSING,
)

from mesh.status import FailedPreconditionError, ResourceExhaustedError, UnavailableError


@dataclass(frozen=True, slots=True)
class Faults:
    """The failures of one provider, each in the words of the mesh."""

    provider: str
    """Its name in errors, editions and outcomes."""
    title: str
    """Its name for people."""

    def unreachable(self, what: str, status: int = 0) -> UnavailableError:
        """It could not be reached, or failed.

        Args:
            what: the kind of failure in one word or two, without anything of the request.
            status: the HTTP status, when there was one.
        """
        return UnavailableError(
            ERROR_REASON_PROVIDER_UNAVAILABLE,
            f"{self.title} can't be reached or failed: {what}",
            metadata={**self._http(status), "cause": what},
        )

    def bad_answer(self, what: str, status: int = 0) -> UnavailableError:
        """It answered something that can't be read; `what` says what, and `status` the HTTP status."""
        return UnavailableError(
            ERROR_REASON_PROVIDER_BAD_ANSWER,
            f"{self.title} answered something that can't be read: {what}",
            metadata={**self._http(status), "cause": what},
        )

    def too_slow(self) -> UnavailableError:
        """It took longer than the call had time."""
        return UnavailableError(
            ERROR_REASON_PROVIDER_TIMEOUT,
            f"{self.title} took longer than the call had time",
            metadata=self._http(0),
        )

    def key_refused(self, what: str, status: int) -> UnavailableError:
        """It refuses who asks; `what` says which setting to look at."""
        return UnavailableError(
            ERROR_REASON_PROVIDER_KEY_REFUSED,
            f"{self.title} refuses the call; see that {what}",
            metadata=self._http(status),
        )

    def rate_limited(self, retry_after_s: float, status: int = 429) -> ResourceExhaustedError:
        """It asked us to slow down for so many seconds."""
        return ResourceExhaustedError(
            ERROR_REASON_PROVIDER_RATE_LIMITED,
            f"{self.title} asked us to slow down",
            retry_after_s=retry_after_s,
            metadata=self._http(status),
        )

    def quota_spent(self, status: int) -> ResourceExhaustedError:
        """It says that the day's calls of the key are used up."""
        return ResourceExhaustedError(
            ERROR_REASON_QUOTA_SPENT,
            f"{self.title} says that the day's calls are spent",
            metadata=self._http(status),
        )

    def not_served(self, secret: str, retry_after_s: float | None = None) -> FailedPreconditionError:
        """It answers nobody, or just now nobody, who brings no key, and `secret` is not set."""
        return FailedPreconditionError(
            ERROR_REASON_SECRET_MISSING,
            f"the secret {secret} is not set, and {self.title} serves nobody now who comes without one",
            retry_after_s=retry_after_s,
            metadata={"provider": self.provider, "secret": secret},
        )

    def circuit_open(self, retry_after_s: float, state: str, binding: str, method: str) -> UnavailableError:
        """It failed too often lately, or an operator holds its breaker open."""
        return UnavailableError(
            ERROR_REASON_CIRCUIT_OPEN,
            f"the breaker {binding}/{method} is {state}, so {self.title} was not called",
            retry_after_s=retry_after_s,
            metadata={"provider": self.provider, "binding": binding, "method": method, "state": state},
        )

    def _http(self, status: int) -> dict[str, str]:
        return {"provider": self.provider, **({"http_status": str(status)} if status else {})}
