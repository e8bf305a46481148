"""Data Product Hub: a list of data products, for whoever may see it.

The path and the list's shape as in `IBM/data-product-exchange-python-sdk`
(``dph_services``); the 401 body is the one of IBM's Watson Data APIs.
"""

import uuid
from typing import Any

from wxhelper.sandbox.issuer import Verdict
from wxhelper.sandbox.messages import Answer, Request, fields, json_answer, text_answer
from wxhelper.sandbox.service import Protected

_PATH = "/data_product_exchange/v1/data_products"
_PRODUCTS: tuple[dict[str, Any], ...] = tuple(
    {"id": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)), "name": name, "container": {"id": container}}
    for container in (str(uuid.uuid5(uuid.NAMESPACE_DNS, "catalog.sandbox.invalid")),)
    for name in ("Orders of a made-up shop", "Weather of a made-up town")
)


class DataProductHub(Protected):
    """``GET /data_product_exchange/v1/data_products``."""

    name = "dph"
    paths = (_PATH,)

    def serve(self, request: Request) -> Answer:
        """Answers with the data products, at most ``limit`` of them."""
        if request.method not in ("GET", "HEAD"):
            return text_answer(405, headers={"Allow": "GET, HEAD"})
        said = fields(request.query).get("limit", "100")
        limit = int(said) if said.isascii() and said.isdigit() and len(said) < 4 else 100
        document = {
            "limit": limit,
            "first": {"href": f"{_PATH}?limit={limit}"},
            "total_results": len(_PRODUCTS),
            "data_products": _PRODUCTS[:limit],
        }
        return json_answer(document)

    def refuse(self, verdict: Verdict | None) -> Answer:  # noqa: ARG002  it never says why
        """Answers 401."""
        error = {"code": "not_authenticated", "message": "The token is missing or not valid."}
        document = {"trace": uuid.uuid4().hex, "errors": [error]}
        return json_answer(document, status=401, headers={"WWW-Authenticate": "Bearer"})
