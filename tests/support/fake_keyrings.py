"""Keyrings for tests, chosen by PYTHON_KEYRING_BACKEND; they keep things in $FAKE_KEYRING."""

import json
import os
import time
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError, PasswordSetError

if "FAKE_KEYRING_HANGS_AT_IMPORT" in os.environ:
    time.sleep(60)


class Working(KeyringBackend):
    """One that works."""

    priority = 5.0

    def _content(self) -> dict[str, str]:
        path = Path(os.environ["FAKE_KEYRING"])
        return json.loads(path.read_text()) if path.exists() else {}

    def _put(self, content: dict[str, str]) -> None:
        path = Path(os.environ["FAKE_KEYRING"])
        path.touch(0o600)
        path.write_text(json.dumps(content))

    def get_password(self, service: str, username: str) -> str | None:
        return self._content().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._put({**self._content(), f"{service}/{username}": password})

    def delete_password(self, service: str, username: str) -> None:
        content = self._content()
        if content.pop(f"{service}/{username}", None) is None:
            raise PasswordDeleteError("not there")
        self._put(content)


class Talkative(Working):
    """One that works, and says what it does to everybody."""

    def set_password(self, service: str, username: str, password: str) -> None:
        print(f"storing {password}", flush=True)
        os.write(2, f"storing {password}\n".encode())
        super().set_password(service, username, password)


class Broken(Working):
    """One that fails, and tells the key."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise PasswordSetError(f"cannot store {password}")


class Crashing(Working):
    """One that takes the whole process with it."""

    def set_password(self, service: str, username: str, password: str) -> None:
        os.write(2, f"fatal: {password}\n".encode())
        os.abort()


class Forgetful(Working):
    """One that takes everything and keeps nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


class Hanging(Working):
    """One that waits for a message bus that is silent; tells in $FAKE_KEYRING.pid who waits."""

    def get_password(self, service: str, username: str) -> str | None:
        Path(os.environ["FAKE_KEYRING"] + ".pid").write_text(str(os.getpid()))
        time.sleep(60)
        return None


class Slow(Working):
    """One that stores, and then takes its time."""

    def set_password(self, service: str, username: str, password: str) -> None:
        super().set_password(service, username, password)
        time.sleep(1.5)


class Locked(Working):
    """One that works until the file $FAKE_KEYRING.locked is there."""

    def _content(self) -> dict[str, str]:
        if Path(os.environ["FAKE_KEYRING"] + ".locked").exists():
            raise RuntimeError("locked")
        return super()._content()
