"""As much of a Kubernetes API server as `kubectl get pods` and `kubectl version` ask for.

Shapes: `kubernetes/apimachinery:pkg/apis/meta/v1/types.go` (Status, Table, discovery) and
`kubernetes/api:core/v1/types.go` (Pod). Aggregated discovery is not offered; kubectl then
falls back to the plain lists.
"""

from typing import Any

from wxhelper.sandbox.issuer import Verdict
from wxhelper.sandbox.messages import Answer, Request, json_answer
from wxhelper.sandbox.service import Protected

_VERSION = {
    "major": "1",
    "minor": "31",
    "gitVersion": "v1.31.0-wxhelper.sandbox",
    "gitCommit": "0" * 40,
    "gitTreeState": "clean",
    "buildDate": "2024-08-13T00:00:00Z",
    "goVersion": "go1.22.5",
    "compiler": "gc",
    "platform": "linux/amd64",
}
_API_VERSIONS = {
    "kind": "APIVersions",
    "versions": ["v1"],
    "serverAddressByClientCIDRs": [],
}
_API_GROUPS = {"kind": "APIGroupList", "apiVersion": "v1", "groups": []}
_RESOURCES = {
    "kind": "APIResourceList",
    "groupVersion": "v1",
    "resources": [
        {
            "name": "pods",
            "singularName": "pod",
            "namespaced": True,
            "kind": "Pod",
            "verbs": ["get", "list"],
            "shortNames": ["po"],
            "categories": ["all"],
        }
    ],
}
_DOCUMENTS: dict[str, dict[str, Any]] = {
    "/version": _VERSION,
    "/api": _API_VERSIONS,
    "/apis": _API_GROUPS,
    "/api/v1": _RESOURCES,
}
_COLUMNS = tuple(
    {"name": name, "type": "string", "format": style, "description": "", "priority": 0}
    for name, style in (
        ("Name", "name"),
        ("Ready", ""),
        ("Status", ""),
        ("Restarts", ""),
        ("Age", ""),
    )
)
_POD_NAMES = ("watsonx-gateway-0", "watsonx-gateway-1")
_PODS = "/api/v1/namespaces/default/pods"


class Kubernetes(Protected):
    """An API server with two pods."""

    name = "kubernetes"
    # Not "/api/": IBM's token services live below it too (/api/2.0, /api/rest).
    paths = ("/version", "/api", "/api/v1", "/api/v1/", "/apis", "/apis/")

    def serve(self, request: Request) -> Answer:
        """Answers with a document, or a Status of 404 or 405."""
        if request.method not in ("GET", "HEAD"):
            return _status(
                405, "MethodNotAllowed", "the server does not allow this method on the resource"
            )
        path = request.path.rstrip("/")
        if path == _PODS:
            wants_table = "as=Table" in request.headers.get("Accept", "")
            return json_answer(_table() if wants_table else _pod_list())
        if path.startswith(f"{_PODS}/"):
            name = path.removeprefix(f"{_PODS}/")
            if name not in _POD_NAMES:
                return _status(404, "NotFound", f'pods "{name}" not found')
            return json_answer(_pod(name) | _type("Pod"))
        if path not in _DOCUMENTS:
            return _status(404, "NotFound", "the server could not find the requested resource")
        return json_answer(_DOCUMENTS[path])

    def refuse(self, verdict: Verdict | None) -> Answer:  # noqa: ARG002  it never says why
        """Answers 401; an API server does not tell what is wrong with a token."""
        return _status(401, "Unauthorized", "Unauthorized")


def _type(kind: str, api_version: str = "v1") -> dict[str, Any]:
    return {"kind": kind, "apiVersion": api_version}


def _pod(name: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": f"00000000-0000-4000-8000-{_POD_NAMES.index(name):012}",
            "creationTimestamp": "2024-08-13T00:00:00Z",
        },
        "spec": {"containers": [{"name": "gateway", "image": "sandbox.invalid/gateway:1"}]},
        "status": {
            "phase": "Running",
            "containerStatuses": [{"name": "gateway", "ready": True, "restartCount": 0}],
        },
    }


def _pod_list() -> dict[str, Any]:
    pods = [_pod(name) for name in _POD_NAMES]
    return {**_type("PodList"), "metadata": {"resourceVersion": "1"}, "items": pods}


def _table() -> dict[str, Any]:
    rows = [
        {
            "cells": [name, "1/1", "Running", "0", "1d"],
            "object": {
                **_type("PartialObjectMetadata", "meta.k8s.io/v1"),
                "metadata": _pod(name)["metadata"],
            },
        }
        for name in _POD_NAMES
    ]
    return {
        **_type("Table", "meta.k8s.io/v1"),
        "metadata": {"resourceVersion": "1"},
        "columnDefinitions": list(_COLUMNS),
        "rows": rows,
    }


def _status(code: int, reason: str, message: str) -> Answer:
    document = {
        **_type("Status"),
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }
    return json_answer(document, status=code)
