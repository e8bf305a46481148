"""A container registry in the manner of IBM Cloud Container Registry, with one image.

As there, an IAM token opens nothing by itself: it is the password of the user
``iambearer`` at ``/oauth/token``, which answers with a registry token, and that one
is good for the repositories (ibm-cloud-docs/Registry:registry_access.md;
`distribution/distribution:docs/content/spec/auth/token.md`).
"""

import base64
import hashlib
import json
import secrets
import threading

from wxhelper.sandbox.issuer import Verdict
from wxhelper.sandbox.messages import Answer, Request, json_answer
from wxhelper.sandbox.service import Realm, Service

USER = "iambearer"
REPOSITORY = "sandbox/granite"
TAG = "1.0"
SERVICE = "registry"

_TOKEN = "/oauth/token"
_SECONDS = 300
_MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
_LAYER = b"sandbox layer\n"


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _described(media_type: str, content: bytes) -> dict[str, object]:
    kind = f"application/vnd.docker.{media_type}"
    return {"mediaType": kind, "size": len(content), "digest": _digest(content)}


_CONFIG = json.dumps(
    {
        "created": "2024-08-13T00:00:00Z",
        "architecture": "amd64",
        "os": "linux",
        "config": {"Labels": {"from": "wxhelper sandbox"}},
        "rootfs": {"type": "layers", "diff_ids": [_digest(_LAYER)]},
        "history": [{"created": "2024-08-13T00:00:00Z", "created_by": "sandbox"}],
    }
).encode()
_MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": _MANIFEST_TYPE,
        "config": _described("container.image.v1+json", _CONFIG),
        "layers": [_described("image.rootfs.diff.tar.gzip", _LAYER)],
    }
).encode()
_CONTENTS = {
    f"manifests/{TAG}": (_MANIFEST_TYPE, _MANIFEST),
    f"manifests/{_digest(_MANIFEST)}": (_MANIFEST_TYPE, _MANIFEST),
    f"blobs/{_digest(_CONFIG)}": ("application/octet-stream", _CONFIG),
    f"blobs/{_digest(_LAYER)}": ("application/octet-stream", _LAYER),
    "tags/list": ("application/json", json.dumps({"name": REPOSITORY, "tags": [TAG]}).encode()),
}


class Registry(Service):
    """``/v2/`` and the token service that it sends clients to."""

    name = "registry"
    paths = ("/v2", "/v2/", _TOKEN)

    def __init__(self, realm: Realm) -> None:
        super().__init__(realm)
        self._lock = threading.Lock()
        self._tokens: dict[str, float] = {}

    def handle(self, request: Request, lifetime: int) -> Answer:  # noqa: ARG002
        """Answers with a registry token, or with a part of the image to who shows one.

        Args:
            request: the request.
            lifetime: not used; a registry token always lives five minutes.
        """
        if request.method not in ("GET", "HEAD"):
            return _error(405, "UNSUPPORTED", "the operation is unsupported")
        if request.path == _TOKEN:
            return self._issue(request)
        scheme, token = request.authorization()
        with self._lock:
            good_until = self._tokens.get(token, 0.0)
        if scheme != "bearer" or self.realm.clock() >= good_until:
            return _challenge(request)
        return _part(request.path.removeprefix("/v2").strip("/"))

    def _issue(self, request: Request) -> Answer:
        if not self._is_user(*request.authorization()):
            return _error(401, "UNAUTHORIZED", "The login credentials are not valid")
        token = secrets.token_urlsafe(48)
        with self._lock:
            self._tokens[token] = self.realm.clock() + _SECONDS
        return json_answer({"token": token, "expires_in": _SECONDS})

    def _is_user(self, scheme: str, credentials: str) -> bool:
        try:
            user, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except ValueError:  # no base64, or no UTF-8 in it
            return False
        verdict = self.realm.issuer.verdict(password, self.realm.clock())
        return scheme == "basic" and user == USER and verdict is Verdict.LIVE


def _challenge(request: Request) -> Answer:
    scheme, host = "https" if request.tls else "http", request.headers.get("Host", "")
    challenge = f'Bearer realm="{scheme}://{host}{_TOKEN}",service="{SERVICE}"'
    if request.path.startswith(f"/v2/{REPOSITORY}/"):
        challenge += f',scope="repository:{REPOSITORY}:pull"'
    return _error(401, "UNAUTHORIZED", "Authorization required", {"WWW-Authenticate": challenge})


def _part(path: str) -> Answer:
    if not path:
        return json_answer({})
    media_type, content = _CONTENTS.get(path.removeprefix(f"{REPOSITORY}/"), ("", b""))
    if not content:
        return _error(404, "MANIFEST_UNKNOWN", "manifest unknown")
    headers = {"Content-Type": media_type, "Docker-Content-Digest": _digest(content)}
    return Answer(200, content, headers)


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Answer:
    document = {"errors": [{"code": code, "message": message}]}
    return json_answer(
        document,
        status=status,
        headers={"Docker-Distribution-Api-Version": "registry/2.0", **(headers or {})},
    )
