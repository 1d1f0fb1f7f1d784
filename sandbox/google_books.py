"""The only place that knows the shapes of Google Books v1: a volume's fields, the bodies of lists and of errors.

Sources: Google's published API description and recorded answers.
"""

import base64
import hashlib
from collections.abc import Sequence

from sandbox.catalogue import Book
from sandbox.isbn import to10

Json = dict[str, object]

DEFAULT_MAX_RESULTS = 10
MOST_MAX_RESULTS = 40

_SITE = "http://books.google.com/books"
_API = "https://www.googleapis.com/books/v1/volumes"
_QUOTA = "Quota exceeded for quota metric 'Queries' and limit 'Queries per {unit}' of service 'books.googleapis.com'"
_LITE = {"title", "subtitle", "authors", "publisher", "publishedDate", "description", "imageLinks", "language"}


def volume_id(isbn13: str) -> str:
    """The id of a volume: twelve characters that tell nothing."""
    return base64.urlsafe_b64encode(hashlib.blake2b(isbn13.encode(), digest_size=9).digest()).decode()


def volume_json(book: Book) -> Json:
    """A volume as Google would show it on a good day: absent fields are left out.

    There is no binding anywhere: whether a volume is bound, read aloud or a file is not told.
    """
    name = volume_id(book.isbn13)
    cover = f"{_SITE}/content?id={name}&printsec=frontcover&img=1"
    snippet = book.summary.partition(". ")[0]
    isbn10 = to10(book.isbn13)
    info: Json = {
        "title": book.title,
        "subtitle": book.subtitle,
        "authors": list(book.authors),
        "publisher": book.publisher,
        "publishedDate": "" if book.year is None else f"{book.year:04}",
        "description": book.summary,
        "industryIdentifiers": [
            {"type": "ISBN_13", "identifier": book.isbn13},
            *([{"type": "ISBN_10", "identifier": isbn10}] if isbn10 else []),
        ],
        "readingModes": {"text": False, "image": False},
        "pageCount": book.pages,
        "printType": "BOOK",
        "categories": list(book.subjects[:1]),
        "maturityRating": "NOT_MATURE",
        "allowAnonLogging": False,
        "contentVersion": "0.0.1.0.preview.0",
        "panelizationSummary": {"containsEpubBubbles": False, "containsImageBubbles": False},
        "imageLinks": {
            "smallThumbnail": f"{cover}&zoom=5&edge=curl&source=gbs_api",
            "thumbnail": f"{cover}&zoom=1&edge=curl&source=gbs_api",
        },
        "language": book.language or "un",
        "previewLink": f"{_SITE}?id={name}&printsec=frontcover&hl=&cd=1&source=gbs_api",
        "infoLink": f"{_SITE}?id={name}&hl=&source=gbs_api",
        "canonicalVolumeLink": f"https://books.google.com/books/about/{name}.html?hl=",
    }
    return {
        "kind": "books#volume",
        "id": name,
        "etag": name[::-1][:11],
        "selfLink": f"{_API}/{name}",
        "volumeInfo": {key: value for key, value in info.items() if value not in ("", None, [])},
        "saleInfo": {"country": "US", "saleability": "NOT_FOR_SALE", "isEbook": False},
        "accessInfo": {
            "country": "US",
            "viewability": "NO_PAGES",
            "embeddable": False,
            "publicDomain": False,
            "textToSpeechPermission": "ALLOWED",
            "epub": {"isAvailable": False},
            "pdf": {"isAvailable": False},
            "webReaderLink": f"http://play.google.com/books/reader?id={name}&hl=&source=gbs_api",
            "accessViewStatus": "NONE",
            "quoteSharingAllowed": False,
        },
        **({"searchInfo": {"textSnippet": snippet}} if snippet else {}),
    }


def lite(volume: Json) -> Json:
    """A volume under projection=lite: part of its fields."""
    info = volume["volumeInfo"]
    kept = {key: value for key, value in info.items() if key in _LITE} if isinstance(info, dict) else {}
    return {"kind": volume["kind"], "id": volume["id"], "etag": volume["etag"], "volumeInfo": kept}


def volumes_json(total: int, items: Sequence[Json]) -> Json:
    """A list of volumes: `items` is not there at all when it would be empty."""
    return {"kind": "books#volumes", "totalItems": total, **({"items": list(items)} if items else {})}


def parameter_error(name: str, message: str, reason: str = "invalidParameter") -> Json:
    """The body of a 400 for a parameter."""
    return _error(400, message, reason, location=name, locationType="parameter")


def invalid_key() -> Json:
    """The body of the 400 for a key that there is not."""
    body = _error(400, "API key not valid. Please pass a valid API key.", "badRequest")
    details = _details("API_KEY_INVALID", {"service": "books.googleapis.com"})
    return _stated(body, "INVALID_ARGUMENT", details)


def quota_error(limit: int, *, per_day: bool) -> Json:
    """The body of the 429 when the day's calls are spent, or calls come too fast.

    Args:
        limit: How many calls there are, in a day or in a second.
        per_day: Which of the two limits it is.
    """
    message = f"{_QUOTA.format(unit='day' if per_day else 'second')} for consumer 'project_number:100000000001'."
    metadata = {
        "quota_unit": "1/d/{project}" if per_day else "1/s/{project}/{user}",
        "quota_metric": "books.googleapis.com/default",
        "quota_location": "global",
        "service": "books.googleapis.com",
        "quota_limit_value": str(limit),
        "consumer": "projects/100000000001",
        "quota_limit": "defaultPerDayPerProject" if per_day else "defaultPerSecondPerProjectPerUser",
    }
    body = _error(429, message, "rateLimitExceeded")
    return _stated(body, "RESOURCE_EXHAUSTED", _details("RATE_LIMIT_EXCEEDED", metadata))


def older_quota_error(*, per_day: bool) -> Json:
    """The body of the 403 that told the same in earlier years, and still does now and then."""
    reason, message = (
        ("dailyLimitExceeded", "Daily Limit Exceeded")
        if per_day
        else ("userRateLimitExceeded", "User Rate Limit Exceeded")
    )
    return {
        "error": {
            "errors": [{"domain": "usageLimits", "reason": reason, "message": message}],
            "code": 403,
            "message": message,
        }
    }


def error(status: int) -> Json:
    """The body that goes with a status when nothing more is known."""
    match status:
        case 403:
            return older_quota_error(per_day=True)
        case 404:
            return _error(404, "The volume ID could not be found.", "notFound")
        case 429:
            return quota_error(0, per_day=True)
        case 503:
            return _error(503, "Service temporarily unavailable.", "backendFailed")
        case _ if status >= 500:  # noqa: PLR2004 -- HTTP
            return _error(status, "Backend Error", "backendError")
        case _:
            return _error(status, "Bad Request", "badRequest")


def _error(status: int, message: str, reason: str, **where: str) -> Json:
    """The envelope of every error."""
    return {
        "error": {
            "code": status,
            "message": message,
            "errors": [{"message": message, "domain": "global", "reason": reason, **where}],
        }
    }


def _stated(body: Json, state: str, details: Json) -> Json:
    """The envelope with what newer errors tell beside."""
    inner = body["error"]
    return {"error": {**inner, "status": state, "details": [details]}} if isinstance(inner, dict) else body


def _details(reason: str, metadata: dict[str, str]) -> Json:
    """A google.rpc.ErrorInfo."""
    kind = "type.googleapis.com/google.rpc.ErrorInfo"
    return {"@type": kind, "reason": reason, "domain": "googleapis.com", "metadata": metadata}
