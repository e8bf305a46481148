"""A configuration that login makes, and a keyring that is a file."""

from pathlib import Path
from typing import TYPE_CHECKING

from wxhelper.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.conftest import Command, Outcome

_SUPPORT = str(Path(__file__).parent)
UNSAFE = " (there is no keyring here that keeps a key safe)"


class Place:
    """A configuration that is not there yet, and a keyring; of the sources there is one."""

    def __init__(self, wx: "Command", sandbox: Sandbox, folder: Path) -> None:
        self.wx, self.sandbox, self.folder = wx, sandbox, folder
        self.config = folder / "config.toml"
        self.ring = folder.parent / "ring"
        wx.environ |= {
            "WXHELPER_CONFIG": str(self.config),
            "PYTHONPATH": _SUPPORT,
            "FAKE_KEYRING": str(self.ring),
            "WXHELPER_PLUGINS": "ibmcloud",
        }
        self.keyring("keyring.backends.fail.Keyring")

    def keyring(self, backend: str) -> None:
        self.wx.environ["PYTHON_KEYRING_BACKEND"] = backend

    def login(self, *arguments: str, key: str | None = None) -> "Outcome":
        given = ["--url", self.sandbox.http_url, "--api-key-stdin", *arguments]
        return self.wx("login", "dev", *given, stdin=key or self.sandbox.api_key)

    def works(self, *arguments: str) -> bool:
        token = self.wx("token", "--profile", "dev", *arguments).out.strip()
        return self.sandbox.issuer.grant(token) is not None

    @property
    def files(self) -> set[str]:
        return {str(p.relative_to(self.folder)) for p in self.folder.rglob("*") if p.is_file()}


def seen(done: "Outcome") -> tuple[int, str, str]:
    return done.status, done.out, done.err
